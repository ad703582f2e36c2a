"""Field tables (headers, arguments, client properties) as plain data.

A table's values carry their type on the wire. Here they become what a trace, a check or a learner
can use: numbers, strings, bytes, booleans, None, lists and dicts. The type names are kept beside
the values of the outermost table, because RabbitMQ names them in its errors ("received the value
'1001' of type 'short'").

Decoding is strict and bounded, unlike a client library's: these bytes come from anybody.
[amqp-0-9-1 4.2.5.5, with RabbitMQ's errata for the type letters]

To support another type letter, add it to `_FIXED` or to `_decode_value`.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from struct import Struct
from struct import error as struct_error
from typing import Any, Final

from pamqp import encode

#: Tables inside tables inside tables ... deeper than this is an attack, not a message.
MAX_DEPTH: Final = 64

#: Type letter -> (RabbitMQ's name, layout) where the layout is one number.
_FIXED: Final[Mapping[int, tuple[str, Struct]]] = {
    ord("t"): ("bool", Struct(">?")),
    ord("b"): ("byte", Struct(">b")),
    ord("B"): ("unsignedbyte", Struct(">B")),
    ord("s"): ("short", Struct(">h")),
    ord("u"): ("unsignedshort", Struct(">H")),
    ord("I"): ("signedint", Struct(">i")),
    ord("i"): ("unsignedint", Struct(">I")),
    ord("l"): ("long", Struct(">q")),
    ord("L"): ("long", Struct(">q")),
    ord("f"): ("float", Struct(">f")),
    ord("d"): ("double", Struct(">d")),
    ord("T"): ("timestamp", Struct(">Q")),
}
_LENGTH: Final = Struct(">I")
_DECIMAL: Final = Struct(">Bi")


class MalformedTableError(ValueError):
    """The bytes are no field table."""


class FieldTable(dict[str, Any]):
    """A dict of plain values; `types` has RabbitMQ's name of each value's wire type."""

    def __init__(self) -> None:
        super().__init__()
        self.types: dict[str, str] = {}


def decode_table(data: bytes, start: int, limit: int) -> tuple[FieldTable, int]:
    """Read the table that begins at `start` and must end before `limit`.

    Returns: the table, and where what follows it begins.

    Raises:
        MalformedTableError: the bytes are no table, or one nested too deeply.
    """
    try:
        return _decode_table(data, start, limit, 0)
    except (struct_error, UnicodeDecodeError, IndexError) as problem:
        raise MalformedTableError(str(problem)) from problem


def encode_table(table: Mapping[str, Any]) -> bytes:
    """Write a table of plain values; numbers get the smallest type that holds them."""
    return encode.field_table(dict(table))


def _decode_table(data: bytes, start: int, limit: int, depth: int) -> tuple[FieldTable, int]:
    position, end = _enter(data, start, limit, depth)
    table = FieldTable()
    while position < end:
        after_key = position + 1 + data[position]
        if after_key >= end:
            raise MalformedTableError("a key runs past the table's end")
        key = data[position + 1 : after_key].decode()
        table.types[key], table[key], position = _decode_value(data, after_key, end, depth)
    return table, end


def _decode_array(data: bytes, start: int, limit: int, depth: int) -> tuple[list[Any], int]:
    position, end = _enter(data, start, limit, depth)
    values = []
    while position < end:
        _, value, position = _decode_value(data, position, end, depth)
        values.append(value)
    return values, end


def _enter(data: bytes, start: int, limit: int, depth: int) -> tuple[int, int]:
    if depth > MAX_DEPTH:
        raise MalformedTableError("nested too deeply")
    if start + 4 > limit:
        raise MalformedTableError("the length is cut off")
    end = start + 4 + _LENGTH.unpack_from(data, start)[0]
    if end > limit:
        raise MalformedTableError("longer than the data around it")
    return start + 4, end


def _decode_value(data: bytes, start: int, end: int, depth: int) -> tuple[str, Any, int]:
    letter = data[start]
    start += 1
    fixed = _FIXED.get(letter)
    if fixed is not None:
        name, layout = fixed
        after = start + layout.size
        if after > end:
            raise MalformedTableError("a value runs past the table's end")
        return name, layout.unpack_from(data, start)[0], after
    if letter in b"Sx":
        if start + 4 > end:
            raise MalformedTableError("a length is cut off")
        after = start + 4 + _LENGTH.unpack_from(data, start)[0]
        if after > end:
            raise MalformedTableError("a string runs past the table's end")
        raw = data[start + 4 : after]
        return ("longstr", as_text(raw), after) if letter == ord("S") else ("binary", raw, after)
    if letter == ord("F"):
        table, after = _decode_table(data, start, end, depth + 1)
        return "table", dict(table), after
    if letter == ord("A"):
        values, after = _decode_array(data, start, end, depth + 1)
        return "array", values, after
    if letter == ord("V"):
        return "void", None, start
    if letter == ord("D"):
        if start + 5 > end:
            raise MalformedTableError("a decimal runs past the table's end")
        scale, digits = _DECIMAL.unpack_from(data, start)
        return "decimal", str(Decimal(digits).scaleb(-scale)), start + 5
    raise MalformedTableError(f"unknown type {letter}")


def as_text(raw: bytes) -> str | bytes:
    """A long string as text where it is UTF-8, else as it is."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw
