"""Memory that has an end: who is refused, who has to go, and what tools are told."""

from __future__ import annotations

import pytest

from sandbox.brokers.redis.memory import EMPTY_BYTES, used_bytes
from tests.brokers.redis.client import Client, World, new_world

ROOM = 50_000


def _small(policy: str, **options: str) -> tuple[World, Client]:
    limit = str(EMPTY_BYTES + ROOM)
    world = new_world(config={"maxmemory": limit, "maxmemory-policy": policy, **options})
    return world, world.connect()


def test_without_eviction_a_write_is_refused_and_a_read_is_not() -> None:
    _, client = _small("noeviction")
    for number in range(100):
        reply = client.ask("SET", f"k{number}", "x" * 1000)
        if reply != "OK":
            break
    assert reply == "OOM command not allowed when used memory > 'maxmemory'."
    assert client.ask("GET", "k0") == b"x" * 1000
    assert client.ask("DEL", "k0", "k1") == 2
    assert client.ask("SET", "k0", "y") == "OK"


def test_what_was_not_used_longest_goes_first() -> None:
    world, client = _small("allkeys-lru")
    client.ask("SET", "dear", "x" * 1000)
    for number in range(200):
        world.advance(0.01)
        client.ask("GET", "dear")
        assert client.ask("SET", f"k{number}", "x" * 1000) == "OK"
    assert client.ask("EXISTS", "dear", "k199", "k0") == 2
    assert used_bytes(world.broker) <= EMPTY_BYTES + ROOM + 2000
    assert world.of_kind("key.evict")[0]["key"] == b"k0"


@pytest.mark.parametrize("policy", ["volatile-lru", "volatile-ttl", "volatile-random"])
def test_volatile_policies_let_only_what_expires_go(policy: str) -> None:
    _, client = _small(policy)
    client.ask("SET", "kept", "x" * 1000)
    replies = [client.ask("SET", f"k{n}", "x" * 1000, "EX", 100 + n) for n in range(100)]
    assert set(replies) == {"OK"}
    assert client.ask("GET", "kept") == b"x" * 1000
    if policy == "volatile-ttl":
        assert client.ask("EXISTS", "k0", "k99") == 1
    refused = [client.ask("SET", f"forever{n}", "x" * 1000) for n in range(100)]
    assert refused[-1].startswith("OOM")


def test_what_was_evicted_is_gone_from_the_log_too() -> None:
    world, client = _small("allkeys-lru", appendonly="yes")
    records: list[object] = []
    world.broker.keep = records.append
    for number in range(80):
        world.advance(0.01)
        client.ask("SET", f"k{number}", "x" * 1000)
    left = client.ask("DBSIZE")
    other = new_world()
    other.broker.restore(records, world.now_ns)  # type: ignore[arg-type]
    assert other.connect().ask("DBSIZE") == left < 80


def test_idle_time_is_virtual_and_looking_at_it_is_no_use(world: World, client: Client) -> None:
    client.ask("SET", "k", "v")
    world.advance(30)
    assert client.ask("OBJECT", "IDLETIME", "k") == 30
    assert client.ask("TTL", "k") == -1
    assert client.ask("OBJECT", "IDLETIME", "k") == 30
    client.ask("CLIENT", "NO-TOUCH", "ON")
    client.ask("GET", "k")
    assert client.ask("OBJECT", "IDLETIME", "k") == 30
    client.ask("CLIENT", "NO-TOUCH", "OFF")
    client.ask("TOUCH", "k")
    assert client.ask("OBJECT", "IDLETIME", "k") == 0
    assert client.ask("OBJECT", "FREQ", "k").startswith("ERR An LFU maxmemory policy is not")


def test_a_subscriber_that_takes_nothing_is_cut_off() -> None:
    world = new_world(config={"client-output-buffer-limit": "pubsub 10000 0 0"})
    slow, client = world.connect(), world.connect()
    slow.ask("SUBSCRIBE", "news")
    for _ in range(20):
        client.side.broker.execute("PUBLISH", "news", "x" * 1000, now_ns=world.now_ns)
    assert slow.side.closing
    assert world.of_kind("connection.overflow") == [{"connection": slow.peer}]
    assert client.ask("PUBLISH", "news", "x") == 0


def test_more_clients_than_there_may_be_are_turned_away() -> None:
    world = new_world(config={"maxclients": "1"})
    first, second = world.connect(), world.connect()
    world.carry()
    assert second.next() == "ERR max number of clients reached"
    assert second.side.closing
    assert first.ask("PING") == "PONG"
