"""Commands that fakeredis gets wrong: waiting in BLMOVE and XREADGROUP, and DUMP.

- BLMOVE on a list that is not there answered at once instead of waiting.
- A blocking XREADGROUP handed entries out and forgot to send them, or did not wait.
- DUMP was a pickle, and a RESTORE of somebody's own pickle would run their code. Here a dump is a
  ticket for a copy this server keeps; it restores on this server alone.
"""

from __future__ import annotations

from copy import deepcopy
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from fakeredis import _msgs as msgs
from fakeredis._command_args_parsing import Int, Timeout
from fakeredis._core import CommandItem
from fakeredis._helpers import OK, SimpleError, SimpleString, casematch
from fakeredis.model import StreamEntryKey, XStream

from sandbox.brokers.redis.commands import command

if TYPE_CHECKING:
    from sandbox.brokers.redis.session import Session

_DUMP = b"sandbox-dump:"
#: How many dumps are kept.
_DUMPS = 1000


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
    there = here if source == target else _list(session, target)
    element: bytes = here.value.pop(0 if first else -1)
    there.value.insert(0 if head else len(there.value), element)
    here.updated()
    here.writeback()
    if there is not here:
        there.updated()
        there.writeback()
    items = [here] if there is here else [here, there]
    for item, event in zip(
        items, (b"lpop" if first else b"rpop", b"lpush" if head else b"rpush"), strict=False
    ):
        session._keyspace_notifications([item], event)
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


# -- XREADGROUP ------------------------------------------------------------------------------------


@command("xreadgroup", 6, -1, flags="2")
def xreadgroup(session: Session, *arguments: bytes) -> Any:
    """XREADGROUP GROUP group consumer [COUNT n] [BLOCK ms] [NOACK] STREAMS key ... id ..."""
    if not casematch(arguments[0], b"group"):
        raise SimpleError(msgs.SYNTAX_ERROR_MSG)
    group, consumer, rest = arguments[1], arguments[2], list(arguments[3:])
    count: int | None = None
    block_ms: int | None = None
    noack = False
    while rest and not casematch(rest[0], b"streams"):
        option = rest.pop(0).lower()
        if option == b"noack":
            noack = True
        elif option == b"count" and rest:
            count = Int.decode(rest.pop(0))
        elif option == b"block" and rest:
            block_ms = Int.decode(rest.pop(0), "ERR timeout is not an integer or out of range")
            if block_ms < 0:
                raise SimpleError("ERR timeout is negative")
        else:
            raise SimpleError(msgs.SYNTAX_ERROR_MSG)
    if not rest or len(rest) < 3 or len(rest) % 2 == 0:
        if rest and len(rest) > 1:
            raise SimpleError(
                "ERR Unbalanced 'xreadgroup' list of streams: for each stream key an ID or '>'"
                " must be specified."
            )
        raise SimpleError(msgs.SYNTAX_ERROR_MSG)
    half = (len(rest) - 1) // 2
    wanted = list(zip(rest[1 : half + 1], rest[half + 1 :], strict=True))
    limit = count if count is not None and count > 0 else None
    attempt = partial(_read_group, session, group, consumer, wanted, limit, noack)
    shape = partial(_shape_group, session)
    if block_ms is None:
        return shape(attempt(True))
    return session._blocking(block_ms / 1000, attempt, shape)


def _read_group(
    session: Session,
    group_name: bytes,
    consumer: bytes,
    wanted: list[tuple[bytes, bytes]],
    count: int | None,
    noack: bool,
    _: bool,
) -> dict[bytes, Any] | None:
    groups = []
    for key, start in wanted:
        item = session._db.get(key)
        if item is not None and not isinstance(item.value, XStream):
            raise SimpleError(msgs.WRONGTYPE_MSG)
        group = item.value.group_get(group_name) if item is not None else None
        if group is None:
            raise SimpleError(
                f"NOGROUP No such key '{_text(key)}' or consumer group '{_text(group_name)}' in"
                " XREADGROUP with GROUP option"
            )
        groups.append((key, start, group))
    result: dict[bytes, Any] = {}
    for key, start, group in groups:
        if start == b">" and group.stream.last_id <= group.last_delivered_key:
            continue  # a consumer that gets nothing is not even noted
        entries = group.group_read(consumer, start, count, noack)
        if entries or start != b">":
            result[key] = entries
            session.broker.server.dirty += 1
    return result or None


def _shape_group(session: Session, result: dict[bytes, Any] | None) -> Any:
    if result is None:
        return None
    if session._resp_version == 2:
        return [[key, entries] for key, entries in result.items()]
    return result


def _text(name: bytes) -> str:
    return name.decode("utf-8", "replace")


@command("xautoclaim", 5, 8)
def xautoclaim(
    session: Session, key: bytes, group_name: bytes, consumer: bytes, idle: bytes, *rest: bytes
) -> list[Any]:
    """XAUTOCLAIM key group consumer min-idle-time start [COUNT n] [JUSTID]."""
    idle_ms = max(Int.decode(idle, "ERR Invalid min-idle-time argument for XAUTOCLAIM"), 0)
    first = StreamEntryKey(0, 0) if rest[0] == b"-" else StreamEntryKey.parse_str(rest[0])
    count, justid, options = 100, False, list(rest[1:])
    while options:
        option = options.pop(0).upper()
        if option == b"JUSTID":
            justid = True
        elif option == b"COUNT" and options:
            try:
                count = Int.decode(options.pop(0))
            except SimpleError:
                count = 0
            if count <= 0:
                raise SimpleError("ERR COUNT must be > 0")
        else:
            raise SimpleError(msgs.SYNTAX_ERROR_MSG)
    stream = _stream(session, key)
    group = stream.group_get(group_name) if stream is not None else None
    if stream is None or group is None:
        raise SimpleError(
            f"NOGROUP No such key '{_text(key)}' or consumer group '{_text(group_name)}'"
        )
    pending = sorted(each for each in group.pel if each >= first)
    looked_at = pending[: 10 * count]
    chosen: list[StreamEntryKey] = []
    for seen, each in enumerate(looked_at):  # noqa: B007  # `seen` is where it stopped
        gone = each not in stream
        if gone or session.broker.server.now_ms - group.pel[each].time_read >= idle_ms:
            chosen.append(each)
        if len(chosen) == count:
            break
    at = seen + 1 if looked_at else 0
    cursor = pending[at].encode() if at < len(pending) else b"0-0"
    ids = [each.encode() for each in chosen]
    claimed, removed = group.claim(idle_ms, ids, consumer, None, False, justid=justid)
    session.broker.server.dirty += len(chosen)
    return [
        cursor,
        [each.encode() if justid else stream.format_record(each) for each in claimed],
        [each.encode() for each in removed],
    ]


@command("xdel", 2, -1)
def xdel(session: Session, key: bytes, *ids: bytes) -> int:
    """XDEL key id ..."""
    stream = _stream(session, key)
    if stream is None:
        return 0
    for each in ids:
        StreamEntryKey.parse_str(each)
    item = CommandItem(key, session._db, item=session._db.get(key))
    deleted = int(stream.delete([each.decode() for each in ids]))
    if deleted:
        item.updated()
        item.writeback(remove_empty_val=False)
        session._keyspace_notifications([item], b"xdel")
    return deleted


@command("xread", 3, -1, flags="2")
def xread(session: Session, *arguments: bytes) -> Any:
    """XREAD [COUNT n] [BLOCK ms] STREAMS key ... id ..."""
    rest = list(arguments)
    count: int | None = None
    block_ms: int | None = None
    while rest and not casematch(rest[0], b"streams"):
        option = rest.pop(0).lower()
        if option == b"count" and rest:
            count = Int.decode(rest.pop(0))
        elif option == b"block" and rest:
            block_ms = Int.decode(rest.pop(0), "ERR timeout is not an integer or out of range")
            if block_ms < 0:
                raise SimpleError("ERR timeout is negative")
        else:
            raise SimpleError(msgs.SYNTAX_ERROR_MSG)
    if len(rest) < 3 or len(rest) % 2 == 0:
        if len(rest) > 1:
            raise SimpleError(
                "ERR Unbalanced 'xread' list of streams: for each stream key an ID or '$' must be"
                " specified."
            )
        raise SimpleError(msgs.SYNTAX_ERROR_MSG)
    half = (len(rest) - 1) // 2
    wanted = []
    for key, start in zip(rest[1 : half + 1], rest[half + 1 :], strict=True):
        stream = _stream(session, key)
        if start == b"$":
            last = stream.last_id if stream is not None else StreamEntryKey(0, 0)
        else:
            last = StreamEntryKey.parse_str(start)
        wanted.append((key, last))
    limit = count if count is not None and count > 0 else None
    attempt = partial(_read, session, wanted, limit)
    shape = partial(_shape_group, session)
    if block_ms is None:
        return shape(attempt(True))
    return session._blocking(block_ms / 1000, attempt, shape)


def _stream(session: Session, key: bytes) -> XStream | None:
    item = session._db.get(key)
    if item is None:
        return None
    if not isinstance(item.value, XStream):
        raise SimpleError(msgs.WRONGTYPE_MSG)
    return item.value


def _read(
    session: Session, wanted: list[tuple[bytes, StreamEntryKey]], count: int | None, _: bool
) -> dict[bytes, Any] | None:
    found: dict[bytes, Any] = {}
    for key, last in wanted:
        stream = _stream(session, key)
        ids = [] if stream is None else stream.stream_read(last, count)
        if stream is not None and ids:
            found[key] = [stream.format_record(each) for each in ids]
    return found or None


# -- DUMP ------------------------------------------------------------------------------------------


@command("dump", 1)
def dump(session: Session, key: bytes) -> bytes | None:
    """DUMP key: a ticket for a copy of its value."""
    item = session._db.get(key)
    if item is None:
        return None
    dumps = session.broker.dumps
    session.broker.last_dump += 1
    ticket = _DUMP + sha256(b"%d %b" % (session.broker.last_dump, key)).digest()
    dumps[ticket] = deepcopy(item.value)
    while len(dumps) > _DUMPS:
        del dumps[next(iter(dumps))]
    return ticket


@command("restore", 3, -1)
def restore(
    session: Session, key: bytes, ttl: bytes, ticket: bytes, *options: bytes
) -> SimpleString:
    """RESTORE key ttl value [REPLACE] [ABSTTL] [IDLETIME s] [FREQ n]."""
    words = [option.upper() for option in options]
    expiry_ms = Int.decode(ttl)
    if key in session._db and b"REPLACE" not in words:
        raise SimpleError("BUSYKEY Target key name already exists.")
    if expiry_ms < 0:
        raise SimpleError("ERR Invalid TTL value, must be >= 0")
    value = session.broker.dumps.get(ticket)
    if value is None:
        raise SimpleError("ERR DUMP payload version or checksum are wrong")
    item = CommandItem(key, session._db, item=None)
    item.value = deepcopy(value)
    if expiry_ms:
        item.expireat = expiry_ms / 1000 + (0 if b"ABSTTL" in words else session._db.time)
    item.writeback()
    return OK
