"""`cjson`: between Lua's values and JSON, as Redis's scripts know it.

[https://redis.io/docs/latest/develop/programmability/lua-api/#cjson-library]
"""

from __future__ import annotations

import json
from typing import Any, Final

from sandbox.brokers.redis.lua.library import Arguments, library
from sandbox.brokers.redis.lua.values import LuaError, Table, number_text, type_name

#: JSON's null; a value of its own, since nil would be nothing.
NULL: Final = Table()
NULL.readonly = True
_DEPTH: Final = 1000
#: A table whose largest number is this many times its size is no array but an error.
_SPARSE: Final = 2
_SAFE: Final = 10


def _encode(arguments: Arguments) -> bytes:
    if len(arguments) != 1:
        raise LuaError(b"bad argument #1 to 'encode' (expected 1 argument)")
    return _encoded(arguments.values[0], 0)


def _encoded(value: Any, depth: int) -> bytes:
    if depth > _DEPTH:
        raise LuaError(b"Cannot serialise, excessive depth (%d)" % depth)
    if value is None or value is NULL:
        return b"null"
    if isinstance(value, bool):
        return b"true" if value else b"false"
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            raise LuaError(b"Cannot serialise number: must not be NaN or Infinity")
        return number_text(value)
    if isinstance(value, bytes):
        return _quoted(value)
    if not isinstance(value, Table):
        what = f"Cannot serialise {type_name(value)}: type not supported"
        raise LuaError(what.encode())
    size = _array_size(value)
    if size:
        items = [_encoded(value.get(float(at)), depth + 1) for at in range(1, size + 1)]
        return b"[" + b",".join(items) + b"]"
    pairs = []
    for key, item in value.items():
        if not isinstance(key, (bytes, float)):
            raise LuaError(b"Cannot serialise table: table key must be a number or string")
        name = number_text(key) if isinstance(key, float) else key
        pairs.append(_quoted(name) + b":" + _encoded(item, depth + 1))
    return b"{" + b",".join(pairs) + b"}"


def _array_size(table: Table) -> int:
    """The largest index if all keys are indexes, else 0."""
    largest = 0
    count = 0
    for key, _ in table.items():
        if not (isinstance(key, float) and key >= 1 and key == int(key)):
            return 0
        largest, count = max(largest, int(key)), count + 1
    if largest > count * _SPARSE and largest > _SAFE:
        raise LuaError(b"Cannot serialise table: excessively sparse array")
    return largest


def _quoted(value: bytes) -> bytes:
    out = bytearray(b'"')
    for byte in value:
        escaped = _ESCAPES.get(byte)
        if escaped is not None:
            out += escaped
        elif byte < 32 or byte == 127:
            out += b"\\u%04x" % byte
        else:
            out.append(byte)
    return bytes(out + b'"')


_ESCAPES: Final = {
    ord('"'): b'\\"', ord("\\"): b"\\\\", ord("/"): b"\\/", 8: b"\\b", 12: b"\\f", 10: b"\\n",
    13: b"\\r", 9: b"\\t",
}  # fmt: skip


def _decode(arguments: Arguments) -> Any:
    source = arguments.text(1)
    try:
        # Bytes that are no UTF-8 survive as halves of characters.
        found = json.loads(source.decode("utf-8", "surrogateescape"), strict=False)
    except (ValueError, RecursionError) as error:
        at = getattr(error, "pos", 0) + 1
        what = "T_END" if at > len(source) else "invalid token"
        raise LuaError(f"Expected value but found {what} at character {at}".encode()) from None
    return _lua(found)


def _lua(value: Any) -> Any:
    if value is None:
        return NULL
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        return float(value)
    if isinstance(value, str):
        try:
            return value.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:  # half of a character that JSON wrote as an escape
            return value.encode("utf-8", "surrogatepass")
    if isinstance(value, list):
        return Table([_lua(item) for item in value])
    table = Table()
    for key, item in value.items():
        table.set(_lua(key), _lua(item))
    return table


def make() -> Table:
    """The library."""
    table = library("", {"encode": _encode, "decode": _decode})
    table.set(b"null", NULL)
    table.readonly = True
    return table
