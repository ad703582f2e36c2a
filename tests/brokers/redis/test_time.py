"""Virtual time: every expiry, to the millisecond, and nothing of the machine's clock."""

from __future__ import annotations

from sandbox.brokers.redis.broker import EPOCH_NS
from tests.brokers.redis.client import NOTHING, Client, World


def test_a_key_lives_through_its_last_millisecond_and_not_the_next(
    world: World, client: Client
) -> None:
    client.ask("SET", "k", "v", "PX", 1500)
    world.advance(1.5)
    assert client.ask("GET", "k") == b"v"
    world.advance(0.001)
    assert client.ask("GET", "k") is None
    assert world.of_kind("key.expire") == [{"connection": None, "database": 0, "key": b"k"}]


def test_ttl_counts_down_with_the_worlds_clock(world: World, client: Client) -> None:
    client.ask("SET", "k", "v", "EX", 100)
    world.advance(40)
    assert client.ask("TTL", "k") == 60
    assert client.ask("PTTL", "k") == 60_000


def test_stream_ids_are_the_worlds_time_in_milliseconds(world: World, client: Client) -> None:
    for _ in range(50):
        world.advance(0.001)
        now_ms = (EPOCH_NS + world.now_ns) // 1_000_000
        assert client.ask("XADD", "s", "*", "a", "1") == b"%d-0" % now_ms


def test_time_says_what_the_worlds_clock_says(world: World, client: Client) -> None:
    world.advance(1.25)
    assert client.ask("TIME") == [b"%d" % (EPOCH_NS // 10**9 + 1), b"250000"]


def test_an_expiry_is_announced_to_who_asked_for_it(world: World, client: Client) -> None:
    client.ask("CONFIG", "SET", "notify-keyspace-events", "Ex")
    listener = world.connect()
    listener.ask("SUBSCRIBE", "__keyevent@0__:expired")
    client.ask("SET", "k", "v", "PX", 100)
    assert world.broker.next_event_timer() is not None
    world.advance(0.2)
    assert listener.next() == [b"message", b"__keyevent@0__:expired", b"k"]


def test_a_watched_key_that_expires_fails_the_transaction(world: World, client: Client) -> None:
    client.ask("SET", "k", "v", "PX", 100)
    client.ask("WATCH", "k")
    world.advance(0.2)
    client.ask("MULTI")
    client.ask("SET", "other", "1")
    assert client.ask("EXEC") is None
    assert client.ask("GET", "other") is None


def test_an_expiry_nobody_listens_to_keeps_no_world_awake(world: World, client: Client) -> None:
    client.ask("SET", "k", "v", "EX", 3600)
    assert world.broker.next_timer() is not None
    assert world.broker.next_event_timer() is None


def test_idle_time_of_pending_entries_is_virtual(world: World, client: Client) -> None:
    client.ask("XADD", "s", "1-0", "n", "1")
    client.ask("XGROUP", "CREATE", "s", "g", "0")
    client.ask("XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">")
    world.advance(30)
    assert client.ask("XPENDING", "s", "g", "-", "+", 10) == [[b"1-0", b"c", 30_000, 1]]
    assert client.ask("XAUTOCLAIM", "s", "g", "d", 30_001, "0") == [b"0-0", [], []]
    claimed = client.ask("XAUTOCLAIM", "s", "g", "d", 30_000, "0")
    assert claimed == [b"0-0", [[b"1-0", [b"n", b"1"]]], []]


def test_a_wait_that_nobody_ends_makes_no_timer(world: World, client: Client) -> None:
    assert client.ask("BLPOP", "jobs", 0) is NOTHING
    assert world.broker.next_timer() is None
