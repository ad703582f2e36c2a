"""Methods to and from bytes.

`pamqp` knows every method's fields and types, and its classes are what the rest of the broker
passes around. Two things are done here and not by pamqp:

* Decoding is strict. What a client sent too short or too long is an error with RabbitMQ's text,
  while pamqp cuts or ignores it; and names pamqp would refuse (RabbitMQ does not) go through.
* The methods of the hot path, `basic.publish`, `basic.ack` and `basic.deliver`, have their layout
  written out by hand: they are most of all traffic, and a generic codec costs ten times as much.

To support a method, add its handler to a table in `declarations` or `consuming`: it is decoded here
already if pamqp knows it.
"""

from __future__ import annotations

from struct import Struct
from struct import error as struct_error
from typing import Any, Final, TypeVar

from pamqp import base, commands, decode, encode

from sandbox.brokers.amqp.errors import FRAME_ERROR, NOT_IMPLEMENTED, AmqpError, erlang_binary
from sandbox.brokers.amqp.framing import METHOD, method_frame, pack_preamble, unknown_frame
from sandbox.brokers.amqp.tables import MalformedTableError, decode_table, encode_table

Method = base.Frame
MethodId = tuple[int, int]

#: The first four bytes of a payload: class id and method id.
PUBLISH: Final = b"\x00\x3c\x00\x28"
ACK: Final = b"\x00\x3c\x00\x50"
NACK: Final = b"\x00\x3c\x00\x78"
DELIVER: Final = b"\x00\x3c\x00\x3c"
GET_OK: Final = b"\x00\x3c\x00\x47"
RETURN: Final = b"\x00\x3c\x00\x32"

PUBLISH_ID: Final = (60, 40)

MAX_SHORT_STRING_BYTES: Final = 255
_TWO_SHORTS: Final = Struct(">HH")
_ACK_BODY: Final = Struct(">QB")
_ACK_FRAME: Final = Struct(">BHI4sQBB")
#: A delivery tag and the bit "redelivered", between a consumer tag and a routing key.
pack_tag: Final = Struct(">QB").pack
pack_count: Final = Struct(">I").pack

_MALFORMED_UTF8: Final = "Malformed UTF-8 in shortstr"


def method_id(payload: bytes) -> MethodId:
    """Return (class id, method id) of a method frame's payload.

    Raises:
        AmqpError: 501, the payload is too short to have one.
    """
    if len(payload) < 4:
        raise unknown_frame(METHOD, payload)
    class_id, number = _TWO_SHORTS.unpack_from(payload)
    return class_id, number


def decode_method(payload: bytes) -> Method:
    """Decode a method frame's payload.

    Raises:
        AmqpError: 501, the fields do not fit the method; 540, there is no such method here.
    """
    name = method_id(payload)
    known: type[Method] | None = commands.INDEX_MAPPING.get(name[0] << 16 | name[1])
    if known is None:
        text = f"method {name[1]} of class {name[0]} is not known to the sandbox's broker"
        raise AmqpError(NOT_IMPLEMENTED, text, name)
    method: Method = blank(known)
    try:
        end = _decode_fields(method, payload, 4)
    except UnicodeDecodeError as problem:
        raise AmqpError(FRAME_ERROR, _MALFORMED_UTF8, (0, 0)) from problem
    except (ValueError, struct_error, IndexError) as problem:
        raise _cannot_decode(payload, name) from problem
    if end != len(payload):
        raise _cannot_decode(payload, name)
    return method


MethodT = TypeVar("MethodT", bound=Method)


def blank(kind: type[MethodT]) -> MethodT:
    """Make a method whose fields are still to be set.

    pamqp's constructors refuse names that RabbitMQ accepts, so they are not called for methods
    that carry names.
    """
    return kind.__new__(kind)


def _cannot_decode(payload: bytes, name: MethodId) -> AmqpError:
    return AmqpError(FRAME_ERROR, f"cannot decode {erlang_binary(payload[4:260])}", name)


def _decode_fields(method: Method, payload: bytes, position: int) -> int:
    limit = len(payload)
    bit = 0
    for field in type(method).attributes():
        kind = method.amqp_type(field)
        if kind == "bit":
            if bit == 0:
                position += 1
            setattr(method, field, bool(payload[position - 1] & (1 << bit)))
            bit = (bit + 1) % 8
            continue
        bit = 0
        value: Any
        if kind == "table":
            value, position = decode_table(payload, position, limit)
        elif kind == "longstr":
            size = 4 + decode.long_uint(payload[position : position + 4])[1]
            value = payload[position + 4 : position + size]
            position += size
        else:
            size, value = decode.by_type(payload[position : position + 256], kind)
            position += size
        if position > limit:
            raise MalformedTableError("a field runs past the end of the frame")
        setattr(method, field, value)
    return position


def encode_method(channel: int, method: Method) -> bytes:
    """Make the whole frame of a method."""
    parts = [method.index.to_bytes(4, "big")]
    bits, count = 0, 0
    for field in type(method).attributes():
        kind = method.amqp_type(field)
        value = getattr(method, field)
        if kind == "bit":
            bits |= bool(value) << count
            count += 1
            continue
        if count:
            parts.append(bytes((bits,)))
            bits, count = 0, 0
        parts.append(encode_table(value) if kind == "table" else encode.by_type(value, kind))
    if count:
        parts.append(bytes((bits,)))
    return method_frame(channel, b"".join(parts))


def short_string(text: str) -> bytes:
    """A short string's bytes, length first; what does not fit is cut off.

    Clients send no longer ones, but a routing key may come from an argument, or be made here.
    """
    raw = text.encode()
    if len(raw) > MAX_SHORT_STRING_BYTES:
        raw = raw[:MAX_SHORT_STRING_BYTES].decode(errors="ignore").encode()
    return bytes((len(raw),)) + raw


def publish_fields(payload: bytes) -> tuple[bytes, int]:
    """Split a `basic.publish` into its route and its bits (1 mandatory, 2 immediate).

    The route is exchange and routing key exactly as they came: two short strings, which is also
    how they stand in `basic.deliver`.

    Raises:
        AmqpError: 501, the fields do not fit.
    """
    try:
        key_at = 7 + payload[6]
        end = key_at + 1 + payload[key_at]
    except IndexError:
        end = -1
    if end != len(payload) - 1:
        raise _cannot_decode(payload, PUBLISH_ID)
    return payload[6:end], payload[end]


def split_route(route: bytes) -> tuple[str, str]:
    """Return exchange and routing key of a route.

    Raises:
        AmqpError: 501, a name is not UTF-8.
    """
    key_at = 1 + route[0]
    try:
        return route[1:key_at].decode(), route[key_at + 1 :].decode()
    except UnicodeDecodeError as problem:
        raise AmqpError(FRAME_ERROR, _MALFORMED_UTF8, (0, 0)) from problem


def ack_fields(payload: bytes) -> tuple[int, bool]:
    """Return delivery tag and `multiple` of a `basic.ack`.

    Raises:
        AmqpError: 501, the fields do not fit.
    """
    if len(payload) != 13:
        raise _cannot_decode(payload, (60, 80))
    tag, bits = _ACK_BODY.unpack_from(payload, 4)
    return tag, bool(bits & 1)


def ack_frame(channel: int, tag: int, *, multiple: bool = False) -> bytes:
    """A publisher confirm for one message, or for all up to it."""
    return _ACK_FRAME.pack(METHOD, channel, 13, ACK, tag, multiple, 0xCE)


def nack_frame(channel: int, tag: int, *, multiple: bool = False) -> bytes:
    """A publisher is told that one message was refused, or all up to it."""
    return _ACK_FRAME.pack(METHOD, channel, 13, NACK, tag, multiple, 0xCE)


def deliver_prefix(consumer_tag: str) -> bytes:
    """What every `basic.deliver` to one consumer begins with."""
    return DELIVER + short_string(consumer_tag)


def get_ok_frame(channel: int, tag: int, redelivered: bool, route: bytes, left: int) -> bytes:
    """The method frame of `basic.get-ok`."""
    return method_frame(channel, GET_OK + pack_tag(tag, redelivered) + route + pack_count(left))


def return_frame(channel: int, code: int, text: str, route: bytes) -> bytes:
    """The method frame of `basic.return`."""
    return method_frame(channel, RETURN + code.to_bytes(2, "big") + short_string(text) + route)


__all__ = [
    "Method",
    "MethodId",
    "ack_fields",
    "ack_frame",
    "blank",
    "decode_method",
    "deliver_prefix",
    "encode_method",
    "get_ok_frame",
    "method_frame",
    "method_id",
    "nack_frame",
    "pack_preamble",
    "pack_tag",
    "publish_fields",
    "return_frame",
    "short_string",
    "split_route",
]
