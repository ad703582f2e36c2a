"""A client without a socket, and a world for it: words in, replies out as plain Python."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

from sandbox.brokers.redis import Broker

SECOND_NS = 1_000_000_000


@dataclass
class World:
    """A broker, its clock, its trace, and everybody connected to it."""

    broker: Broker
    events: list[tuple[str, dict[str, Any]]]
    now_ns: int = 0
    clients: list[Client] = field(default_factory=list)

    def connect(self, resp: int = 2) -> Client:
        """Make a client that speaks RESP2 or RESP3."""
        client = Client(self, f"client-{len(self.clients) + 1}:1")
        self.clients.append(client)
        if resp == 3:
            client.ask("HELLO", 3)
        return client

    def advance(self, seconds: float) -> None:
        """Let time pass, with all timers at their time."""
        end_ns = self.now_ns + round(seconds * SECOND_NS)
        while (due := self.broker.next_timer()) is not None and due <= end_ns:
            self.now_ns = max(self.now_ns, due)
            self.broker.handle_timer(self.now_ns)
            self.carry()
        self.now_ns = end_ns

    def carry(self) -> None:
        """Give every client what the broker has for it."""
        sides = {id(client.side): client for client in self.clients}
        for side in self.broker.take_writable():
            sides[id(side)].incoming += side.data_to_send()

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        """The fields of all events of a kind."""
        return [fields for found, fields in self.events if found == kind]


def new_world(**options: Any) -> World:
    """A broker nobody is connected to, with its trace kept."""
    events: list[tuple[str, dict[str, Any]]] = []
    broker = Broker(random=Random(1), observe=lambda k, f: events.append((k, dict(f))), **options)
    return World(broker, events)


class Failure(str):
    """An error reply."""


def request(*words: Any) -> bytes:
    """A request as RESP has it."""
    fields = [w if isinstance(w, bytes) else str(w).encode() for w in words]
    return b"*%d\r\n" % len(fields) + b"".join(b"$%d\r\n%b\r\n" % (len(f), f) for f in fields)


class Client:
    """One connection, from the client's end."""

    def __init__(self, world: World, peer: str) -> None:
        self.world = world
        self.peer = peer
        self.side = world.broker.connect(peer, world.now_ns)
        self.incoming = b""

    def feed(self, data: bytes) -> bytes:
        """Send bytes; return the bytes that came back."""
        self.side.receive_data(data, self.world.now_ns)
        self.world.carry()
        data, self.incoming = self.incoming, b""
        return data

    def ask(self, *words: Any) -> Any:
        """Send a request and return the reply, or None if it waits."""
        self.side.receive_data(request(*words), self.world.now_ns)
        self.world.carry()
        return self.next()

    def next(self) -> Any:
        """The next reply or message that came."""
        if not self.incoming:
            return NOTHING
        value, self.incoming = decode(self.incoming)
        return value

    def lose(self) -> None:
        """Break the connection."""
        self.side.connection_lost(self.world.now_ns)
        self.world.carry()


class _Nothing:
    def __repr__(self) -> str:
        return "NOTHING"


NOTHING = _Nothing()


def decode(data: bytes) -> tuple[Any, bytes]:
    """One value, and what follows it."""
    line, rest = data.split(b"\r\n", 1)
    kind, text = line[:1], line[1:]
    if kind == b"+":
        return text.decode(), rest
    if kind == b"-":
        return Failure(text.decode()), rest
    if kind in b":(":
        return int(text), rest
    if kind == b",":
        return float(text), rest
    if kind == b"#":
        return text == b"t", rest
    if kind == b"_" or text == b"-1":
        return None, rest
    if kind in b"$=":
        size = int(text)
        return rest[4 * (kind == b"=") : size], rest[size + 2 :]
    count = int(text) * (2 if kind == b"%" else 1)
    items = []
    for _ in range(count):
        item, rest = decode(rest)
        items.append(item)
    if kind == b"%":
        return dict(zip(items[::2], items[1::2], strict=True)), rest
    if kind == b">":
        return ("push", *items), rest
    if kind == b"~":
        return {"set": items}, rest
    return items, rest
