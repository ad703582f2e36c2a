"""The packets a client sends, taken apart and checked; and those a server sends, put together.

`decode_*` take a packet's body and return plain named tuples; whatever is wrong with the packet by
itself is found here, what is wrong with it *now* (an alias nobody set, a limit) where it is
handled. The bodies of MQTT 3.1, 3.1.1 and 5 differ little: `v5` says which it is. [mqtt-v5.0 3]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from sandbox.brokers.mqtt import properties as props
from sandbox.brokers.mqtt import topics, wire
from sandbox.brokers.mqtt.errors import MqttError, Reason, malformed, protocol_error
from sandbox.brokers.mqtt.properties import Properties
from sandbox.brokers.mqtt.wire import Reader

#: Protocol name and level of the versions there are.
VERSIONS: Final[Mapping[tuple[str, int], str]] = {
    ("MQIsdp", 3): "3.1",
    ("MQTT", 4): "3.1.1",
    ("MQTT", 5): "5",
}

#: The flags that each packet's first byte must have. PUBLISH has its own.
FLAGS: Final = {props.PUBREL: 2, props.SUBSCRIBE: 2, props.UNSUBSCRIBE: 2}

_ACK_REASONS: Final = frozenset((0, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99))
_REL_REASONS: Final = frozenset((0, 0x92))
_REASONS: Final[Mapping[int, frozenset[int]]] = {
    props.PUBACK: _ACK_REASONS,
    props.PUBREC: _ACK_REASONS,
    props.PUBREL: _REL_REASONS,
    props.PUBCOMP: _REL_REASONS,
    props.DISCONNECT: frozenset(
        (0, 4, *range(0x80, 0x84), 0x90, *range(0x93, 0x9A))  # those a client may send
    ),
}


class Will(NamedTuple):
    """What a client leaves behind: published if it goes without saying goodbye."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    properties: Properties
    delay_s: int


class Connect(NamedTuple):
    """A CONNECT."""

    level: int
    client_id: str
    clean_start: bool
    keep_alive_s: int
    will: Will | None
    user: str | None
    password: bytes | None
    properties: Properties


def read_version(reader: Reader) -> int:
    """Read a CONNECT up to its version; returns the protocol level.

    Raises:
        MqttError: 0x84 a version this server does not speak, 0x81 no MQTT at all.
    """
    name = reader.text("the protocol's name")
    if name not in ("MQTT", "MQIsdp"):
        raise malformed(f"the protocol's name is {name!r}, not MQTT")
    level = reader.byte("the protocol's version")
    if (name, level) not in VERSIONS:
        raise MqttError(
            Reason.UNSUPPORTED_PROTOCOL_VERSION,
            f"{name} at level {level}: this server speaks MQTT 3.1, 3.1.1 (4) and 5",
        )
    return level


def decode_connect(reader: Reader, level: int) -> Connect:
    """Read the rest of a CONNECT [mqtt-v5.0 3.1]."""
    v5 = level == 5
    flags = reader.byte("the connect flags")
    if flags & 1 and level != 3:
        raise malformed("the reserved connect flag is set")
    keep_alive_s = reader.two_bytes("the keep alive")
    properties = props.decode(reader, props.CONNECT) if v5 else {}
    if "authentication_data" in properties and "authentication_method" not in properties:
        raise protocol_error("there is authentication data and no authentication method")
    client_id = reader.text("the client identifier")
    will = _will(reader, flags, v5=v5)
    user = reader.text("the user name") if flags & 0x80 else None
    if flags & 0x40 and not flags & 0x80 and not v5:
        raise malformed("there is a password and no user name")
    password = reader.binary("the password") if flags & 0x40 else None
    reader.end("the CONNECT")
    return Connect(
        level, client_id, bool(flags & 2), keep_alive_s, will, user, password, properties
    )


def _will(reader: Reader, flags: int, *, v5: bool) -> Will | None:
    if not flags & 4:
        if flags & 0x38:
            raise malformed("the will's QoS or retain flag is set and there is no will")
        return None
    qos = flags >> 3 & 3
    if qos == 3:
        raise malformed("the will has QoS 3")
    properties = props.decode(reader, props.WILL) if v5 else {}
    _check_response_topic(properties)
    topic = reader.text("the will's topic")
    problem = topics.name_problem(topic)
    if problem is not None:
        raise MqttError(Reason.TOPIC_NAME_INVALID, problem)
    payload = reader.binary("the will's payload")
    delay_s = properties.pop("will_delay_interval", 0)
    return Will(topic, payload, qos, bool(flags & 0x20), properties, delay_s)


class Publish(NamedTuple):
    """A PUBLISH. `packet_id` is 0 with QoS 0."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    dup: bool
    packet_id: int
    properties: Properties


def decode_publish(flags: int, body: bytes, *, v5: bool) -> Publish:
    """Read a PUBLISH [mqtt-v5.0 3.3]."""
    qos = flags >> 1 & 3
    if qos == 3:
        raise malformed("a PUBLISH with QoS 3")
    if flags & 8 and not qos:
        raise malformed("a PUBLISH with QoS 0 says it is a duplicate; only QoS 1 and 2 repeat")
    reader = Reader(body)
    topic = reader.text("the topic")
    packet_id = 0
    if qos:
        packet_id = reader.two_bytes("the packet identifier")
        if not packet_id:
            raise protocol_error("a PUBLISH with QoS above 0 has the packet identifier 0")
    properties: Properties = {}
    if v5:
        properties = props.decode(reader, props.PUBLISH)
        if properties:
            if "subscription_identifier" in properties:
                raise protocol_error("only servers send a PUBLISH with a subscription identifier")
            _check_response_topic(properties)
    if "+" in topic or "#" in topic:
        raise protocol_error(f"the topic name {topic!r} holds a wildcard; only filters may")
    return Publish(
        topic, reader.rest(), qos, bool(flags & 1), bool(flags & 8), packet_id, properties
    )


def _check_response_topic(properties: Properties) -> None:
    topic = properties.get("response_topic")
    if topic is not None and ("+" in topic or "#" in topic or not topic):
        raise protocol_error(f"the response topic {topic!r} is no topic name")


class Answer(NamedTuple):
    """A PUBACK, PUBREC, PUBREL or PUBCOMP."""

    packet_id: int
    reason: int


def decode_answer(kind: int, body: bytes, *, v5: bool) -> Answer:
    """Read one of the four packets that settle a PUBLISH [mqtt-v5.0 3.4 to 3.7]."""
    if len(body) == 2:
        packet_id, reason = body[0] << 8 | body[1], 0
    else:
        name = props.PACKET_NAMES[kind]
        reader = Reader(body)
        packet_id, reason = reader.two_bytes("the packet identifier"), 0
        if v5 and reader.left:
            reason = reader.byte("the reason code")
            if reason not in _REASONS[kind]:
                raise protocol_error(f"a {name} has no reason code 0x{reason:02X}")
            if reader.left:
                props.decode(reader, kind)
        reader.end(f"the {name}")
    if not packet_id:
        raise protocol_error(f"a {props.PACKET_NAMES[kind]} has the packet identifier 0")
    return Answer(packet_id, reason)


class Requested(NamedTuple):
    """One filter of a SUBSCRIBE and its options."""

    topic_filter: str
    qos: int
    no_local: bool
    retain_as_published: bool
    retain_handling: int


class Subscribe(NamedTuple):
    """A SUBSCRIBE."""

    packet_id: int
    requested: Sequence[Requested]
    identifier: int | None
    properties: Properties


def decode_subscribe(body: bytes, *, v5: bool) -> Subscribe:
    """Read a SUBSCRIBE [mqtt-v5.0 3.8]."""
    reader = Reader(body)
    packet_id = _packet_id(reader, "SUBSCRIBE")
    properties = props.decode(reader, props.SUBSCRIBE) if v5 else {}
    requested = []
    while reader.left:
        topic_filter = reader.text("a topic filter")
        options = reader.byte("the subscription options")
        if options & (0xC0 if v5 else 0xFC) or options & 3 == 3:
            raise malformed(f"0x{options:02X} are no subscription options")
        if options & 0x30 == 0x30:
            raise protocol_error("there is no retain handling 3")
        requested.append(
            Requested(
                topic_filter, options & 3, bool(options & 4), bool(options & 8), options >> 4 & 3
            )
        )
    if not requested:
        raise protocol_error("a SUBSCRIBE holds at least one topic filter")
    return Subscribe(packet_id, requested, properties.get("subscription_identifier"), properties)


class Unsubscribe(NamedTuple):
    """An UNSUBSCRIBE."""

    packet_id: int
    filters: Sequence[str]


def decode_unsubscribe(body: bytes, *, v5: bool) -> Unsubscribe:
    """Read an UNSUBSCRIBE [mqtt-v5.0 3.10]."""
    reader = Reader(body)
    packet_id = _packet_id(reader, "UNSUBSCRIBE")
    if v5:
        props.decode(reader, props.UNSUBSCRIBE)
    filters = []
    while reader.left:
        filters.append(reader.text("a topic filter"))
    if not filters:
        raise protocol_error("an UNSUBSCRIBE holds at least one topic filter")
    return Unsubscribe(packet_id, filters)


def _packet_id(reader: Reader, name: str) -> int:
    packet_id = reader.two_bytes("the packet identifier")
    if not packet_id:
        raise protocol_error(f"a {name} has the packet identifier 0")
    return packet_id


class Disconnect(NamedTuple):
    """A DISCONNECT."""

    reason: int
    properties: Properties


def decode_disconnect(body: bytes, *, v5: bool) -> Disconnect:
    """Read a DISCONNECT [mqtt-v5.0 3.14]."""
    reader = Reader(body)
    reason, properties = 0, {}
    if v5 and reader.left:
        reason = reader.byte("the reason code")
        if reason not in _REASONS[props.DISCONNECT]:
            raise protocol_error(f"a client's DISCONNECT has no reason code 0x{reason:02X}")
        if reader.left:
            properties = props.decode(reader, props.DISCONNECT)
            if "server_reference" in properties:
                raise protocol_error("only servers send a DISCONNECT with a server reference")
    reader.end("the DISCONNECT")
    return Disconnect(reason, properties)


# -- what a server sends -----------------------------------------------------------------------


def connack(reason: int, properties: Mapping[str, Any], *, present: bool, v5: bool) -> bytes:
    """A CONNACK; `reason` is a return code for older versions."""
    body = bytes((present, reason))
    return wire.packet(0x20, body + props.encode(properties) if v5 else body)


def publish_head(
    topic: str, qos: int, *, retain: bool, dup: bool, packet_id: int
) -> tuple[int, bytes]:
    """The first byte and the fields of a PUBLISH that stand before the properties."""
    head = wire.text(topic)
    if qos:
        head += packet_id.to_bytes(2, "big")
    return 0x30 | dup << 3 | qos << 1 | retain, head


def answer(kind: int, packet_id: int, reason: int = 0, properties: bytes = b"") -> bytes:
    """A PUBACK, PUBREC, PUBREL or PUBCOMP. Only to MQTT 5 with a reason or properties."""
    first = kind << 4 | FLAGS.get(kind, 0)
    if not reason and not properties:
        return bytes((first, 2, packet_id >> 8, packet_id & 255))
    body = packet_id.to_bytes(2, "big") + bytes((reason,))
    if properties:
        body += wire.varint(len(properties)) + properties
    return wire.packet(first, body)


def suback(kind: int, packet_id: int, reasons: Sequence[int], *, v5: bool) -> bytes:
    """A SUBACK or UNSUBACK."""
    body = packet_id.to_bytes(2, "big") + (b"\x00" if v5 else b"")
    if v5 or kind == props.SUBACK:
        body += bytes(reasons)
    return wire.packet(kind << 4, body)


def disconnect(reason: int, properties: Mapping[str, Any]) -> bytes:
    """A DISCONNECT, which servers send in MQTT 5 only."""
    return wire.packet(0xE0, bytes((reason,)) + props.encode(properties))


PINGRESP: Final = b"\xd0\x00"
