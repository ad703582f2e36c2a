"""A client without a socket: methods in, methods out, so that a test reads like a conversation.

`ask` sends a method and returns what the broker said to it on that channel, decoded:

    client.ask(Queue.Declare(queue="orders"))   ->  [Queue.DeclareOk]

Content comes as a `Content`, with the method that carried it. Nothing here knows how the broker
works inside; it only carries bytes, as the world or a TCP server would.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

from pamqp import commands, common, frame, header
from pamqp.commands import Basic, Channel, Connection, Queue

from sandbox.brokers.amqp import Broker
from sandbox.brokers.amqp.connection import Connection as ServerSide
from sandbox.brokers.amqp.properties import decode_properties

PROTOCOL_HEADER = b"AMQP\x00\x00\x09\x01"
SECOND_NS = 1_000_000_000
CAPABILITIES = {
    "authentication_failure_close": True,
    "basic.nack": True,
    "connection.blocked": True,
    "consumer_cancel_notify": True,
    "publisher_confirms": True,
}


@dataclass
class Content:
    """A delivery, a get-ok or a return, with its message."""

    method: Any
    properties: dict[str, Any] = field(default_factory=dict)
    body: bytes = b""
    size: int = 0
    frames: int = 0


@dataclass
class World:
    """A broker, its clock, its trace, and everybody connected to it."""

    broker: Broker
    events: list[tuple[str, dict[str, Any]]]
    now_ns: int = 0
    clients: list[Client] = field(default_factory=list)

    def connect(self, **options: Any) -> Client:
        """Make a client that is through the handshake and has channel 1 open."""
        client = Client(self, f"client-{len(self.clients) + 1}")
        self.clients.append(client)
        client.shake_hands(**options)
        return client

    def raw(self) -> Client:
        """Make a client that has said nothing yet."""
        client = Client(self, f"client-{len(self.clients) + 1}")
        self.clients.append(client)
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

    def kinds(self, *wanted: str) -> list[str]:
        """The kinds of all events so far, or of those wanted."""
        return [kind for kind, _ in self.events if not wanted or kind in wanted]

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        """The fields of all events of a kind."""
        return [fields for found, fields in self.events if found == kind]


def new_world(**options: Any) -> World:
    """A broker nobody is connected to, with its trace kept."""
    events: list[tuple[str, dict[str, Any]]] = []

    def observe(kind: str, fields: Any) -> None:
        events.append((kind, dict(fields)))

    return World(Broker(random=Random(1), observe=observe, **options), events)


class Client:
    """One connection, from the client's end."""

    def __init__(self, world: World, peer: str) -> None:
        self.world = world
        self.side: ServerSide = world.broker.connect(peer, world.now_ns)
        self.incoming = b""
        self.heartbeats = 0

    # -- sending -------------------------------------------------------------------------------

    def shake_hands(
        self,
        *,
        user: str = "guest",
        password: str = "guest",
        vhost: str = "/",
        capabilities: common.FieldTable | None = None,
        channel_max: int = 2047,
        frame_max: int = 131072,
        heartbeat: int = 0,
    ) -> None:
        """Everything up to an open channel 1."""
        capabilities = CAPABILITIES if capabilities is None else capabilities
        self.feed(PROTOCOL_HEADER)
        self.send(
            Connection.StartOk(
                {"capabilities": capabilities, "product": "tests"},
                "PLAIN",
                f"\0{user}\0{password}",
                "en_US",
            ),
            0,
        )
        self.send(Connection.TuneOk(channel_max, frame_max, heartbeat), 0)
        self.send(Connection.Open(vhost), 0)
        self.send(Channel.Open(), 1)
        self.incoming = b""

    def feed(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.side.receive_data(data, self.world.now_ns)
        self.world.carry()

    def send(self, method: Any, channel: int = 1) -> None:
        """Send a method."""
        self.feed(marshal(method, channel))

    def publish(
        self,
        body: bytes = b"x",
        *,
        queue: str = "",
        exchange: str = "",
        mandatory: bool = False,
        channel: int = 1,
        **properties: Any,
    ) -> None:
        """Publish to a routing key (`queue`, by the default exchange)."""
        self.feed(
            published(
                body,
                queue=queue,
                exchange=exchange,
                mandatory=mandatory,
                channel=channel,
                **properties,
            )
        )

    # -- receiving -----------------------------------------------------------------------------

    def received(self, channel: int | None = None) -> list[Any]:
        """Everything the broker said since the last call, content put together."""
        frames, self.incoming = unmarshal(self.incoming)
        heard: list[Any] = []
        open_content: dict[int, Content] = {}
        for number, what in frames:
            if what == "heartbeat":
                self.heartbeats += 1
            elif channel is not None and number != channel:
                continue
            elif isinstance(what, tuple):
                content = open_content[number]
                kind, payload = what
                if kind == 2:
                    content.properties = decode_properties(payload)
                    content.size = int.from_bytes(payload[4:12], "big")
                else:
                    content.body += payload
                    content.frames += 1
            elif isinstance(what, Basic.Deliver | Basic.GetOk | Basic.Return):
                open_content[number] = Content(what)
                heard.append(open_content[number])
            else:
                heard.append(what)
        return heard

    def ask(self, method: Any, channel: int = 1) -> Any:
        """Send a method and return the one thing the broker answers, or None."""
        self.received()
        self.send(method, channel)
        heard = self.received()
        return heard[0] if heard else None

    def asked(self, method: Any, channel: int = 1) -> list[Any]:
        """Send a method and return everything the broker says to it."""
        self.received()
        self.send(method, channel)
        return self.received()

    def declare(self, queue: str = "", **options: Any) -> Queue.DeclareOk:
        """Declare a queue that the broker must accept."""
        reply = self.ask(blank(Queue.Declare, queue=queue, **options))
        assert isinstance(reply, Queue.DeclareOk), reply
        return reply

    def get(self, queue: str, *, no_ack: bool = False, channel: int = 1) -> Content | None:
        """Get one message, or None."""
        reply = self.ask(blank(Basic.Get, queue=queue, no_ack=no_ack), channel)
        return reply if isinstance(reply, Content) else None

    def consume(self, queue: str, tag: str = "c", channel: int = 1, **options: Any) -> None:
        """Start a consumer that the broker must accept; leaves deliveries to be received."""
        self.received()
        self.send(blank(Basic.Consume, queue=queue, consumer_tag=tag, **options), channel)
        frames, _ = unmarshal(self.incoming)
        assert isinstance(frames[0][1], Basic.ConsumeOk), frames
        self.incoming = self.incoming[len(marshal(frames[0][1], channel)) :]

    def bodies(self) -> list[bytes]:
        """The bodies of what was delivered since the last call."""
        return [content.body for content in self.received() if isinstance(content, Content)]


def blank(kind: Any, **fields: Any) -> Any:
    """Make a method with pamqp's defaults, without the checks its constructor makes."""
    method = kind()
    for name, value in fields.items():
        setattr(method, name, value)
    return method


def marshal(method: Any, channel: int) -> bytes:
    """A method's frame, without pamqp's checks of names."""
    kind = type(method)
    check, kind.validate = kind.validate, lambda self: None
    try:
        return frame.marshal(method, channel)
    finally:
        kind.validate = check


def published(
    body: bytes = b"x",
    *,
    queue: str = "",
    exchange: str = "",
    mandatory: bool = False,
    channel: int = 1,
    frame_max: int = 131072,
    **properties: Any,
) -> bytes:
    """The frames of a publish."""
    method = blank(Basic.Publish, exchange=exchange, routing_key=queue, mandatory=mandatory)
    head = header.ContentHeader(0, len(body), Basic.Properties(**properties))
    frames = [marshal(method, channel), frame.marshal(head, channel)]
    most = frame_max - 8
    for start in range(0, len(body), most):
        frames.append(raw_frame(3, channel, body[start : start + most]))
    return b"".join(frames)


def raw_frame(kind: int, channel: int, payload: bytes) -> bytes:
    """Any frame at all."""
    return (
        bytes((kind,))
        + channel.to_bytes(2, "big")
        + len(payload).to_bytes(4, "big")
        + payload
        + b"\xce"
    )


def unmarshal(data: bytes) -> tuple[list[tuple[int, Any]], bytes]:
    """Cut what the broker sent into `(channel, method or (kind, payload) or "heartbeat")`."""
    found: list[tuple[int, Any]] = []
    if data[:4] == b"AMQP":
        found.append((0, data[:8]))
        data = data[8:]
    while data:
        kind, channel = data[0], int.from_bytes(data[1:3], "big")
        end = 7 + int.from_bytes(data[3:7], "big")
        assert data[end] == 0xCE, f"the broker sent a frame without an end: {data!r}"
        payload, data, whole = data[7:end], data[end + 1 :], data[: end + 1]
        if kind == 1:
            found.append((channel, frame.unmarshal(whole)[2]))
        elif kind == 8:
            found.append((channel, "heartbeat"))
        else:
            found.append((channel, (kind, payload)))
    return found, data


def is_close(reply: Any, code: int, text: str) -> None:
    """Check that the reply closes a channel or connection with exactly this code and text."""
    assert isinstance(reply, Channel.Close | Connection.Close), reply
    assert (reply.reply_code, reply.reply_text) == (code, text)


def closes_connection(reply: Any) -> bool:
    """True for a connection exception, False for a channel exception."""
    return isinstance(reply, commands.Connection.Close)
