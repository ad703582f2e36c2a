"""The short way of a command and the long way are the same: replies, data, and what others see."""

from __future__ import annotations

from random import Random

import pytest

from sandbox.brokers.redis.durability import take
from sandbox.brokers.redis.hot import HOT
from tests.brokers.redis.client import World, new_world, request
from tests.brokers.redis.saying import pick, templates

_TEMPLATES = templates(
    """
PING|GET T|GET L|SET T V|SET L V|SET T V EX 9
SET T V PX 1500|SET T V EX 0|XADD X MAXLEN ~ 5 * f V|SETEX T 3 V|MULTI|MULTI|EXEC|EXEC
INCR T|DECR T|INCRBY T N|INCRBY T C|INCR L|LPUSH L V V
RPUSH L V|LPOP L|RPOP L|LPOP L C|BLPOP L 1|BRPOP L M 1|LLEN L|LLEN T|HSET H V V|HSET H V V V V
HSET H V|HGET H V|HGET T V|SADD S V|SADD S V V|ZADD Z F V|ZADD Z 7 V|ZADD Z 007.50 V|ZADD Z NX 1 V
XADD X * f V|XADD X * f V g V|XADD X * f|XADD X I f V|XGROUP CREATE X g 0 MKSTREAM|XACK X g I
XREADGROUP GROUP g c COUNT 1 STREAMS X >|XREADGROUP GROUP g c STREAMS X >|DEL K|EXPIRE K 5
XREADGROUP GROUP g c BLOCK 5 STREAMS X >|XREADGROUP GROUP g c STREAMS X 0|HEXPIRE H 5 FIELDS 1 V
GET|SET T|INCR|LPOP|HGET H|XACK X g|get T|Get T|SET T 9223372036854775807|SET T -0|SET T 01
"""
)


def _pair() -> tuple[World, World]:
    short, long = new_world(), new_world()
    long.broker._is_special = lambda: True  # type: ignore[method-assign]
    return short, long


@pytest.mark.parametrize("seed", range(30))
def test_the_short_way_gives_what_the_long_way_gives(seed: int) -> None:
    random = Random(seed)
    worlds = _pair()
    talkers = [world.connect(2 + seed % 2) for world in worlds]
    watchers = [world.connect(2 + seed % 2) for world in worlds]
    said = []
    for _ in range(400):
        words = pick(random, _TEMPLATES)
        watched = random.choice(("list1", "text1", "stream1", "set1"))
        for watcher in watchers:
            watcher.ask("WATCH", watched)
        said.append(" ".join(words))
        replies = [talker.feed(request(*words)) for talker in talkers]
        assert replies[0] == replies[1], "\n".join([f"seed {seed}, after:", *said])
        ends = []
        for watcher in watchers:
            watcher.ask("MULTI")
            ends.append(watcher.ask("EXEC"))
        assert ends[0] == ends[1], "\n".join([f"seed {seed}, watching {watched}:", *said])
        step_s = random.choice((0, 0, 0, 0.001, 2))
        for world, talker in zip(worlds, talkers, strict=True):
            world.advance(step_s)
            if talker.side.session.waiting is not None:
                world.advance(1)
            talker.incoming = b""
    for talker in talkers:
        talker.feed(request("EXEC"))
    states = [take(world.broker.server) for world in worlds]
    assert states[0] == states[1]
    assert {n: c for n, c in worlds[0].broker.counts.items() if c} == worlds[1].broker.counts


def test_there_is_a_short_way_for_what_queues_are_made_of() -> None:
    assert {b"XADD", b"XREADGROUP", b"XACK", b"LPUSH", b"BRPOP", b"SET", b"GET"} <= set(HOT)
