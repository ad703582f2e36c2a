"""Random conversations with this broker and with a real Redis: every reply is equal, byte by byte.

The real one is started for these tests, since they delete whatever it holds. What the two are
known to differ in (which of two errors is told; see the README) is not asked here: arguments are of
the right kind, though keys may hold the wrong one.
"""

from __future__ import annotations

import re
import socket
from random import Random

import pytest

from tests.brokers.redis.client import Client, World, decode, new_world, request
from tests.brokers.redis.saying import EVERYTHING, WAITING, pick, templates

STEPS = 250
#: The version of the real one; what came later is not asked.
VERSION = (7, 0, 15)
#: Replies in an order that is the real one's own.
_UNORDERED = frozenset(("SMEMBERS", "SINTER", "SUNION", "SDIFF"))
_ALL = templates(EVERYTHING)
_WAITING = templates(WAITING)


class Real:
    """A connection to the real one."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.settimeout(30)

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def feed(self, data: bytes) -> bytes:
        self.send(data)
        out = b""
        while True:
            out += self._socket.recv(65536)
            try:
                if decode(out)[1] == b"" and out.endswith(b"\r\n"):
                    return out
            except (ValueError, IndexError):
                continue

    def arrived(self) -> bytes:
        """What is there now."""
        out = b""
        self._socket.setblocking(False)
        try:
            while data := self._socket.recv(65536):
                out += data
        except BlockingIOError:
            pass
        self._socket.settimeout(30)
        return out

    def close(self) -> None:
        self._socket.close()


def _ordered(word: str, data: bytes) -> bytes:
    if word not in _UNORDERED or data[:1] not in b"*~":
        return data
    head, _, rest = data.partition(b"\r\n")
    members = rest.split(b"\r\n")
    pairs = sorted(zip(members[::2], members[1::2], strict=False))
    return head + b"".join(b"".join(pair) for pair in pairs)


@pytest.mark.live
@pytest.mark.parametrize("seed", range(60))
def test_a_random_conversation_is_the_same_as_with_redis(redis_port: int, seed: int) -> None:
    random = Random(seed)
    real, ours = Real(redis_port), new_world(version=VERSION).connect()
    real.feed(request("FLUSHALL"))
    if seed % 2:
        real.feed(request("HELLO", 3))
        ours.feed(request("HELLO", 3))
    said = []
    try:
        for _ in range(STEPS):
            words = pick(random, _ALL)
            if words[0] in _UNORDERED and ours.side.session._transaction is not None:
                continue  # what EXEC gives is not put in order
            said.append(" ".join(words))
            there, here = real.feed(request(*words)), ours.feed(request(*words))
            if there.startswith(b"-") and here.startswith(b"-") and _either(there, here):
                continue
            if words[0] == "EXEC":
                there, here = _without_texts(there), _without_texts(here)
            assert _ordered(words[0], here) == _ordered(words[0], there), "\n".join(
                [f"seed {seed}, after:", *said]
            )
    finally:
        real.close()


def _without_texts(data: bytes) -> bytes:
    """A reply of EXEC without the texts of errors, of which two may apply."""
    return re.sub(rb"^-[^\r]*", b"-", data, flags=re.MULTILINE)


def _either(there: bytes, here: bytes) -> bool:
    """Whether of two errors that both apply one told the one and the other the other."""
    return (b"WRONGTYPE" in there) != (b"WRONGTYPE" in here)


class Table:
    """Several clients at both servers, and one at the real one that says when all is quiet."""

    def __init__(self, port: int, count: int) -> None:
        self.control = Real(port)
        self.control.feed(request("FLUSHALL"))
        self.real = [Real(port) for _ in range(count)]
        self.world: World = new_world(version=VERSION)
        self.ours: list[Client] = [self.world.connect() for _ in range(count)]
        for real, ours in zip(self.real, self.ours, strict=True):
            real.feed(request("PING"))
            ours.feed(request("PING"))

    def say(self, at: int, words: list[str]) -> list[tuple[bytes, bytes]]:
        """Let a client say something; what came to every client, from the real one and ours."""
        data = request(*words)
        self.real[at].send(data)
        # It answers the second question once all that the first one set going was sent.
        self.control.feed(request("PING"))
        self.control.feed(request("PING"))
        self.ours[at].side.receive_data(data, self.world.now_ns)
        self.world.carry()
        pairs = []
        for real, ours in zip(self.real, self.ours, strict=True):
            pairs.append((real.arrived(), ours.incoming))
            ours.incoming = b""
        return pairs

    def waits(self, at: int) -> bool:
        return self.ours[at].side.session.waiting is not None

    def close(self) -> None:
        for real in [self.control, *self.real]:
            real.close()


@pytest.mark.live
@pytest.mark.parametrize("seed", range(30))
def test_clients_that_wait_listen_and_watch_get_the_same_as_with_redis(
    redis_port: int, seed: int
) -> None:
    random = Random(1000 + seed)
    table = Table(redis_port, 5)
    said = []
    flags = random.choice(("", "KEA", "Kl", "Eglx$z"))
    try:
        listener = table.say(4, ["CONFIG", "SET", "notify-keyspace-events", flags])
        listener = table.say(4, ["PSUBSCRIBE", "*"])
        assert listener[4][0] == listener[4][1]
        for _ in range(STEPS):
            free = [at for at in range(4) if not table.waits(at)]
            if free and random.random() < 0.9:
                at, words = random.choice(free), pick(random, _WAITING)
            elif free and len(free) < 4:
                blocked = next(at for at in range(4) if at not in free)
                number = table.ours[blocked].side.session.id
                how = random.choice(("TIMEOUT", "ERROR"))
                at, words = free[0], ["CLIENT", "UNBLOCK", str(number), how]
                said.append(f"{at}: unblock {blocked} {how}")
                real_id = _id_of(table, blocked)
                pairs = _unblock(table, at, real_id, number, how)
                for number_, (there, here) in enumerate(pairs):
                    assert here == there, "\n".join([f"seed {seed}, to {number_} after:", *said])
                continue
            else:
                at, words = 0, ["PING"]
                if table.waits(0):
                    break
            said.append(f"{at}: {' '.join(words)}")
            for number_, (there, here) in enumerate(table.say(at, words)):
                if there.startswith(b"-") and here.startswith(b"-") and _either(there, here):
                    continue
                if words[0] == "EXEC":
                    there, here = _without_texts(there), _without_texts(here)
                assert here == there, "\n".join([f"seed {seed}, to {number_} after:", *said])
    finally:
        table.control.feed(request("CONFIG", "SET", "notify-keyspace-events", ""))
        table.close()


def _id_of(table: Table, at: int) -> int:
    """The number that the real server gave a client, found by the port it comes from."""
    port = table.real[at]._socket.getsockname()[1]
    listed = table.control.feed(request("CLIENT", "LIST")).decode()
    line = next(line for line in listed.splitlines() if f"addr=127.0.0.1:{port} " in line)
    return int(line.split("id=")[1].split(" ")[0])


def _unblock(
    table: Table, at: int, real_id: int, our_id: int, how: str
) -> list[tuple[bytes, bytes]]:
    table.real[at].send(request("CLIENT", "UNBLOCK", real_id, how))
    table.control.feed(request("PING"))
    table.control.feed(request("PING"))
    table.ours[at].side.receive_data(request("CLIENT", "UNBLOCK", our_id, how), table.world.now_ns)
    table.world.carry()
    pairs = []
    for real, ours in zip(table.real, table.ours, strict=True):
        pairs.append((real.arrived(), ours.incoming))
        ours.incoming = b""
    return pairs
