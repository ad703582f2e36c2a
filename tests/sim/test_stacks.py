"""Call stacks that hand over to one another; the greenlet backend."""

from __future__ import annotations

import gc
import sys

from sandbox.sim.stacks import best_stacks
from sandbox.sim.stacks_greenlet import GreenletStacks


def test_this_interpreter_has_a_backend():
    assert isinstance(best_stacks(), GreenletStacks)


def test_stacks_take_turns():
    stacks, order = GreenletStacks(), []
    main = stacks.current()

    def run():
        order.append("one")
        stacks.switch(main)
        order.append("two")
        return main

    other = stacks.create(run)
    order.append("before")
    stacks.switch(other)
    order.append("between")
    stacks.switch(other)
    assert order == ["before", "one", "between", "two"]


def test_an_ended_stack_hands_over_to_its_successor():
    stacks, order = GreenletStacks(), []
    main = stacks.current()

    def last():
        order.append("last")
        return main

    final = stacks.create(last)
    stacks.switch(stacks.create(lambda: order.append("first") or final))
    assert order == ["first", "last"]


def test_an_abandoned_stack_runs_no_clean_up_when_it_is_collected(capsys):
    stacks, order = GreenletStacks(), []
    main = stacks.current()

    def run():
        try:
            stacks.switch(main)
        finally:
            order.append("cleaned up")

    for _ in range(3):
        other = stacks.create(run)
        stacks.switch(other)
        stacks.abandon(other)
        del other
        gc.collect()
    assert order == []
    assert capsys.readouterr().err == ""


def test_a_stack_that_never_ran_is_abandoned_without_trace():
    stacks = GreenletStacks()
    stacks.abandon(stacks.create(lambda: stacks.current()))


def test_each_stack_handles_its_own_exceptions():
    stacks, seen = GreenletStacks(), []
    main = stacks.current()

    def run():
        seen.append(sys.exc_info())
        stacks.switch(main)
        return main

    other = stacks.create(run)
    try:
        raise ZeroDivisionError
    except ZeroDivisionError:
        stacks.switch(other)
        seen.append(sys.exc_info()[0])
    assert seen == [(None, None, None), ZeroDivisionError]
