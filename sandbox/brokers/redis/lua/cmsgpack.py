"""`cmsgpack`: between Lua's values and MessagePack.

[https://redis.io/docs/latest/develop/programmability/lua-api/#cmsgpack-library,
https://github.com/msgpack/msgpack/blob/master/spec.md]
"""

from __future__ import annotations

import struct
from typing import Any

from sandbox.brokers.redis.lua.library import Arguments, library
from sandbox.brokers.redis.lua.values import LuaError, Table

_DEPTH = 16


def _pack(arguments: Arguments) -> bytes:
    if not arguments.values:
        raise LuaError(b"bad argument #0 to 'pack' (MessagePack pack needs input.)")
    return b"".join(_packed(value, 0) for value in arguments.values)


def _packed(value: Any, depth: int) -> bytes:
    if value is None or depth > _DEPTH:
        return b"\xc0"
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, float):
        return _packed_number(value)
    if isinstance(value, bytes):
        return _headed(len(value), (0xA0, 32), (0xD9, 0xDA, 0xDB)) + value
    if not isinstance(value, Table):
        return b"\xc0"
    if value.length == len(value.values):
        items = [_packed(item, depth + 1) for item in value.array()]
        return _headed(len(items), (0x90, 16), (None, 0xDC, 0xDD)) + b"".join(items)
    pairs = [_packed(k, depth + 1) + _packed(v, depth + 1) for k, v in value.items()]
    return _headed(len(pairs), (0x80, 16), (None, 0xDE, 0xDF)) + b"".join(pairs)


def _headed(size: int, small: tuple[int, int], kinds: tuple[int | None, int, int]) -> bytes:
    if size < small[1]:
        return bytes([small[0] + size])
    if size < 256 and kinds[0] is not None:
        return bytes([kinds[0], size])
    if size < 65536:
        return struct.pack(">BH", kinds[1], size)
    return struct.pack(">BI", kinds[2], size)


def _packed_number(value: float) -> bytes:
    if value != value or abs(value) >= 2.0**63 or value != int(value):
        short = abs(value) < 3e38 and struct.unpack(">f", struct.pack(">f", value))[0] == value
        return struct.pack(">Bf", 0xCA, value) if short else struct.pack(">Bd", 0xCB, value)
    whole = int(value)
    if 0 <= whole < 128 or -32 <= whole < 0:
        return struct.pack(">B" if whole >= 0 else ">b", whole)
    shapes = "BHIQ" if whole > 0 else "bhiq"
    kind = 0xCC if whole > 0 else 0xD0
    for at, shape in enumerate(shapes):
        try:
            return struct.pack(">B" + shape, kind + at, whole)
        except struct.error:
            continue
    return struct.pack(">Bd", 0xCB, value)


def _unpack(arguments: Arguments) -> list[Any]:
    data, at, found = arguments.text(1), 0, []
    while at < len(data):
        value, at = _unpacked(data, at, 0)
        found.append(value)
    return found


def _bytes(data: bytes, at: int, size: int) -> tuple[bytes, int]:
    if at + size > len(data):
        raise LuaError(b"Missing bytes in input.")
    return data[at : at + size], at + size


def _number(data: bytes, at: int, shape: str) -> tuple[Any, int]:
    part, at = _bytes(data, at, struct.calcsize(shape))
    return struct.unpack(shape, part)[0], at


_NUMBERS = {
    0xCA: ">f", 0xCB: ">d", 0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q",
    0xD0: ">b", 0xD1: ">h", 0xD2: ">i", 0xD3: ">q",
}  # fmt: skip
_TEXTS = {0xD9: ">B", 0xDA: ">H", 0xDB: ">I", 0xC4: ">B", 0xC5: ">H", 0xC6: ">I"}
_TABLES = {0xDC: (">H", False), 0xDD: (">I", False), 0xDE: (">H", True), 0xDF: (">I", True)}


def _unpacked(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    if depth > _DEPTH * 8:
        raise LuaError(b"Bad data format in input.")
    kind, at = _number(data, at, ">B")
    if kind < 0x80 or kind >= 0xE0:
        return float(kind if kind < 0x80 else kind - 256), at
    if kind in (0xC0, 0xC2, 0xC3):
        return {0xC0: None, 0xC2: False, 0xC3: True}[kind], at
    if kind in _NUMBERS:
        value, at = _number(data, at, _NUMBERS[kind])
        return float(value), at
    if 0xA0 <= kind < 0xC0 or kind in _TEXTS:
        size = kind - 0xA0
        if kind in _TEXTS:
            size, at = _number(data, at, _TEXTS[kind])
        return _bytes(data, at, size)
    if kind < 0xA0:
        size, pairs = kind & 15, kind < 0x90
    elif kind in _TABLES:
        shape, pairs = _TABLES[kind]
        size, at = _number(data, at, shape)
    else:
        raise LuaError(b"Bad data format in input.")
    table = Table()
    for number in range(1, size + 1):
        key: Any = float(number)
        if pairs:
            key, at = _unpacked(data, at, depth + 1)
        value, at = _unpacked(data, at, depth + 1)
        table.set(key, value)
    return table, at


def make() -> Table:
    """The library."""
    table = library("", {"pack": _pack, "unpack": _unpack})
    table.readonly = True
    return table
