"""Random conversations with this broker and with a real Redis: every reply is equal, byte by byte.

The real one is started for these tests, since they delete whatever it holds. What the two are
known to differ in (which of two errors is told; see the README) is not asked here: arguments are of
the right kind, though keys may hold the wrong one.
"""

from __future__ import annotations

import socket
from random import Random

import pytest

from tests.brokers.redis.client import decode, new_world, request

STEPS = 150
_KEYS = ("k1", "k2", "k3")
_VALUES = ("a", "b", "1", "-5", "3.5", "")
#: In a template, K is a key, V a value, N a small number, C a count, S a score, I a stream id.
_TEMPLATES = """
RPUSH K V V|LPUSH K V|LPOP K|RPOP K C|LRANGE K N N|LLEN K|LINDEX K N|LINSERT K BEFORE V V
LREM K N V|LTRIM K N N|LMOVE K K LEFT RIGHT|LMOVE K K RIGHT LEFT|RPOPLPUSH K K|LPUSHX K V
LMPOP 2 K K LEFT COUNT C|ZADD K S V|ZADD K GT CH S V|ZRANGE K N N WITHSCORES
ZRANGEBYSCORE K S S WITHSCORES|ZREM K V|ZSCORE K V|ZINCRBY K S V|ZPOPMIN K|ZPOPMAX K C|ZCARD K
ZCOUNT K S S|ZRANK K V|ZREMRANGEBYRANK K N N|ZMSCORE K V V|ZUNIONSTORE K 2 K K
ZMPOP 2 K K MIN COUNT C|XADD K I f V|XADD K MAXLEN C I f V|XLEN K|XRANGE K - +|XRANGE K I I
XREVRANGE K + - COUNT C|XDEL K I|XTRIM K MAXLEN C|XGROUP CREATE K g I MKSTREAM
XREADGROUP GROUP g c STREAMS K >|XREADGROUP GROUP g d COUNT C STREAMS K >
XREADGROUP GROUP g c STREAMS K 0|XACK K g I|XPENDING K g|XREAD COUNT C STREAMS K I
XAUTOCLAIM K g d 0 I COUNT C|XINFO GROUPS K|SET K V|SET K V NX|SET K V XX GET|GET K|INCR K
APPEND K V|STRLEN K|GETDEL K|HSET K V V|HGET K V|HGETALL K|HDEL K V|HSETNX K V V|SADD K V V
SREM K V|SISMEMBER K V|SCARD K|SREM K V V|DEL K|DEL K|DEL K K K|TYPE K|EXPIRE K 100|EXPIRE K 0
TTL K|PERSIST K|COPY K K REPLACE|EXISTS K K|MULTI|EXEC|EXEC|DISCARD|WATCH K
"""
_LIST = [line.split() for line in _TEMPLATES.replace("\n", "|").split("|") if line]
_CHOICES = {
    "K": _KEYS,
    "V": _VALUES,
    "N": ("0", "1", "2", "-1", "-2", "5"),
    "C": ("1", "2", "5"),
    "S": ("1", "2.5", "-1", "inf", "0.1"),
    "I": ("1-1", "2-0", "2-1", "5"),
}


class Real:
    """A connection to the real one."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.settimeout(10)

    def feed(self, data: bytes) -> bytes:
        self._socket.sendall(data)
        out = b""
        while True:
            out += self._socket.recv(65536)
            try:
                if decode(out)[1] == b"" and out.endswith(b"\r\n"):
                    return out
            except (ValueError, IndexError):
                continue

    def close(self) -> None:
        self._socket.close()


@pytest.mark.live
@pytest.mark.parametrize("seed", range(40))
def test_a_random_conversation_is_the_same_as_with_redis(redis_port: int, seed: int) -> None:
    random = Random(seed)
    real, ours = Real(redis_port), new_world(version=(7, 0, 15)).connect()
    real.feed(request("FLUSHALL"))
    if seed % 2:
        real.feed(request("HELLO", 3))
        ours.feed(request("HELLO", 3))
    said = []
    try:
        for _ in range(STEPS):
            words = [random.choice(_CHOICES.get(w, (w,))) for w in random.choice(_LIST)]
            said.append(" ".join(words))
            there, here = real.feed(request(*words)), ours.feed(request(*words))
            assert here == there, "\n".join([f"seed {seed}, after:", *said])
    finally:
        real.close()
