"""MQTT 5's properties: which there are, where each may stand, and what it may be [mqtt-v5.0 2.2.2].

The table is the whole of it: to add a property, add a line. In Python a packet's properties are a
dict under the specification's names in snake case; `user_property` is a list of pairs, and
`subscription_identifier` a list of numbers where it may stand more than once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from sandbox.brokers.mqtt import wire
from sandbox.brokers.mqtt.errors import MqttError, Reason, malformed, protocol_error
from sandbox.brokers.mqtt.wire import Reader

Properties = dict[str, Any]

CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBSCRIBE = range(1, 9)
SUBACK, UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT, AUTH = range(9, 16)
#: Not a packet: a will's properties inside a CONNECT.
WILL: Final = 16

PACKET_NAMES: Final = (
    *("packet of type 0", "CONNECT", "CONNACK", "PUBLISH", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP"),
    *("SUBSCRIBE", "SUBACK", "UNSUBSCRIBE", "UNSUBACK", "PINGREQ", "PINGRESP", "DISCONNECT"),
    *("AUTH", "will"),
)

_MESSAGE: Final = (PUBLISH, WILL)
_ANYWHERE: Final = tuple(n for n in range(CONNECT, WILL + 1) if n not in (PINGREQ, PINGRESP))
_ANSWERS: Final = (CONNACK, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, UNSUBACK, DISCONNECT, AUTH)


class _Kind(NamedTuple):
    read: Callable[[Reader, str], Any]
    write: Callable[[Any], bytes]


def _read_pair(reader: Reader, what: str) -> tuple[str, str]:
    return reader.text(what), reader.text(what)


_BYTE = _Kind(Reader.byte, lambda value: bytes((value,)))
_TWO = _Kind(Reader.two_bytes, lambda value: value.to_bytes(2, "big"))
_FOUR = _Kind(Reader.four_bytes, lambda value: value.to_bytes(4, "big"))
_VARINT = _Kind(Reader.varint, wire.varint)
_TEXT = _Kind(Reader.text, wire.text)
_BINARY = _Kind(Reader.binary, wire.binary)
_PAIR = _Kind(_read_pair, lambda pair: wire.text(pair[0]) + wire.text(pair[1]))


class Property(NamedTuple):
    """One property. `allowed` are the values it may have, None for any."""

    identifier: int
    name: str
    kind: _Kind
    packets: tuple[int, ...]
    allowed: Callable[[Any], bool] | None = None


def _switch(value: int) -> bool:
    return value in (0, 1)


def _positive(value: int) -> bool:
    return value > 0


TABLE: Final = (
    Property(0x01, "payload_format_indicator", _BYTE, _MESSAGE, _switch),
    Property(0x02, "message_expiry_interval", _FOUR, _MESSAGE),
    Property(0x03, "content_type", _TEXT, _MESSAGE),
    Property(0x08, "response_topic", _TEXT, _MESSAGE),
    Property(0x09, "correlation_data", _BINARY, _MESSAGE),
    Property(0x0B, "subscription_identifier", _VARINT, (PUBLISH, SUBSCRIBE), _positive),
    Property(0x11, "session_expiry_interval", _FOUR, (CONNECT, CONNACK, DISCONNECT)),
    Property(0x12, "assigned_client_identifier", _TEXT, (CONNACK,)),
    Property(0x13, "server_keep_alive", _TWO, (CONNACK,)),
    Property(0x15, "authentication_method", _TEXT, (CONNECT, CONNACK, AUTH)),
    Property(0x16, "authentication_data", _BINARY, (CONNECT, CONNACK, AUTH)),
    Property(0x17, "request_problem_information", _BYTE, (CONNECT,), _switch),
    Property(0x18, "will_delay_interval", _FOUR, (WILL,)),
    Property(0x19, "request_response_information", _BYTE, (CONNECT,), _switch),
    Property(0x1A, "response_information", _TEXT, (CONNACK,)),
    Property(0x1C, "server_reference", _TEXT, (CONNACK, DISCONNECT)),
    Property(0x1F, "reason_string", _TEXT, _ANSWERS),
    Property(0x21, "receive_maximum", _TWO, (CONNECT, CONNACK), _positive),
    Property(0x22, "topic_alias_maximum", _TWO, (CONNECT, CONNACK)),
    Property(0x23, "topic_alias", _TWO, (PUBLISH,)),
    Property(0x24, "maximum_qos", _BYTE, (CONNACK,), _switch),
    Property(0x25, "retain_available", _BYTE, (CONNACK,), _switch),
    Property(0x26, "user_property", _PAIR, _ANYWHERE),
    Property(0x27, "maximum_packet_size", _FOUR, (CONNECT, CONNACK), _positive),
    Property(0x28, "wildcard_subscription_available", _BYTE, (CONNACK,), _switch),
    Property(0x29, "subscription_identifier_available", _BYTE, (CONNACK,), _switch),
    Property(0x2A, "shared_subscription_available", _BYTE, (CONNACK,), _switch),
)

_BY_IDENTIFIER: Final[Mapping[int, Property]] = {each.identifier: each for each in TABLE}
_BY_NAME: Final[Mapping[str, Property]] = {each.name: each for each in TABLE}

#: The properties that belong to a message and travel with it.
OF_A_MESSAGE: Final = tuple(
    each.name for each in TABLE if PUBLISH in each.packets and WILL in each.packets
)


def repeats(name: str, packet: int) -> bool:
    """Whether a property may stand in a packet more than once."""
    return name == "user_property" or (name == "subscription_identifier" and packet == PUBLISH)


def decode(reader: Reader, packet: int) -> Properties:
    """Read the properties that stand here in a packet of type `packet`.

    Raises:
        MqttError: 0x81 what cannot be read or does not belong here, 0x82 a property that stands
            twice or has a value it may not have, 0x94 a topic alias of 0.
    """
    size = reader.varint("the length of the properties")
    if not size:
        return {}
    reader = reader.part(size, "the properties")
    found: Properties = {}
    while reader.left:
        identifier = reader.varint("a property's identifier")
        known = _BY_IDENTIFIER.get(identifier)
        if known is None:
            raise malformed(f"there is no property 0x{identifier:02X}")
        if packet not in known.packets:
            raise malformed(f"the property {known.name} has no place in a {PACKET_NAMES[packet]}")
        name = known.name
        value = known.kind.read(reader, name)
        if known.allowed is not None and not known.allowed(value):
            raise protocol_error(f"the property {name} may not be {value}")
        if name == "topic_alias" and value == 0:
            raise MqttError(Reason.TOPIC_ALIAS_INVALID, "a topic alias may not be 0")
        if repeats(name, packet):
            found.setdefault(name, []).append(value)
        elif name in found:
            raise protocol_error(f"the property {name} stands twice in a {PACKET_NAMES[packet]}")
        else:
            found[name] = value
    return found


def encode_each(properties: Mapping[str, Any]) -> bytes:
    """Write properties one after the other, without the length in front."""
    parts = []
    for name, value in properties.items():
        known = _BY_NAME[name]
        start = bytes((known.identifier,))
        values = value if isinstance(value, list) else (value,)
        parts += [start + known.kind.write(each) for each in values]
    return b"".join(parts)


def encode(properties: Mapping[str, Any]) -> bytes:
    """Write properties with their length in front."""
    body = encode_each(properties)
    return wire.varint(len(body)) + body


def check_message_properties(properties: Mapping[str, Any]) -> Properties:
    """Properties that an administrator gives a message, as if a client had sent them.

    Raises:
        ValueError: one that no message may have, or a value it may not have.
    """
    for name in properties:
        if name not in OF_A_MESSAGE:
            raise ValueError(
                f"a message has no property {name!r}; there are {', '.join(OF_A_MESSAGE)}"
            )
    plain = {
        name: [(str(k), str(v)) for k, v in _pairs(value)] if name == "user_property" else value
        for name, value in properties.items()
    }
    try:
        return decode(Reader(encode(plain)), PUBLISH)
    except MqttError as why:
        raise ValueError(why.sentence) from None
    except (AttributeError, OverflowError, TypeError) as why:
        raise ValueError(f"the properties {dict(properties)!r} cannot be written: {why}") from None


def _pairs(value: Any) -> list[tuple[Any, Any]]:
    return list(value.items()) if isinstance(value, Mapping) else [(k, v) for k, v in value]
