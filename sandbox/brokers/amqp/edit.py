"""Changing a message's properties without touching the rest of their bytes.

What passes through the broker must come out with the very types it had: a header sent as a `short`
is still one after the message was dead-lettered. So nothing is decoded and encoded again here; a
property list and the tables in it are cut into pieces of bytes, a piece is exchanged, and they are
joined. Only for headers that `properties.examine` has accepted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from struct import Struct
from typing import Final

from sandbox.brokers.amqp.properties import HEADER_SIZE, PROPERTIES, header_payload

_LENGTH: Final = Struct(">I")
_LONG: Final = Struct(">q")
#: Bytes of a value by its type letter; those not here carry their length.
_SIZES: Final[Mapping[int, int]] = {
    **dict.fromkeys(b"V", 0),
    **dict.fromkeys(b"tbB", 1),
    **dict.fromkeys(b"su", 2),
    **dict.fromkeys(b"Iif", 4),
    **dict.fromkeys(b"D", 5),
    **dict.fromkeys(b"lLdT", 8),
}


def split_properties(header: bytes) -> dict[str, bytes]:
    """Cut a header payload into its properties' bytes, in order."""
    flags = header[HEADER_SIZE] << 8 | header[HEADER_SIZE + 1]
    position = HEADER_SIZE + 2
    parts = {}
    for index, (name, kind) in enumerate(PROPERTIES):
        if not flags & (0x8000 >> index):
            continue
        if kind == "shortstr":
            size = 1 + header[position]
        elif kind == "table":
            size = 4 + _LENGTH.unpack_from(header, position)[0]
        else:
            size = 1 if kind == "octet" else 8
        parts[name] = header[position : position + size]
        position += size
    return parts


def join_properties(parts: Mapping[str, bytes], body_size: int) -> bytes:
    """Make a header payload: the inverse of `split_properties`."""
    flags = 0
    for index, (name, _) in enumerate(PROPERTIES):
        if name in parts:
            flags |= 0x8000 >> index
    values = [parts[name] for name, _ in PROPERTIES if name in parts]
    return header_payload(flags.to_bytes(2, "big") + b"".join(values), body_size)


def split_table(table: bytes) -> dict[bytes, bytes]:
    """Cut a table (its length first) into keys and values, each value with its type letter."""
    position, end = 4, len(table)
    parts = {}
    while position < end:
        after_key = position + 1 + table[position]
        size = _value_size(table, after_key)
        parts[table[position + 1 : after_key]] = table[after_key : after_key + size]
        position = after_key + size
    return parts


def join_table(parts: Mapping[bytes, bytes]) -> bytes:
    """Make a table: the inverse of `split_table`."""
    raw = b"".join(bytes((len(key),)) + key + value for key, value in parts.items())
    return _LENGTH.pack(len(raw)) + raw


def split_array(value: bytes) -> list[bytes]:
    """Cut an array value (type letter and length first) into its values."""
    position, values = 5, []
    while position < len(value):
        size = _value_size(value, position)
        values.append(value[position : position + size])
        position += size
    return values


def array(values: Iterable[bytes]) -> bytes:
    """An array value of values."""
    raw = b"".join(values)
    return b"A" + _LENGTH.pack(len(raw)) + raw


def text(value: str) -> bytes:
    """A long string value."""
    raw = value.encode()
    return b"S" + _LENGTH.pack(len(raw)) + raw


def long(value: int) -> bytes:
    """A value of 64 bits."""
    return b"l" + _LONG.pack(value)


def timestamp(value_s: int) -> bytes:
    """A point in time, in seconds."""
    return b"T" + _LONG.pack(value_s)


def table(parts: Mapping[bytes, bytes]) -> bytes:
    """A table value."""
    return b"F" + join_table(parts)


def long_of(value: bytes | None) -> int:
    """The number of a 64-bit value, 0 if it is something else."""
    return _LONG.unpack(value[1:])[0] if value is not None and value[:1] in b"lL" else 0


def with_header(header: bytes, name: str, value: bytes) -> bytes:
    """A header payload with one entry of the `headers` table set."""
    parts = split_properties(header)
    entries = split_table(parts.get("headers", _LENGTH.pack(0)))
    entries[name.encode()] = value
    parts["headers"] = join_table(entries)
    return join_properties(parts, body_size(header))


def without_header(header: bytes, name: str) -> bytes:
    """A header payload without one entry of the `headers` table."""
    parts = split_properties(header)
    entries = split_table(parts.get("headers", _LENGTH.pack(0)))
    entries.pop(name.encode(), None)
    parts["headers"] = join_table(entries)
    return join_properties(parts, body_size(header))


def body_size(header: bytes) -> int:
    """The size of the body that a header payload announces."""
    return int.from_bytes(header[4:HEADER_SIZE], "big")


def _value_size(data: bytes, start: int) -> int:
    """Bytes of the value at `start`, its type letter included."""
    size = _SIZES.get(data[start])
    if size is None:
        size = 4 + int(_LENGTH.unpack_from(data, start + 1)[0])
    return 1 + size
