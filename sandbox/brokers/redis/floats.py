"""INCRBYFLOAT and HINCRBYFLOAT, which count in more digits than a Python float has.

Redis adds in the machine's long numbers and writes seventeen places, without the zeros at the end.
[https://redis.io/docs/latest/commands/incrbyfloat/]
"""

from __future__ import annotations

import re
from decimal import Context, Decimal
from typing import TYPE_CHECKING, Final

from fakeredis import _msgs as msgs
from fakeredis._core import CommandItem
from fakeredis._helpers import SimpleError
from fakeredis.model import Hash

from sandbox.brokers.redis.commands import command

if TYPE_CHECKING:
    from sandbox.brokers.redis.session import Session

_NUMBER: Final = re.compile(rb"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?")
_INFINITE: Final = re.compile(rb"[+-]?inf(?:inity)?", re.IGNORECASE)
#: As precise as 64 bits are, and some.
_EXACT: Final = Context(prec=60)
_PLACES: Final = 17
#: The largest of the machine's long numbers has about so many digits.
_MOST_DIGITS: Final = 4932


def _read(text: bytes, what: str) -> Decimal:
    if _INFINITE.fullmatch(text):
        return Decimal("-inf" if text[:1] == b"-" else "inf")
    if len(text) > 200 or not _NUMBER.fullmatch(text):
        raise SimpleError(what)
    return Decimal(text.decode())


def _added(before: bytes, amount: bytes, what: str) -> bytes:
    one, other = _read(before, what), _read(amount, msgs.INVALID_FLOAT_MSG)
    if not one.is_finite() or not other.is_finite():
        raise SimpleError("ERR increment would produce NaN or Infinity")
    total = _EXACT.add(one, other)
    if total.adjusted() > _MOST_DIGITS:
        raise SimpleError("ERR increment would produce NaN or Infinity")
    text = f"{total:.{_PLACES}f}"
    text = text.rstrip("0").rstrip(".")
    return b"0" if text in ("-0", "") else text.encode()


@command("incrbyfloat", 2)
def incrbyfloat(session: Session, key: bytes, amount: bytes) -> bytes:
    """INCRBYFLOAT key amount."""
    found = session._db.get(key)
    if found is not None and not isinstance(found.value, bytes):
        raise SimpleError(msgs.WRONGTYPE_MSG)
    made = _added(b"0" if found is None else found.value, amount, msgs.INVALID_FLOAT_MSG)
    item = CommandItem(key, session._db, item=found)
    item.update(made)
    item.writeback()
    session._keyspace_notifications([item], b"incrbyfloat")
    return made


@command("hincrbyfloat", 3)
def hincrbyfloat(session: Session, key: bytes, field: bytes, amount: bytes) -> bytes:
    """HINCRBYFLOAT key field amount."""
    if _INFINITE.fullmatch(amount):
        raise SimpleError("ERR value is NaN or Infinity")
    found = session._db.get(key)
    if found is not None and not isinstance(found.value, Hash):
        raise SimpleError(msgs.WRONGTYPE_MSG)
    value = Hash() if found is None else found.value
    before = value.get(field)
    made = _added(b"0" if before is None else before, amount, "ERR hash value is not a float")
    expires_ms = value.get_key_expireat(field)
    value[field] = made
    if expires_ms is not None:
        value.set_key_expireat(field, expires_ms)
    item = CommandItem(key, session._db, item=found)
    item.update(value)
    item.writeback()
    session._keyspace_notifications([item], b"hincrbyfloat")
    return made
