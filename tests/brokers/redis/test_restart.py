"""What a restart keeps, and what a crash does."""

from __future__ import annotations

import pytest

from tests.brokers.redis.client import World, new_world


def _value_after(world: World, how: str) -> bytes | None:
    getattr(world.broker, how)(world.now_ns)
    world.carry()
    return world.connect().ask("GET", "k")  # type: ignore[no-any-return]


@pytest.mark.parametrize("how", ["restart", "crash"])
def test_with_the_log_of_writes_nothing_acknowledged_is_lost(how: str) -> None:
    world = new_world(config={"appendonly": "yes"})
    world.connect().ask("SET", "k", "v")
    assert _value_after(world, how) == b"v"


def test_without_it_an_orderly_stop_saves_and_a_crash_loses_what_came_after_the_snapshot() -> None:
    world = new_world()
    client = world.connect()
    client.ask("SET", "k", "saved")
    client.ask("SAVE")
    client.ask("SET", "k", "new")
    assert _value_after(world, "crash") == b"saved"
    world.connect().ask("SET", "k", "newer")
    assert _value_after(world, "restart") == b"newer"


def test_a_save_point_takes_a_snapshot_when_it_is_reached() -> None:
    world = new_world(config={"save": "60 1"})
    world.connect().ask("SET", "k", "v")
    world.advance(62)
    assert _value_after(world, "crash") == b"v"


@pytest.mark.parametrize("how", ["restart", "crash"])
def test_without_any_persistence_nothing_is_kept(how: str) -> None:
    world = new_world(config={"save": ""})
    world.connect().ask("SET", "k", "v")
    assert _value_after(world, how) is None


def test_time_to_live_goes_on_over_a_restart() -> None:
    world = new_world()
    world.connect().ask("SET", "k", "v", "EX", 10)
    world.advance(5)
    assert _value_after(world, "restart") == b"v"
    world.advance(5.001)
    assert world.connect().ask("GET", "k") is None


def test_a_restart_ends_every_connection() -> None:
    world = new_world()
    client = world.connect()
    client.ask("BLPOP", "x", 0)
    world.broker.restart(world.now_ns)
    world.carry()
    assert client.side.closing
    assert world.broker.next_timer() is None
