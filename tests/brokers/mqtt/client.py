"""Clients without a socket, and a world for them: a broker, its clock, its trace."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from sandbox.brokers.mqtt import Broker
from tests.brokers.mqtt import packets
from tests.brokers.mqtt.packets import Packet

SECOND_NS = 1_000_000_000


@dataclass
class World:
    """A broker, its clock, its trace, and everybody connected to it."""

    broker: Broker
    events: list[tuple[str, dict[str, Any]]]
    now_ns: int = 0
    clients: list[Client] = field(default_factory=list)

    def raw(self, version: int = 5) -> Client:
        """A client that has said nothing yet."""
        client = Client(self, f"client-{len(self.clients) + 1}:1", version)
        self.clients.append(client)
        return client

    def connect(self, client_id: str = "", version: int = 5, **options: Any) -> Client:
        """A client that is connected; its CONNACK is `.connack`."""
        client = self.raw(version)
        client.send(packets.connect(client_id, version, **options))
        client.connack = client.first()
        assert client.connack.kind == "CONNACK"
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

    def publish(self, topic: str, payload: bytes = b"", **options: Any) -> int:
        """Publish as the administrator."""
        matched = self.broker.publish(topic, payload, now_ns=self.now_ns, **options)
        self.carry()
        return matched


def new_world(**options: Any) -> World:
    """A broker nobody is connected to, with its trace kept."""
    events: list[tuple[str, dict[str, Any]]] = []
    broker = Broker(random=Random(1), observe=lambda k, f: events.append((k, dict(f))), **options)
    return World(broker, events)


class Client:
    """One connection, from the client's end."""

    def __init__(self, world: World, peer: str, version: int) -> None:
        self.world = world
        self.version = version
        self.side = world.broker.connect(peer, world.now_ns)
        self.incoming = b""
        self.connack: Packet = Packet()

    @property
    def closed(self) -> bool:
        """Whether the broker hung up."""
        return self.side.closing

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self.side.receive_data(data, self.world.now_ns)
        self.world.carry()

    def received(self) -> list[Packet]:
        """Everything that came since the last look."""
        found = []
        while self.incoming:
            packet, self.incoming = packets.decode(self.incoming, self.version)
            assert packet is not None, self.incoming
            found.append(packet)
        return found

    def next(self) -> Packet:
        """The one packet that came."""
        found = self.received()
        assert len(found) == 1, found
        return found[0]

    def ask(self, data: bytes) -> Packet:
        """Send bytes and return the one packet that came back."""
        self.send(data)
        return self.next()

    def lose(self) -> None:
        """Break the connection."""
        self.side.connection_lost(self.world.now_ns)
        self.world.carry()

    # Shorter ways to say the usual.

    def subscribe(self, *filters: str, qos: int = 2, options: int = 0, **of_packet: Any) -> Packet:
        """Subscribe; return the SUBACK, leaving what follows it."""
        wanted = [(each, qos | options) for each in filters]
        self.send(packets.subscribe(1, wanted, self.version, **of_packet))
        return self.first()

    def publish(
        self, topic: str, payload: bytes = b"x", qos: int = 0, packet_id: int = 1, **options: Any
    ) -> None:
        """Publish, and let what comes back wait."""
        self.send(packets.publish(topic, payload, qos, packet_id, self.version, **options))

    def answer(self, kind: str, packet_id: int, reason: int = 0) -> None:
        """Settle a delivery, or release a message."""
        self.send(packets.answer(kind, packet_id, reason, self.version))

    def disconnect(self, reason: int = 0, **of_packet: Any) -> None:
        """Say goodbye."""
        self.send(packets.disconnect(reason, self.version, **of_packet))

    def payloads(self) -> list[bytes]:
        """The payloads of the messages that came, acknowledged as they should be."""
        found: list[bytes] = []
        while packets_here := self.received():
            for packet in packets_here:
                if packet.kind == "PUBLISH":
                    found.append(packet.payload)
                    if packet.qos == 1:
                        self.answer("PUBACK", packet.packet_id)
                    elif packet.qos == 2:
                        self.answer("PUBREC", packet.packet_id)
                elif packet.kind == "PUBREL":
                    self.answer("PUBCOMP", packet.packet_id)
        return found

    def first(self) -> Packet:
        """The first packet that came; others wait."""
        packet, self.incoming = packets.decode(self.incoming, self.version)
        assert packet is not None
        return packet


def topics_of(found: Iterable[Packet]) -> list[str]:
    """The topics of the messages among packets."""
    return [each.topic for each in found if each.kind == "PUBLISH"]
