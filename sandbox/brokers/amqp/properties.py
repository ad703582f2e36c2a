"""Message properties: what the broker must know of them, and all of them as plain data.

A message's header payload is kept as it came and forwarded as it is. At publish time only a few
facts matter (is it persistent, does it claim a user, ...), and messages published by one program
mostly carry the same properties, so `examine` remembers what it found by the bytes themselves.
`decode_properties` makes the dict that traces and checks see, only when somebody looks.
[amqp-0-9-1 4.2.6.1 "The Content Header", 1.8.2 "Properties cheat sheet" of class basic]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from struct import Struct
from typing import Any, Final

from sandbox.brokers.amqp.errors import INTERNAL_ERROR, PRECONDITION_FAILED, AmqpError
from sandbox.brokers.amqp.tables import MalformedTableError, decode_table, encode_table

PERSISTENT: Final = 2

#: Name and wire type, in the order of the flags from bit 15 downwards.
PROPERTIES: Final[Sequence[tuple[str, str]]] = (
    ("content_type", "shortstr"),
    ("content_encoding", "shortstr"),
    ("headers", "table"),
    ("delivery_mode", "octet"),
    ("priority", "octet"),
    ("correlation_id", "shortstr"),
    ("reply_to", "shortstr"),
    ("expiration", "shortstr"),
    ("message_id", "shortstr"),
    ("timestamp", "longlong"),
    ("type", "shortstr"),
    ("user_id", "shortstr"),
    ("app_id", "shortstr"),
    ("cluster_id", "shortstr"),
)
_HEAD: Final = Struct(">HHQ")
HEADER_SIZE: Final = _HEAD.size
_REMEMBERED: Final = 512
_WORTH_REMEMBERING_BYTES: Final = 256


class Facts:
    """What routing and queueing need to know of a message's properties."""

    __slots__ = (
        "bcc",
        "cc",
        "delivery_mode",
        "expiration",
        "persistent",
        "priority",
        "properties",
        "reply_to",
        "unusual",
        "user_id",
    )

    def __init__(self, properties: Mapping[str, Any]) -> None:
        #: All of them, as plain data, for the trace. Shared between messages: do not change it.
        self.properties = _plain(properties)
        self.delivery_mode: int | None = properties.get("delivery_mode")
        self.persistent = self.delivery_mode == PERSISTENT
        self.priority: int = properties.get("priority") or 0
        self.user_id: str | None = properties.get("user_id")
        self.expiration: str | None = properties.get("expiration")
        self.reply_to: str | None = properties.get("reply_to")
        headers = properties.get("headers") or {}
        self.cc = _more_keys(headers, "CC")
        self.bcc = _more_keys(headers, "BCC")
        #: True if anything here needs a second look when a message is published.
        self.unusual = bool(
            self.user_id is not None
            or self.expiration is not None
            or self.reply_to is not None
            or self.cc
            or self.bcc
        )
        if self.delivery_mode not in (None, 1, 2):
            problem = f"{{delivery_mode_unknown,{self.delivery_mode}}}"
            raise AmqpError(PRECONDITION_FAILED, f"invalid message: {problem}")


def _more_keys(headers: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Routing keys a sender added in a header: RabbitMQ's sender-selected distribution."""
    keys = headers.get(name)
    if keys is None:
        return ()
    if not isinstance(keys, list):
        types = getattr(headers, "types", {})
        problem = f'{{unacceptable_type_in_header,"{name}",{types.get(name, "unknown")}}}'
        raise AmqpError(PRECONDITION_FAILED, f"invalid message: {problem}")
    return tuple(key for key in keys if isinstance(key, str))


_facts: dict[bytes, Facts] = {}


def examine(packed: bytes) -> Facts:
    """Return the facts of a packed property list (flags and values).

    Raises:
        AmqpError: 541, the list is malformed; 406, a value no message may have.
    """
    facts = _facts.get(packed)
    if facts is None:
        try:
            facts = Facts(unpack_properties(packed))
        except (MalformedTableError, IndexError, UnicodeDecodeError) as problem:
            raise AmqpError(INTERNAL_ERROR, "", (0, 0)) from problem
        if len(packed) <= _WORTH_REMEMBERING_BYTES:
            if len(_facts) >= _REMEMBERED:
                _facts.clear()
            _facts[packed] = facts
    return facts


def unpack_properties(packed: bytes) -> dict[str, Any]:
    """Unpack flags and values into plain data; only properties that are set appear.

    Raises:
        MalformedTableError, IndexError, UnicodeDecodeError: the bytes are no property list.
    """
    flags = packed[0] << 8 | packed[1]
    if flags & 0b11:
        raise MalformedTableError("flags of properties that do not exist")
    position, end = 2, len(packed)
    properties: dict[str, Any] = {}
    value: Any
    for index, (name, kind) in enumerate(PROPERTIES):
        if not flags & (0x8000 >> index):
            continue
        if kind == "shortstr":
            after = position + 1 + packed[position]
            value = packed[position + 1 : after].decode()
        elif kind == "table":
            value, after = decode_table(packed, position, end)
        elif kind == "octet":
            value, after = packed[position], position + 1
        else:
            after = position + 8
            value = int.from_bytes(packed[position:after], "big")
        if after > end:
            raise MalformedTableError(f"{name} runs past the end of the header")
        properties[name] = value
        position = after
    if position != end:
        raise MalformedTableError("more data than properties")
    return properties


def decode_properties(header: bytes) -> dict[str, Any]:
    """Return a header payload's properties as plain data, headers as a plain dict."""
    return _plain(unpack_properties(header[HEADER_SIZE:]))


def _plain(properties: Mapping[str, Any]) -> dict[str, Any]:
    plain = dict(properties)
    if "headers" in plain:
        plain["headers"] = dict(plain["headers"])
    return plain


def encode_header(properties: Mapping[str, Any], body_size: int) -> bytes:
    """Make a header payload from plain data: the inverse of `decode_properties`.

    Raises:
        ValueError: a name is no property.
    """
    unknown = set(properties) - {name for name, _ in PROPERTIES}
    if unknown:
        raise ValueError(f"{sorted(unknown)[0]!r} is no message property; see PROPERTIES")
    flags = 0
    parts = []
    for index, (name, kind) in enumerate(PROPERTIES):
        value = properties.get(name)
        if value is None:
            continue
        flags |= 0x8000 >> index
        if kind == "shortstr":
            raw = str(value).encode()
            parts.append(bytes((len(raw),)) + raw)
        elif kind == "table":
            parts.append(encode_table(value))
        else:
            parts.append(int(value).to_bytes(1 if kind == "octet" else 8, "big"))
    return header_payload(flags.to_bytes(2, "big") + b"".join(parts), body_size)


def header_payload(packed: bytes, body_size: int) -> bytes:
    """Put class, weight and size in front of packed properties."""
    return _HEAD.pack(60, 0, body_size) + packed
