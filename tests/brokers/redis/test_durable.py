"""What a broker tells to be kept rebuilds it, to the last consumer and the last millisecond."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from sandbox.brokers.redis.durability import take
from tests.brokers.redis.client import Client, World, new_world, request
from tests.brokers.redis.saying import EVERYTHING, pick, templates

#: Writes whose effect depends on time or on chance, or that are about many keys.
_PECULIAR = """
SPOP S|SPOP S C|XADD X * f V|SET T V EX E|SET T V PX 1500|EXPIRE K E|PEXPIRE K 900|GETEX T EX E
SETEX T E V|BLPOP L 1|BRPOP L M 1|BLMOVE L M LEFT RIGHT 1|BZPOPMIN Z 1|BLMPOP 1 1 L LEFT
XREADGROUP GROUP g c BLOCK 900 STREAMS X >|RENAME K K|SORT S ALPHA STORE L|MOVE K 1|SWAPDB 0 1
SELECT 1|SELECT 0|SELECT 0|HEXPIRE H E FIELDS 1 V|HPERSIST H FIELDS 1 V|HPEXPIRE H 700 FIELDS 1 V
PFADD hll V V|ZADD Z 5 m|BITOP OR T T T|SETBIT T 7 1|BITFIELD T SET u8 0 9
XAUTOCLAIM X g d 500 0|LINSERT L AFTER V V|FLUSHDB|COPY K K DB 1
"""
_ALL = templates(EVERYTHING + "|" + _PECULIAR + "|" + _PECULIAR)
_SCRIPT = "redis.call('rpush', KEYS[1], ARGV[1]) return redis.call('spop', 'set1')"


def _kept(**options: Any) -> tuple[World, list[Any]]:
    world = new_world(config={"appendonly": "yes"}, **options)
    records: list[Any] = []
    world.broker.keep = records.append
    return world, records


def _without_seen(snapshot: list[Any]) -> list[Any]:
    """A snapshot without when consumers were last seen: asking in vain is no write, as in Redis."""
    out = []
    for number, key, kind, plain, expireat in sorted(snapshot, key=lambda each: each[:2]):
        if kind == "stream":
            entries, ids, groups, nodes = plain
            groups = [
                [*g[:3], sorted([name, active] for name, _, active in g[3]), sorted(g[4])]
                for g in groups
            ]
            plain = [entries, ids, sorted(groups), nodes]
        if kind in ("set", "hash", "zset"):
            plain = sorted(plain)
        out.append([number, key, kind, plain, expireat])
    return out


def _again(world: World, records: list[Any]) -> list[Any]:
    other = new_world(config={"appendonly": "yes"})
    other.broker.restore(records, world.now_ns)
    return _without_seen(take(other.broker.server))


@pytest.mark.parametrize("seed", range(30))
def test_the_records_of_a_random_conversation_rebuild_the_data(seed: int) -> None:
    random = Random(seed)
    world, records = _kept()
    clients: list[Client] = [world.connect() for _ in range(3)]
    said = []
    for step in range(400):
        words = pick(random, _ALL)
        if step % 50 == 49:
            words = ["EVAL", _SCRIPT, "1", "list1", str(step)]
        client = random.choice(clients)
        said.append(f"{client.peer} {' '.join(words)}")
        client.feed(request(*words))
        if random.random() < 0.2:
            world.advance(random.choice((0.001, 0.4, 1.2)))
        if step % 80 == 79:
            world.advance(0)
            with world.broker.acting(world.now_ns):
                now = _without_seen(take(world.broker.server))
            assert _again(world, records) == now, "\n".join([f"seed {seed}, after:", *said])
            # A snapshot of this moment stands for all records until now.
            snapshot = list(world.broker.snapshot())
            assert _again(world, snapshot) == now
            if random.random() < 0.5:
                records[:] = snapshot


def test_a_transaction_is_one_record_and_a_script_too() -> None:
    world, records = _kept()
    client = world.connect()
    for words in (("MULTI",), ("SET", "a", "1"), ("INCR", "a"), ("GET", "a"), ("EXEC",)):
        client.ask(*words)
    client.ask("EVAL", "redis.call('set', 'b', 1) redis.call('set', 'c', 2)", 0)
    assert [record[2] for record in records] == [
        [[0, b"set", b"a", b"1"], [0, b"incr", b"a"]],
        [[0, b"set", b"b", b"1"], [0, b"set", b"c", b"2"]],
    ]


def test_what_is_kept_is_told_before_the_reply_can_be_taken() -> None:
    world, records = _kept()
    side = world.connect().side
    side.receive_data(request("SET", "k", "v"), world.now_ns)
    assert len(records) == 1
    assert side.data_to_send() == b"+OK\r\n"


def test_reading_and_failing_tell_nothing() -> None:
    world, records = _kept()
    client = world.connect()
    for words in (("GET", "k"), ("LPOP", "k"), ("DEL", "k"), ("XACK", "s", "g", "1-1"), ("NO",)):
        client.ask(*words)
    assert records == []


def test_without_the_log_a_snapshot_is_kept_and_nothing_between() -> None:
    world = new_world()
    records: list[Any] = []
    world.broker.keep = records.append
    client = world.connect()
    client.ask("SET", "k", "saved")
    assert records == []
    client.ask("SAVE")
    client.ask("SET", "k", "new")
    assert _again(world, records) == [[0, b"k", "string", b"saved", None]]
    assert list(world.broker.snapshot()) == records


def test_a_snapshot_of_which_the_end_is_missing_does_not_count() -> None:
    world = new_world()
    records: list[Any] = []
    world.broker.keep = records.append
    client = world.connect()
    client.ask("SET", "k", "1")
    client.ask("SAVE")
    client.ask("SET", "k", "2")
    client.ask("SAVE")
    assert _again(world, records[:-1]) == [[0, b"k", "string", b"1", None]]


def test_settings_outlive_the_process() -> None:
    world = new_world()
    records: list[Any] = []
    world.broker.keep = records.append
    client = world.connect()
    client.ask("CONFIG", "SET", "appendonly", "yes", "maxmemory", "10mb")
    client.ask("SET", "k", "v")
    other = new_world()
    other.broker.restore(records, world.now_ns)
    again = other.connect()
    assert again.ask("CONFIG", "GET", "appendonly") == [b"appendonly", b"yes"]
    assert again.ask("GET", "k") == b"v"
    assert other.broker.settings.maxmemory == 10 * 1024**2


def test_a_key_that_expired_while_nobody_ran_is_gone() -> None:
    world, records = _kept()
    world.connect().ask("SET", "k", "v", "EX", 5)
    world.now_ns += 6_000_000_000
    assert _again(world, records) == []


@pytest.mark.parametrize(
    "record", [["what", 1], ["do", 1], ["key", 0, b"k", "string", b"v", None], ["snapshot", 99], []]
)
def test_a_record_nobody_knows_is_named(record: list[Any]) -> None:
    with pytest.raises(ValueError, match="Redis cannot restore this record"):
        new_world().broker.restore([record], 0)
