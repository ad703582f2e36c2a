"""What Lua brings along: the basic functions, `string`, `table`, `math`, and `bit`.

[https://www.lua.org/manual/5.1/manual.html#5]
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable
from random import Random
from typing import Any, Final

from sandbox.brokers.redis.lua.patterns import search
from sandbox.brokers.redis.lua.values import (
    MOST_BYTES,
    Endless,
    Function,
    LuaError,
    Table,
    number,
    text,
    type_name,
)

_FORMAT: Final = re.compile(rb"%([-+ #0]*)(\d*)(?:\.(\d*))?([diouxXcsqeEfgG%])")


def _wrong(position: int, name: str, what: str) -> LuaError:
    return LuaError(f"bad argument #{position} to '{name}' ({what})".encode())


class Arguments:
    """The arguments of a call, with the checks that Lua's library does."""

    def __init__(self, name: str, values: list[Any]) -> None:
        self.name = name
        self.values = values

    def __len__(self) -> int:
        return len(self.values)

    def any(self, position: int) -> Any:
        """An argument; positions count from 1."""
        return self.values[position - 1] if position <= len(self.values) else None

    def _expected(self, position: int, what: str) -> LuaError:
        got = type_name(self.any(position)) if position <= len(self.values) else "no value"
        return _wrong(position, self.name, f"{what} expected, got {got}")

    def text(self, position: int) -> bytes:
        """A text, or a number as text."""
        value = self.any(position)
        if not isinstance(value, (bytes, float)):
            raise self._expected(position, "string")
        return text(value)

    def number(self, position: int, default: float | None = None) -> float:
        """A number, or a text that is one."""
        value = self.any(position)
        if value is None and default is not None:
            return default
        found = number(value)
        if found is None:
            raise self._expected(position, "number")
        return found

    def integer(self, position: int, default: int | None = None) -> int:
        """A number, cut off."""
        found = self.number(position, None if default is None else float(default))
        return int(found) if math.isfinite(found) else 0

    def table(self, position: int) -> Table:
        """A table."""
        value = self.any(position)
        if not isinstance(value, Table):
            raise self._expected(position, "table")
        return value


def function(name: str, body: Callable[[Arguments], Any]) -> Function:
    """Make a Python function one of Lua: a list is its results, anything else the only one."""

    def run(values: list[Any]) -> list[Any]:
        result = body(Arguments(name, values))
        return result if isinstance(result, list) else [result]

    return run


# -- basic -----------------------------------------------------------------------------------------


def _pairs(arguments: Arguments) -> list[Any]:
    items = arguments.table(1).items()

    def step(_: list[Any]) -> list[Any]:
        found = next(items, None)
        return [None] if found is None else list(found)

    return [step, arguments.values[0], None]


def _ipairs(arguments: Arguments) -> list[Any]:
    table = arguments.table(1)

    def step(values: list[Any]) -> list[Any]:
        at = float(values[1]) + 1
        found = table.get(at)
        return [None] if found is None else [at, found]

    return [step, table, 0.0]


def _next(arguments: Arguments) -> list[Any]:
    items = arguments.table(1).items()
    after = arguments.any(2)
    if after is not None:
        for key, _ in items:
            if key == after and type(key) is type(after):
                break
    return list(next(items, (None,)))


def _pcall(arguments: Arguments) -> list[Any]:
    called = arguments.any(1)
    try:
        if not callable(called):
            raise LuaError(f"attempt to call a {type_name(called)} value".encode())
        return [True, *called(arguments.values[1:])]
    except Endless:
        raise
    except LuaError as error:
        return [False, described(error)]


def described(error: LuaError) -> Any:
    """What an error is to a script: its text with the line, or whatever was thrown.

    Of an error of Redis it is the text, though `redis.call` threw a table.
    """
    if isinstance(error.value, Table) and isinstance(error.value.get(b"err"), bytes):
        return error.value.get(b"err")
    if isinstance(error.value, bytes) and error.line:
        return b"user_script:%d: %b" % (error.line, error.value)
    return error.value


def _error(arguments: Arguments) -> Any:
    error = LuaError(arguments.any(1))
    if arguments.integer(2, 1) == 0 or not isinstance(error.value, bytes):
        error.line = 0
    raise error


def _assert(arguments: Arguments) -> list[Any]:
    if not arguments.values:
        raise _wrong(1, "assert", "value expected")
    if arguments.values[0] is None or arguments.values[0] is False:
        message = arguments.any(2)
        raise LuaError(b"assertion failed!" if message is None else message)
    return arguments.values


def _select(arguments: Arguments) -> Any:
    if arguments.any(1) == b"#":
        return float(len(arguments) - 1)
    at = arguments.integer(1)
    if at == 0 or -at > len(arguments) - 1:
        raise _wrong(1, "select", "index out of range")
    return arguments.values[at:]


def _tonumber(arguments: Arguments) -> Any:
    if not arguments.values:
        raise _wrong(1, "tonumber", "value expected")
    return number(arguments.values[0], arguments.integer(2, 10))


def _unpack(arguments: Arguments) -> list[Any]:
    table = arguments.table(1)
    first, last = arguments.integer(2, 1), arguments.integer(3, table.length)
    if last - first > 8000:
        raise LuaError(b"too many results to unpack")
    return [table.get(float(at)) for at in range(first, last + 1)]


def _rawset(arguments: Arguments) -> Table:
    arguments.table(1).set(arguments.any(2), arguments.any(3))
    return arguments.table(1)


def _rawequal(arguments: Arguments) -> bool:
    one, other = arguments.any(1), arguments.any(2)
    return one is other or (type(one) is type(other) and not callable(one) and bool(one == other))


def _loadstring(arguments: Arguments) -> list[Any]:
    raise LuaError(b"loadstring is left out here: write the function into the script")


BASIC: Final[dict[str, Callable[[Arguments], Any]]] = {
    "pairs": _pairs,
    "ipairs": _ipairs,
    "next": _next,
    "pcall": _pcall,
    "error": _error,
    "assert": _assert,
    "select": _select,
    "tonumber": _tonumber,
    "tostring": lambda a: text(a.any(1)),
    "type": lambda a: type_name(a.any(1)).encode(),
    "unpack": _unpack,
    "rawget": lambda a: a.table(1).get(a.any(2)),
    "rawset": _rawset,
    "rawequal": _rawequal,
    "loadstring": _loadstring,
}


# -- string ----------------------------------------------------------------------------------------


def _span(size: int, first: int, last: int) -> tuple[int, int]:
    """From Lua's first and last place to Python's slice."""
    if first < 0:
        first = max(size + first + 1, 1)
    first = max(first, 1)
    if last < 0:
        last = size + last + 1
    return first - 1, max(min(last, size), first - 1)


def _sub(arguments: Arguments) -> bytes:
    whole = arguments.text(1)
    start, end = _span(len(whole), arguments.integer(2, 1), arguments.integer(3, -1))
    return whole[start:end]


def _byte(arguments: Arguments) -> list[Any]:
    whole = arguments.text(1)
    first = arguments.integer(2, 1)
    start, end = _span(len(whole), first, arguments.integer(3, first))
    return [float(byte) for byte in whole[start:end]]


def _char(arguments: Arguments) -> bytes:
    codes = [arguments.integer(at) for at in range(1, len(arguments) + 1)]
    if any(not 0 <= code <= 255 for code in codes):
        raise _wrong(1, "char", "invalid value")
    return bytes(codes)


def _rep(arguments: Arguments) -> bytes:
    whole, times = arguments.text(1), max(arguments.integer(2), 0)
    if len(whole) * times > MOST_BYTES:
        raise LuaError(b"resulting string too large")
    return whole * times


def _find(arguments: Arguments, *, where: bool) -> Any:
    whole, pattern = arguments.text(1), arguments.text(2)
    start, _ = _span(len(whole), arguments.integer(3, 1), -1)
    if start > len(whole):
        return None
    if where and (arguments.any(4) or not set(pattern) & set(b"^$*+?.([%-")):
        at = whole.find(pattern, start)
        return None if at < 0 else [float(at + 1), float(at + len(pattern))]
    found = search(whole, pattern, start)
    if found is None:
        return None
    match, begin, end = found
    captures = match.all_found(begin, end, whole=not where)
    return [float(begin + 1), float(end), *captures] if where else captures


def _gmatch(arguments: Arguments) -> Function:
    whole, pattern, at = arguments.text(1), arguments.text(2), 0

    def step(_: list[Any]) -> list[Any]:
        nonlocal at
        found = search(whole, pattern, at) if at <= len(whole) else None
        if found is None:
            at = len(whole) + 1
            return [None]
        match, begin, end = found
        at = end + 1 if end == begin else end
        return match.all_found(begin, end, whole=True)

    return step


def _gsub(arguments: Arguments) -> list[Any]:
    whole, pattern, instead = arguments.text(1), arguments.text(2), arguments.any(3)
    most = arguments.integer(4, len(whole) + 1)
    if not isinstance(instead, (bytes, float, Table)) and not callable(instead):
        raise _wrong(3, "gsub", "string/function/table expected")
    out, at, done = [], 0, 0
    while done < most:
        found = search(whole, pattern, at)
        if found is None:
            break
        match, begin, end = found
        out.append(whole[at:begin])
        done += 1
        out.append(_replacement(match, begin, end, instead))
        if end > begin:
            at = end
        else:
            out.append(whole[end : end + 1])
            at = end + 1
        if at > len(whole) or pattern[:1] == b"^":
            break
    out.append(whole[at:])
    return [b"".join(out), float(done)]


def _replacement(match: Any, begin: int, end: int, instead: Any) -> bytes:
    if isinstance(instead, (bytes, float)):

        def one(digit: re.Match[bytes]) -> bytes:
            if digit[1] == b"0":
                return bytes(match.text[begin:end])
            if digit[1].isdigit():
                return text(match.found(int(digit[1]) - 1, begin, end))
            return digit[1]

        return re.sub(rb"%(.)", one, text(instead), flags=re.DOTALL)
    captures = match.all_found(begin, end, whole=True)
    if isinstance(instead, Table):
        value = instead.get(captures[0])
    else:
        value = (instead(captures) or [None])[0]
    if value is None or value is False:
        return bytes(match.text[begin:end])
    if not isinstance(value, (bytes, float)):
        raise LuaError(f"invalid replacement value (a {type_name(value)})".encode())
    return text(value)


def _format(arguments: Arguments) -> bytes:
    whole, position = arguments.text(1), 1

    def one(match: re.Match[bytes]) -> bytes:
        nonlocal position
        flags, width, precision, kind = match.groups()
        if kind == b"%":
            return b"%"
        if len(width) > 2 or (precision and len(precision) > 2):
            raise LuaError(b"invalid format (width or precision too long)")
        position += 1
        shape = b"%" + flags + width + (b"" if precision is None else b"." + precision)
        if kind in b"diouxXc":
            amount = arguments.integer(position)
            if kind == b"c":
                return bytes([amount % 256]).rjust(int(width or 0))
            if kind in b"ouxX" and amount < 0:
                amount += 2**64
            if b"#" in flags and kind == b"o":
                shape = shape.replace(b"#", b"")
            return (shape + (b"d" if kind in b"diu" else kind)) % amount
        if kind in b"eEfgG":
            return (shape + kind) % arguments.number(position)
        value = arguments.text(position)
        if kind == b"q":
            for sign, escaped in ((b"\\", b"\\\\"), (b'"', b'\\"'), (b"\n", b"\\\n")):
                value = value.replace(sign, escaped)
            return b'"' + value.replace(b"\r", b"\\r").replace(b"\0", b"\\000") + b'"'
        return (shape + b"s") % value

    rest = _FORMAT.sub(b"", whole)
    if b"%" in rest:
        raise LuaError(b"invalid option in 'format'")
    return _FORMAT.sub(one, whole)


STRING: Final[dict[str, Callable[[Arguments], Any]]] = {
    "sub": _sub,
    "byte": _byte,
    "char": _char,
    "rep": _rep,
    "len": lambda a: float(len(a.text(1))),
    "upper": lambda a: a.text(1).upper(),
    "lower": lambda a: a.text(1).lower(),
    "reverse": lambda a: a.text(1)[::-1],
    "find": lambda a: _find(a, where=True),
    "match": lambda a: _find(a, where=False),
    "gmatch": _gmatch,
    "gsub": _gsub,
    "format": _format,
}


# -- table -----------------------------------------------------------------------------------------


def _insert(arguments: Arguments) -> list[Any]:
    table = arguments.table(1)
    if len(arguments) == 2:
        table.set(float(table.length + 1), arguments.values[1])
        return []
    if len(arguments) != 3:
        raise LuaError(b"wrong number of arguments to 'insert'")
    place = arguments.integer(2)
    for at in range(table.length, place - 1, -1):
        table.set(float(at + 1), table.get(float(at)))
    table.set(float(place), arguments.values[2])
    return []


def _remove(arguments: Arguments) -> Any:
    table = arguments.table(1)
    size = table.length
    place = arguments.integer(2, size)
    if not 1 <= place <= size:
        return []
    taken = table.get(float(place))
    for at in range(place, size):
        table.set(float(at), table.get(float(at + 1)))
    table.set(float(size), None)
    return taken


def _concat(arguments: Arguments) -> bytes:
    table = arguments.table(1)
    between = arguments.text(2) if arguments.any(2) is not None else b""
    first, last = arguments.integer(3, 1), arguments.integer(4, table.length)
    parts = []
    for at in range(first, last + 1):
        part = table.get(float(at))
        if not isinstance(part, (bytes, float)):
            what = f"invalid value ({type_name(part)}) at index {at} in table for 'concat'"
            raise LuaError(what.encode())
        parts.append(text(part))
    if sum(map(len, parts)) + len(between) * len(parts) > MOST_BYTES:
        raise LuaError(b"resulting string too large")
    return between.join(parts)


def _true(results: list[Any]) -> bool:
    return bool(results) and results[0] is not None and results[0] is not False


def _sort(arguments: Arguments) -> list[Any]:
    table, before = arguments.table(1), arguments.any(2)

    def compare(one: Any, other: Any) -> int:
        if callable(before):
            if _true(before([one, other])):
                return -1
            return 1 if _true(before([other, one])) else 0
        if type(one) is not type(other) or not isinstance(one, (bytes, float)):
            kinds = type_name(one), type_name(other)
            if kinds[0] == kinds[1]:
                raise LuaError(f"attempt to compare two {kinds[0]} values".encode())
            raise LuaError(f"attempt to compare {kinds[0]} with {kinds[1]}".encode())
        return int(one > other) - int(one < other)

    for at, value in enumerate(sorted(table.array(), key=functools.cmp_to_key(compare)), 1):
        table.set(float(at), value)
    return []


TABLE: Final[dict[str, Callable[[Arguments], Any]]] = {
    "insert": _insert,
    "remove": _remove,
    "concat": _concat,
    "sort": _sort,
    "getn": lambda a: float(a.table(1).length),
    "maxn": lambda a: max((k for k, _ in a.table(1).items() if isinstance(k, float)), default=0.0),
}


# -- math and bit ----------------------------------------------------------------------------------


def _random(dice: Random) -> dict[str, Callable[[Arguments], Any]]:
    def draw(arguments: Arguments) -> float:
        if not arguments.values:
            return dice.random()
        low, high = (1, arguments.integer(1)) if len(arguments) == 1 else (0, 0)
        if len(arguments) > 1:
            low, high = arguments.integer(1), arguments.integer(2)
        if low > high:
            raise _wrong(len(arguments), "random", "interval is empty")
        return float(dice.randint(low, high))

    def seed(arguments: Arguments) -> list[Any]:
        dice.seed(arguments.integer(1))
        return []

    return {"random": draw, "randomseed": seed}


def _modf(arguments: Arguments) -> list[Any]:
    rest, whole = math.modf(arguments.number(1))
    return [whole, rest]


def _rounded(down: bool) -> Callable[[Arguments], float]:
    def run(arguments: Arguments) -> float:
        value = arguments.number(1)
        if not math.isfinite(value):
            return value
        return float(math.floor(value) if down else math.ceil(value))

    return run


def _log(arguments: Arguments) -> float:
    value = arguments.number(1)
    return math.log(value) if value > 0 else float("-inf") if value == 0 else float("nan")


MATH: Final[dict[str, Callable[[Arguments], Any]]] = {
    "floor": _rounded(True),
    "ceil": _rounded(False),
    "abs": lambda a: abs(a.number(1)),
    "max": lambda a: max(a.number(at) for at in range(1, max(len(a), 1) + 1)),
    "min": lambda a: min(a.number(at) for at in range(1, max(len(a), 1) + 1)),
    "sqrt": lambda a: math.sqrt(a.number(1)) if a.number(1) >= 0 else float("nan"),
    "pow": lambda a: a.number(1) ** a.number(2),
    "exp": lambda a: math.exp(a.number(1)),
    "log": _log,
    "log10": lambda a: _log(a) / math.log(10),
    "fmod": lambda a: math.fmod(a.number(1), a.number(2)) if a.number(2) else float("nan"),
    "mod": lambda a: math.fmod(a.number(1), a.number(2)) if a.number(2) else float("nan"),
    "modf": _modf,
    "sin": lambda a: math.sin(a.number(1)),
    "cos": lambda a: math.cos(a.number(1)),
}


def _signed(value: int) -> float:
    value &= 0xFFFFFFFF
    return float(value - 2**32 if value & 0x80000000 else value)


def _folded(fold: Callable[[int, int], int]) -> Callable[[Arguments], float]:
    return lambda a: _signed(
        functools.reduce(fold, [a.integer(at) & 0xFFFFFFFF for at in range(1, len(a) + 1)])
    )


BIT: Final[dict[str, Callable[[Arguments], Any]]] = {
    "band": _folded(lambda one, other: one & other),
    "bor": _folded(lambda one, other: one | other),
    "bxor": _folded(lambda one, other: one ^ other),
    "bnot": lambda a: _signed(~a.integer(1)),
    "tobit": lambda a: _signed(a.integer(1)),
    "lshift": lambda a: _signed(a.integer(1) << (a.integer(2) & 31)),
    "rshift": lambda a: _signed((a.integer(1) & 0xFFFFFFFF) >> (a.integer(2) & 31)),
    "tohex": lambda a: b"%08x" % (a.integer(1) & 0xFFFFFFFF),
}


def library(name: str, functions: dict[str, Callable[[Arguments], Any]]) -> Table:
    """A table of functions."""
    table = Table()
    for each, body in functions.items():
        table.set(each.encode(), function(each, body))
    table.readonly = bool(name)
    return table


def make_globals(dice: Random) -> Table:
    """The globals a script begins with, but for what is Redis's."""
    table = library("", BASIC)
    math_table = {**MATH, **_random(dice)}
    for name, functions in (
        ("string", STRING),
        ("table", TABLE),
        ("math", math_table),
        ("bit", BIT),
    ):
        table.set(name.encode(), library(name, functions))
    constants = table.get(b"math").values
    constants[b"pi"], constants[b"huge"] = math.pi, math.inf
    table.set(b"_VERSION", b"Lua 5.1")
    return table
