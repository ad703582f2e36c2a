"""What a parity scenario acts on: clients of one server, and a transcript of what they saw.

A scenario is written once, packet by packet, and played on the sandbox's broker (`Ours`) and on a
real Mosquitto (`Theirs`). After every act everything it caused is collected from all clients, so
two servers are alike where the transcripts are equal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from random import Random
from typing import Any, Protocol

from sandbox.brokers.mqtt import Broker
from tests.brokers.mqtt import packets
from tests.brokers.mqtt.packets import Packet
from tests.parity.mqtt.mosquitto import Mosquitto, TcpWire

Scenario = Callable[["Stage"], None]
SCENARIOS: dict[str, Scenario] = {}


def scenario(play: Scenario) -> Scenario:
    """Register a scenario under its function's name."""
    assert play.__name__ not in SCENARIOS
    SCENARIOS[play.__name__] = play
    return play


class Wire(Protocol):
    """A connection to either server."""

    version: int
    closed: bool

    def send(self, data: bytes) -> None: ...
    def lose(self) -> None: ...
    def flush(self) -> list[Packet]: ...
    def close(self) -> None: ...


class Server(Protocol):
    """Either server."""

    def open(self, version: int) -> Wire: ...
    def restart(self) -> None: ...


class Theirs:
    """A real Mosquitto."""

    def __init__(self, mosquitto: Mosquitto) -> None:
        self._mosquitto = mosquitto

    def open(self, version: int) -> Wire:
        return TcpWire(self._mosquitto.port, version)

    def restart(self) -> None:
        self._mosquitto.restart()


class Ours:
    """The sandbox's broker."""

    def __init__(self) -> None:
        self.broker = Broker(random=Random(1))
        self.wires: dict[int, MemoryWire] = {}

    def open(self, version: int) -> Wire:
        wire = MemoryWire(self, version)
        self.wires[id(wire.side)] = wire
        return wire

    def restart(self) -> None:
        self.broker.restart(0)
        self.carry()

    def carry(self) -> None:
        for side in self.broker.take_writable():
            wire = self.wires[id(side)]
            wire.buffer += side.data_to_send()
            wire.closed = wire.closed or side.closing


class MemoryWire:
    """One connection to the sandbox's broker."""

    def __init__(self, server: Ours, version: int) -> None:
        self.version = version
        self.closed = False
        self.buffer = b""
        self.side = server.broker.connect("parity", 0)
        self._server = server

    def send(self, data: bytes) -> None:
        self.side.receive_data(data, 0)
        self._server.carry()

    def lose(self) -> None:
        self.side.connection_lost(0)
        self._server.carry()
        self.buffer = b""
        self.closed = True

    def close(self) -> None:
        self.lose()

    def flush(self) -> list[Packet]:
        if not self.closed:
            self.send(packets.PINGREQ)
        found: list[Packet] = []
        while self.buffer:
            packet, self.buffer = packets.decode(self.buffer, self.version)
            assert packet is not None
            if packet.kind != "PINGRESP":
                found.append(packet)
        return found


class Actor:
    """One client, under a name, with one connection at a time."""

    def __init__(self, stage: Stage, name: str, version: int) -> None:
        self.stage = stage
        self.name = name
        self.version = version
        self.wire: Wire | None = None
        #: Deliveries that it has not settled: packet id and what to answer next.
        self.unsettled: list[tuple[int, str]] = []
        #: Packet ids of QoS 2 messages that it has not released.
        self.unreleased: list[int] = []
        self.has_will = False
        self.last_id = 100

    @property
    def connected(self) -> bool:
        return self.wire is not None and not self.wire.closed

    def connect(self, **options: Any) -> None:
        """Connect, leaving an older connection open for the server to close."""
        if self.wire is not None:
            self.stage.old_wires.append((f"{self.name} before", self.wire))
        self.wire = self.stage.server.open(self.version)
        self.unsettled.clear()
        self.has_will = options.get("will") is not None
        self.send(packets.connect(self.name, self.version, **options))

    def send(self, data: bytes) -> None:
        """Send bytes and see what came of it."""
        assert self.wire is not None
        self.wire.send(data)
        self.stage.settle(self)

    def lose(self) -> None:
        """Break the connection."""
        assert self.wire is not None
        self.wire.lose()
        self.stage.settle(self)

    def next_id(self) -> int:
        self.last_id += 1
        return self.last_id

    def disconnect(self, reason: int = 0, **of_packet: Any) -> None:
        self.send(packets.disconnect(reason, self.version, **of_packet))

    def subscribe(self, *filters: str, options: int = 2, **of_packet: Any) -> None:
        wanted = [(each, options) for each in filters]
        self.send(packets.subscribe(self.next_id(), wanted, self.version, **of_packet))

    def unsubscribe(self, *filters: str) -> None:
        self.send(packets.unsubscribe(self.next_id(), filters, self.version))

    def publish(self, topic: str, payload: str = "x", qos: int = 0, **options: Any) -> int:
        """Publish; with QoS 2 the release is left to `release`. Returns: the packet id."""
        packet_id = self.next_id() if qos else 0
        if qos == 2:
            self.unreleased.append(packet_id)
        self.send(packets.publish(topic, payload.encode(), qos, packet_id, self.version, **options))
        return packet_id

    def release(self, packet_id: int) -> None:
        if packet_id in self.unreleased:
            self.unreleased.remove(packet_id)
        self.answer("PUBREL", packet_id)

    def answer(self, kind: str, packet_id: int, reason: int = 0) -> None:
        self.send(packets.answer(kind, packet_id, reason, self.version))

    def settle_next(self, index: int = 0) -> None:
        """Send the next packet that one of its unsettled deliveries waits for."""
        packet_id, kind = self.unsettled.pop(index)
        self.answer(kind, packet_id)

    def settle_all(self) -> None:
        """Answer until nothing waits for an answer."""
        while self.unsettled and self.connected:
            self.settle_next()

    def note(self, packet: Packet) -> None:
        """Remember what a packet asks for."""
        if packet.kind == "PUBLISH" and packet.qos:
            self.unsettled.append((packet.packet_id, "PUBACK" if packet.qos == 1 else "PUBREC"))
        elif packet.kind == "PUBREL":
            self.unsettled.append((packet.packet_id, "PUBCOMP"))


class Stage:
    """One server for one scenario."""

    def __init__(self, server: Server, versions: tuple[int, ...] = (5, 5, 5)) -> None:
        self.server = server
        self.transcript: list[Any] = []
        self.actors = [Actor(self, name, v) for name, v in zip("abc", versions, strict=True)]
        self.old_wires: list[tuple[str, Wire]] = []

    @property
    def a(self) -> Actor:
        return self.actors[0]

    @property
    def b(self) -> Actor:
        return self.actors[1]

    @property
    def c(self) -> Actor:
        return self.actors[2]

    def see(self, *what: Any) -> None:
        """Write something into the transcript."""
        self.transcript.append(list(what))

    def _see_packet(self, name: str, packet: Packet) -> None:
        # Mosquitto hangs up without a word where the sandbox says why; both hang up.
        if packet.kind != "DISCONNECT":
            self.see(name, *plain(packet))

    def settle(self, actor: Actor) -> None:
        """Collect everything that came of an act: of its actor first, then of the others."""
        for each in (actor, *(other for other in self.actors if other is not actor)):
            if each.wire is None:
                continue
            for packet in each.wire.flush():
                each.note(packet)
                self._see_packet(each.name, packet)
            if each.wire.closed:
                self.see(each.name, "closed")
                each.wire = None
        for name, wire in self.old_wires:
            for packet in wire.flush():
                self._see_packet(name, packet)
            self.see(name, "closed" if wire.closed else "still open")
            wire.close()
        self.old_wires.clear()

    def restart(self) -> None:
        """Restart the server; everybody's connection is gone."""
        self.server.restart()
        for actor in self.actors:
            if actor.wire is not None:
                for packet in actor.wire.flush():
                    self._see_packet(actor.name, packet)
                actor.wire.close()
                actor.wire = None

    def prime(self, topics: Iterable[str]) -> None:
        """Retain something below each of some topics.

        A wildcard gets retained messages in the order in which their levels first came up, and
        Mosquitto remembers levels below which nothing is retained any more.
        """
        primer = Actor(self, "primer", 4)
        primer.connect(clean=True)
        for topic in topics:
            primer.publish(f"{topic}/always", "here", retain=True)
        primer.disconnect()

    def close(self) -> None:
        """Forget everything, so that the server can be used again."""
        for actor in self.actors:
            if actor.wire is not None:
                actor.wire.lose()
                actor.wire = None
        sweeper = Actor(self, "sweeper", 4)
        for actor in self.actors:
            sweeper.name = actor.name
            sweeper.connect(clean=True)
            sweeper.disconnect()
        sweeper.name = "sweeper"
        sweeper.connect(clean=True)
        self.transcript.clear()
        sweeper.send(packets.subscribe(1, [("#", 0), ("$d/#", 0)], 4))
        for line in [line for line in self.transcript if line[1] == "PUBLISH"]:
            sweeper.publish(line[2]["topic"], "", retain=True)
        sweeper.disconnect()


#: Where the sandbox says more than Mosquitto: that it knows no such packet.
_UNCOMPARED = {"PUBREL": {"reason"}, "PUBCOMP": {"reason"}}


def plain(packet: Packet) -> list[Any]:
    """A packet as a transcript has it."""
    out: dict[str, Any] = {}
    for name, value in packet.items():
        if name != "kind" and name not in _UNCOMPARED.get(packet.kind, ()):
            out[name] = _plain(value)
    return [packet.kind, out]


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, dict):
        # Nor does Mosquitto explain itself to people.
        return {name: _plain(each) for name, each in value.items() if name != "reason_string"}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value


def play(server: Server, scenario: Scenario, versions: tuple[int, ...] = (5, 5, 5)) -> list[Any]:
    """Play a scenario and return its transcript."""
    stage = Stage(server, versions)
    try:
        scenario(stage)
        return list(stage.transcript)
    finally:
        stage.close()
