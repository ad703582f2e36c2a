"""A client's end of MQTT: packets to bytes, and bytes to packets.

Says whatever it is told to, right or wrong. What is read comes as a `Packet`: `.kind` is the
packet's name, and its fields are attributes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sandbox.brokers.mqtt import properties, wire

KINDS = {
    1: "CONNECT",
    2: "CONNACK",
    3: "PUBLISH",
    4: "PUBACK",
    5: "PUBREC",
    6: "PUBREL",
    7: "PUBCOMP",
    8: "SUBSCRIBE",
    9: "SUBACK",
    10: "UNSUBSCRIBE",
    11: "UNSUBACK",
    12: "PINGREQ",
    13: "PINGRESP",
    14: "DISCONNECT",
    15: "AUTH",
}
PINGREQ = b"\xc0\x00"


class Packet(dict[str, Any]):
    """A packet that was received."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


def two(number: int) -> bytes:
    return number.to_bytes(2, "big")


def connect(
    client_id: str = "",
    version: int = 5,
    *,
    clean: bool = True,
    keep_alive_s: int = 0,
    will: tuple[str, bytes, int, bool] | None = None,
    will_properties: dict[str, Any] | None = None,
    user: str | None = None,
    password: bytes | None = None,
    flags: int = 0,
    **of_packet: Any,
) -> bytes:
    """`will` is topic, payload, QoS, retain; `flags` is or-ed to the connect flags."""
    flags |= clean << 1
    payload = wire.text(client_id)
    if will is not None:
        topic, body, qos, retain = will
        flags |= 4 | qos << 3 | retain << 5
        if version == 5:
            payload += properties.encode(will_properties or {})
        payload += wire.text(topic) + wire.binary(body)
    if user is not None:
        flags |= 0x80
        payload += wire.text(user)
    if password is not None:
        flags |= 0x40
        payload += wire.binary(password)
    body = wire.text("MQIsdp" if version == 3 else "MQTT") + bytes((version, flags))
    body += two(keep_alive_s)
    if version == 5:
        body += properties.encode(of_packet)
    return wire.packet(0x10, body + payload)


def publish(
    topic: str,
    payload: bytes = b"",
    qos: int = 0,
    packet_id: int = 0,
    version: int = 5,
    *,
    retain: bool = False,
    dup: bool = False,
    **of_packet: Any,
) -> bytes:
    body = wire.text(topic)
    if qos:
        body += two(packet_id)
    if version == 5:
        body += properties.encode(of_packet)
    return wire.packet(0x30 | dup << 3 | qos << 1 | retain, body + payload)


def answer(kind: str, packet_id: int, reason: int = 0, version: int = 5, **of_packet: Any) -> bytes:
    """PUBACK, PUBREC, PUBREL or PUBCOMP."""
    number = next(number for number, name in KINDS.items() if name == kind)
    body = two(packet_id)
    if version == 5 and (reason or of_packet):
        body += bytes((reason,))
        if of_packet:
            body += properties.encode(of_packet)
    return wire.packet(number << 4 | (2 if kind == "PUBREL" else 0), body)


def subscribe(
    packet_id: int, filters: Iterable[tuple[str, int]], version: int = 5, **of_packet: Any
) -> bytes:
    """Each filter with its options byte."""
    body = two(packet_id)
    if version == 5:
        body += properties.encode(of_packet)
    for topic_filter, options in filters:
        body += wire.text(topic_filter) + bytes((options,))
    return wire.packet(0x82, body)


def unsubscribe(
    packet_id: int, filters: Iterable[str], version: int = 5, **of_packet: Any
) -> bytes:
    body = two(packet_id)
    if version == 5:
        body += properties.encode(of_packet)
    return wire.packet(0xA2, body + b"".join(wire.text(each) for each in filters))


def disconnect(reason: int = 0, version: int = 5, **of_packet: Any) -> bytes:
    body = b""
    if version == 5 and (reason or of_packet):
        body = bytes((reason,)) + properties.encode(of_packet)
    return wire.packet(0xE0, body)


def decode(data: bytes, version: int = 5) -> tuple[Packet | None, bytes]:
    """One packet from a server, and what follows it; (None, data) if it is not whole."""
    length = shift = 0
    at = 1
    while True:
        if at >= len(data):
            return None, data
        length |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 0x80:
            break
    if len(data) < at + length:
        return None, data
    return _packet(data[0], data[at : at + length], version), data[at + length :]


def _packet(first: int, body: bytes, version: int) -> Packet:
    number, flags = first >> 4, first & 15
    found = Packet(kind=KINDS[number])
    reader = wire.Reader(body)
    if number == 2:
        found["session_present"] = bool(reader.byte("flags"))
        found["reason"] = reader.byte("code")
    elif number == 3:
        found.update(dup=bool(flags & 8), qos=flags >> 1 & 3, retain=bool(flags & 1))
        found["topic"] = reader.text("topic")
        found["packet_id"] = reader.two_bytes("id") if found["qos"] else None
    elif number in (4, 5, 6, 7):
        assert flags == (2 if number == 6 else 0)
        found["packet_id"] = reader.two_bytes("id")
        found["reason"] = reader.byte("reason") if reader.left else 0
    elif number in (9, 11):
        found["packet_id"] = reader.two_bytes("id")
    elif number == 14:
        found["reason"] = reader.byte("reason") if reader.left else 0
    if version == 5 and number != 13:
        found["properties"] = properties.decode(reader, number) if reader.left else {}
    if number == 3:
        found["payload"] = reader.rest()
    elif number in (9, 11):
        found["reasons"] = list(reader.rest())
    reader.end(found["kind"])
    return found
