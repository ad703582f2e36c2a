"""Timers: cancelled ones do nothing, and do not pile up."""

from __future__ import annotations

from random import Random

from sandbox.brokers.timers import Timer, Timers


def test_timers_that_are_cancelled_again_and_again_do_not_pile_up() -> None:
    timers = Timers()
    kept = timers.at(10**9, lambda now_ns: None, housekeeping=False)
    for number in range(10_000):
        timers.at(10**6 + number, lambda now_ns: None, housekeeping=bool(number % 2)).cancel()
    assert len(timers._events) + len(timers._housekeeping) < 200
    assert timers.next_due() == kept.due_ns


def test_clearing_up_keeps_every_timer_and_its_turn() -> None:
    chance, timers = Random(1), Timers()
    due: list[tuple[int, int]] = []
    done: list[tuple[int, int]] = []
    alive: dict[int, Timer] = {}
    for number in range(3000):
        at = chance.randrange(500)
        what = (at, number)
        alive[number] = timers.at(
            at, lambda now_ns, what=what: done.append(what), housekeeping=chance.random() < 0.5
        )
        due.append(what)
        if chance.random() < 0.9:
            gone = chance.choice(list(alive))
            alive.pop(gone).cancel()
            due = [each for each in due if each[1] != gone]
    timers.run_due(500)
    assert done == sorted(due)


def test_cancelling_twice_or_after_it_was_done_is_fine() -> None:
    timers = Timers()
    done: list[int] = []
    timer = timers.at(1, done.append, housekeeping=False)
    assert timers.run_due(1) == 1
    timer.cancel()
    timer.cancel()
    assert done == [1]
    assert timers.next_due() is None
