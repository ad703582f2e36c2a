"""Garbage collection while a world runs."""

import gc
import time
import weakref

import pytest

from sandbox.sim import collecting
from sandbox.sim.world import World


class Loop:
    """Garbage that only a collection finds."""

    def __init__(self, last_words=lambda: None):
        self.itself = self
        self.last_words = last_words

    def __del__(self):
        self.last_words()


def test_nothing_is_collected_at_a_moment_that_depends_on_the_interpreters_past(inside):
    def run():
        lost = weakref.ref(Loop())
        for _ in range(200_000):
            Loop(lost)  # what would set a collection off, outside a world
        return lost() is not None

    enabled = gc.isenabled()
    assert inside(run)
    assert gc.isenabled() == enabled


@pytest.mark.needs_os  # in a browser it is new stacks that set collections off
def test_garbage_of_a_long_run_is_collected(monkeypatch):
    monkeypatch.setattr(collecting, "EVERY_STEPS", 2_000)
    world = World(1)

    def run():
        lost = weakref.ref(Loop())
        for _ in range(5_000):
            time.monotonic()
        return lost() is None

    process = world.start_function(run)
    world.run()
    assert process.result


def test_a_destructor_that_would_wait_is_refused_and_does_not_end_collecting_for_good():
    def run():
        Loop(lambda: time.sleep(1e9))
        gc.collect()
        print("goes on")

    world = World(1)
    process = world.start_function(run)
    assert world.run().kind == "finished"
    assert "cannot wait for its sleep to end" in process.output
    assert process.output.endswith("goes on\n")
    lost = weakref.ref(Loop())
    gc.collect()
    assert lost() is None


def test_a_destructor_may_make_calls_that_do_not_wait(inside):
    said = []

    def run():
        Loop(lambda: said.append(time.monotonic() >= 0))
        gc.collect()
        return said

    assert inside(run) == [True]
