"""DUMP and RESTORE.

fakeredis's dump is a pickle, and a RESTORE of somebody's own pickle would run their code. Here it
is plain data with a checksum, which any of these servers restores; Redis itself does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fakeredis import _msgs as msgs
from fakeredis._command_args_parsing import Int
from fakeredis._core import CommandItem
from fakeredis._helpers import OK, SimpleError, SimpleString

from sandbox.brokers.redis.commands import command
from sandbox.brokers.redis.values import dumped, restored

if TYPE_CHECKING:
    from sandbox.brokers.redis.session import Session


@command("dump", 1)
def dump(session: Session, key: bytes) -> bytes | None:
    """DUMP key."""
    item = session._db.get(key)
    return None if item is None else dumped(item.value)


@command("restore", 3, -1)
def restore(
    session: Session, key: bytes, ttl: bytes, payload: bytes, *options: bytes
) -> SimpleString:
    """RESTORE key ttl value [REPLACE] [ABSTTL] [IDLETIME s] [FREQ n]."""
    words, replace, absolute = list(options), False, False
    while words:
        word = words.pop(0).upper()
        if word == b"REPLACE":
            replace = True
        elif word == b"ABSTTL":
            absolute = True
        elif word in (b"IDLETIME", b"FREQ") and words:
            if Int.decode(words.pop(0)) < 0:
                raise SimpleError(f"ERR Invalid {word.decode()} value, must be >= 0")
        else:
            raise SimpleError(msgs.SYNTAX_ERROR_MSG)
    expiry_ms = Int.decode(ttl)
    if key in session._db and not replace:
        raise SimpleError("BUSYKEY Target key name already exists.")
    if expiry_ms < 0:
        raise SimpleError("ERR Invalid TTL value, must be >= 0")
    try:
        value = restored(payload)
    except ValueError:
        raise SimpleError("ERR DUMP payload version or checksum are wrong") from None
    item = CommandItem(key, session._db, item=None)
    item.value = value
    if expiry_ms:
        item.expireat = expiry_ms / 1000 + (0 if absolute else session._db.time)
    item.writeback(remove_empty_val=False)
    if session.broker.settings.notify:
        session.broker.notify(session._db_num, key, b"restore", False)
    return OK
