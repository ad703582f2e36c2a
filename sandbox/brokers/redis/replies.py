"""Replies: from what a command returned to RESP2 or RESP3.

A Python value says which type it becomes: `bytes` a bulk string, `SimpleString` and `SimpleError`
those, `int`, `float`, `dict`, `list`, `None` and, for what only Redis has, the types of this file.
"""

from __future__ import annotations

from typing import Any, Final

from fakeredis._helpers import SimpleError, SimpleString

#: Commands whose "nothing" is a null array in RESP2, not a null bulk string.
NULL_ARRAYS: Final = frozenset(
    (
        "exec",
        "blpop",
        "brpop",
        "blmpop",
        "lmpop",
        "bzpopmin",
        "bzpopmax",
        "bzmpop",
        "zmpop",
        "xread",
        "xreadgroup",
    )
)
#: Commands whose array is a set in RESP3.
SETS: Final = frozenset(("smembers", "sinter", "sunion", "sdiff"))

_INT64: Final = 2**63


class Push(list[Any]):
    """A message nobody asked for: an array of a type of its own in RESP3."""


class SetReply(list[Any]):
    """An array that RESP3 calls a set."""


class NullArray(SimpleString):
    """No array."""


class Verbatim(SimpleString):
    """Text for people, as INFO gives it."""


class Written(SimpleString):
    """A number that is written already: a double in RESP3, text in RESP2."""


NULL_ARRAY: Final = NullArray(b"")


def encode(value: Any, resp: int) -> bytes:
    """Write a reply as RESP2 or RESP3 has it."""
    parts: list[bytes] = []
    _write(value, resp == 3, parts.append)
    return b"".join(parts)


def _write(value: Any, three: bool, add: Any) -> None:
    kind = type(value)
    if kind is bytes:
        add(b"$%d\r\n%b\r\n" % (len(value), value))
    elif kind is int:
        add(_integer(value, three))
    elif value is None:
        add(b"_\r\n" if three else b"$-1\r\n")
    elif kind is list or kind is tuple or kind is Push:
        add((b">%d\r\n" if three and kind is Push else b"*%d\r\n") % len(value))
        for item in value:
            _write(item, three, add)
    elif kind is dict:
        add(b"%%%d\r\n" % len(value) if three else b"*%d\r\n" % (2 * len(value)))
        for key, item in value.items():
            _write(key, three, add)
            _write(item, three, add)
    elif kind is SetReply:
        add((b"~%d\r\n" if three else b"*%d\r\n") % len(value))
        for item in value:
            _write(item, three, add)
    elif kind is NullArray:
        add(b"_\r\n" if three else b"*-1\r\n")
    elif kind is Verbatim:
        text = value.value
        add(b"=%d\r\ntxt:%b\r\n" % (len(text) + 4, text) if three else b"")
        if not three:
            _write(text, three, add)
    else:
        _write_rarer(value, three, add)


def _write_rarer(value: Any, three: bool, add: Any) -> None:
    if isinstance(value, Written):
        digits = value.value
        add(b",%b\r\n" % digits if three else b"$%d\r\n%b\r\n" % (len(digits), digits))
    elif isinstance(value, SimpleString):
        add(b"+%b\r\n" % value.value)
    elif isinstance(value, SimpleError):
        text = value.value.replace("\r", " ").replace("\n", " ")
        add(b"-%b\r\n" % text.encode("utf-8", "surrogateescape"))
    elif isinstance(value, bool):
        add((b"#t\r\n" if value else b"#f\r\n") if three else b":%d\r\n" % value)
    elif isinstance(value, float):
        text = _double(value)
        add(b",%b\r\n" % text.encode() if three else b"$%d\r\n%b\r\n" % (len(text), text.encode()))
    elif isinstance(value, str):
        _write(value.encode("utf-8", "surrogateescape"), three, add)
    elif isinstance(value, int):
        add(_integer(value, three))
    else:
        raise TypeError(
            f"a reply of the type {type(value).__name__} has no encoding; see replies.py"
        )


def _integer(value: int, three: bool) -> bytes:
    if -_INT64 <= value < _INT64:
        return b":%d\r\n" % value
    digits = b"%d" % value
    return b"(%b\r\n" % digits if three else b"$%d\r\n%b\r\n" % (len(digits), digits)


def _double(value: float) -> str:
    if value != value:
        return "nan"
    if value in (float("inf"), float("-inf")):
        return "inf" if value > 0 else "-inf"
    return f"{value:.17g}"
