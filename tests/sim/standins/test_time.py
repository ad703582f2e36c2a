"""The `time` that programs of a world see."""

from __future__ import annotations

import time
from time import monotonic as monotonic_imported_by_name

import pytest

from sandbox.sim.clock import WALL_EPOCH_NS


def test_a_minute_of_sleep_takes_a_minute_of_virtual_and_no_real_time(inside, world):
    def program():
        before = time.monotonic()
        time.sleep(60)
        return time.monotonic() - before

    began = time.perf_counter()
    assert inside(program) == pytest.approx(60, abs=0.001)
    assert world.now_s == pytest.approx(60, abs=0.001)
    assert time.perf_counter() - began < 5


def test_every_clock_moves_with_the_world(inside):
    clocks = [
        time.time,
        time.monotonic,
        time.perf_counter,
        time.process_time,
        lambda: time.time_ns() / 1e9,
        lambda: time.monotonic_ns() / 1e9,
        lambda: time.perf_counter_ns() / 1e9,
        monotonic_imported_by_name,
    ]
    if hasattr(time, "thread_time"):
        clocks.append(time.thread_time)
    if hasattr(time, "clock_gettime"):
        clocks.append(lambda: time.clock_gettime(time.CLOCK_MONOTONIC))

    def program():
        before = [clock() for clock in clocks]
        time.sleep(7)
        return [clock() - start for clock, start in zip(clocks, before, strict=True)]

    assert inside(program) == [pytest.approx(7, abs=0.001)] * len(clocks)


def test_a_world_begins_on_a_monday_morning(inside):
    def program():
        return time.time(), time.strftime("%A %Y-%m-%d %H:%M"), time.ctime(), time.localtime()

    now, text, ctime, local = inside(program)
    assert now == pytest.approx(WALL_EPOCH_NS / 1e9, abs=0.001)
    assert text == "Monday 2026-01-05 09:00"
    assert ctime == "Mon Jan  5 09:00:00 2026"
    assert (local.tm_hour, local.tm_zone) == (9, "UTC")


@pytest.mark.needs_os
def test_local_time_is_the_same_in_every_time_zone(inside, monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    time.tzset()
    try:

        def program():
            moment = time.localtime()
            return moment.tm_hour, time.mktime(moment), time.strftime("%H:%M", time.localtime(0))

        assert inside(program) == (9, WALL_EPOCH_NS // 10**9, "00:00")
        assert time.localtime(0).tm_hour == 5
    finally:
        monkeypatch.undo()
        time.tzset()


def test_looking_at_the_clock_makes_it_move_a_little(inside):
    def program():
        deadline = time.monotonic() + 0.01
        looks = 0
        while time.monotonic() < deadline:
            looks += 1
        return looks

    assert inside(program) > 100


def test_sleep_refuses_what_the_real_one_refuses(inside):
    def program():
        with pytest.raises(ValueError, match="non-negative"):
            time.sleep(-1)
        with pytest.raises(TypeError):
            time.sleep("1")

    inside(program)


def test_sleeping_for_no_time_lets_others_go_first(world):
    order = []

    def first():
        order.append("first")
        time.sleep(0)
        order.append("first again")

    world.start_function(first)
    world.start_function(lambda: order.append("second"))
    world.run()
    assert order == ["first", "second", "first again"]


def test_outside_a_world_clocks_are_the_real_ones(inside):
    inside(lambda: time.sleep(1000))
    assert abs(time.time() - WALL_EPOCH_NS / 1e9) > 1000
    assert abs(time.time() - time.time_ns() / 1e9) < 5
    before = time.perf_counter()
    time.sleep(0)
    assert time.perf_counter() - before < 1
    assert time.localtime(86400 * 365).tm_year in (1970, 1971)
