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


@pytest.mark.parametrize(("sync", "left"), [("always", b"4"), ("everysec", b"2"), ("no", b"1")])
def test_a_power_failure_loses_what_was_not_on_the_disk_yet(sync: str, left: bytes) -> None:
    world = new_world(config={"appendonly": "yes", "appendfsync": sync})
    client = world.connect()
    client.ask("SET", "k", "1")
    world.advance(31.1)
    client.ask("SET", "k", "2")
    world.advance(1)
    client.ask("SET", "k", "3")
    client.ask("SET", "k", "4")
    world.advance(0.1)
    assert _value_after(world, "power_failure") == left


def test_what_is_done_after_a_power_failure_can_be_lost_in_the_next_one() -> None:
    world = new_world(config={"appendonly": "yes"})
    world.connect().ask("RPUSH", "jobs", "a")
    world.advance(2)
    world.connect().ask("RPUSH", "jobs", "lost")
    world.broker.power_failure(world.now_ns)
    world.connect().ask("RPUSH", "jobs", "b")
    world.advance(2)
    world.connect().ask("RPUSH", "jobs", "lost too")
    world.broker.power_failure(world.now_ns)
    assert world.connect().ask("LRANGE", "jobs", 0, -1) == [b"a", b"b"]


def test_a_long_log_is_begun_anew_and_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.brokers.redis.durability._REWRITE_AFTER", 50)
    world = new_world(config={"appendonly": "yes"})
    client = world.connect()
    for number in range(500):
        client.ask("RPUSH", "l", number)
        world.advance(0.01)
    assert len(world.broker.log._records) < 300
    world.advance(2)
    world.broker.power_failure(world.now_ns)
    assert world.connect().ask("LLEN", "l") == 500
