"""Moves between lists: RPOPLPUSH, LMOVE and those that wait.

fakeredis's BLMOVE on a list that is not there answered at once instead of waiting.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from fakeredis import _msgs as msgs
from fakeredis._command_args_parsing import Timeout
from fakeredis._core import CommandItem
from fakeredis._helpers import SimpleError, casematch

from sandbox.brokers.redis.commands import command

if TYPE_CHECKING:
    from sandbox.brokers.redis.session import Session


class TargetError(SimpleError):
    """The list to move to is none: who waits to move is told, and waits no longer."""


def _list(session: Session, key: bytes) -> CommandItem:
    item = CommandItem(key, session._db, item=session._db.get(key), default=[])
    if not isinstance(item.value, list):
        raise SimpleError(msgs.WRONGTYPE_MSG)
    return item


def _side(word: bytes) -> bool:
    if casematch(word, b"left"):
        return True
    if casematch(word, b"right"):
        return False
    raise SimpleError(msgs.SYNTAX_ERROR_MSG)


def _move(
    session: Session, source: bytes, target: bytes, first: bool, head: bool, _: bool
) -> bytes | None:
    here = _list(session, source)
    if not here.value:
        return None
    try:
        there = here if source == target else _list(session, target)
    except SimpleError as error:
        raise TargetError(error.value) from None
    element: bytes = here.value.pop(0 if first else -1)
    there.value.insert(0 if head else len(there.value), element)
    here.updated()
    here.writeback()
    if there is not here:
        there.updated()
        there.writeback()
    put, taken = (b"lpush" if head else b"rpush"), (b"lpop" if first else b"rpop")
    for key, event in ((target, put), (source, taken)):
        session.broker.notify(session._db_num, key, event, key not in session._db._dict)
    return element


@command("lmove", 4)
def lmove(session: Session, source: bytes, target: bytes, take: bytes, put: bytes) -> bytes | None:
    """LMOVE source destination LEFT|RIGHT LEFT|RIGHT."""
    return _move(session, source, target, _side(take), _side(put), True)


@command("blmove", 5)
def blmove(
    session: Session, source: bytes, target: bytes, take: bytes, put: bytes, timeout: bytes
) -> Any:
    """BLMOVE source destination LEFT|RIGHT LEFT|RIGHT timeout."""
    attempt = partial(_move, session, source, target, _side(take), _side(put))
    return session._blocking(Timeout.decode(timeout), attempt)


@command("rpoplpush", 2)
def rpoplpush(session: Session, source: bytes, target: bytes) -> bytes | None:
    """RPOPLPUSH source destination."""
    return _move(session, source, target, False, True, True)


@command("brpoplpush", 3, flags="s")
def brpoplpush(session: Session, source: bytes, target: bytes, timeout: bytes) -> Any:
    """BRPOPLPUSH source destination timeout."""
    attempt = partial(_move, session, source, target, False, True)
    return session._blocking(Timeout.decode(timeout), attempt)
