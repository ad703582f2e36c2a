"""XADD, XLEN, XRANGE, XDEL, XTRIM, XREAD, XSETID and XINFO STREAM.

[https://redis.io/docs/latest/commands/?group=stream; t_stream.c of Redis 7]
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from fakeredis import _msgs as msgs
from fakeredis._command_args_parsing import Int
from fakeredis._core._database import Item
from fakeredis._helpers import OK, SimpleError, SimpleString
from fakeredis.model import StreamEntryKey
from fakeredis.model._stream import MAX_ID_PART, MAX_KEY, MIN_KEY, StreamRangeTest

from sandbox.brokers.redis.commands import command
from sandbox.brokers.redis.replies import NULL_ARRAY
from sandbox.brokers.redis.stream import Group, Stream

if TYPE_CHECKING:
    from sandbox.brokers.redis.session import Session

_TIMEOUT = "ERR timeout is not an integer or out of range"


def stream_at(session: Session, key: bytes) -> Stream | None:
    """The stream at a key, or None.

    Raises:
        SimpleError: WRONGTYPE.
    """
    item = session._db.get(key)
    if item is None:
        return None
    if not isinstance(item.value, Stream):
        raise SimpleError(msgs.WRONGTYPE_MSG)
    return item.value


def changed(session: Session, key: bytes, event: bytes) -> None:
    """A stream changed: tell those who watch, wait or listen."""
    session._db.notify_watch(key)
    if session.broker.settings.notify:
        session.broker.notify(session._db_num, key, event, False)


def altered(session: Session, key: bytes, event: bytes) -> None:
    """A group of a stream changed: tell who waits or listens; to who watches it is no change."""
    server = session.broker.server
    server.dirty += 1
    server.touched.append((session._db_num, key))
    if session.broker.settings.notify:
        session.broker.notify(session._db_num, key, event, False)


@command("xadd", 4, -1)
def xadd(session: Session, key: bytes, *arguments: bytes) -> bytes | None:
    """XADD key [NOMKSTREAM] [MAXLEN|MINID [=|~] n [LIMIT n]] *|id field value ..."""
    options = session._parse_add_trim_args(arguments, xadd=True)
    fields = list(arguments[options.id_index + 1 :])
    if len(fields) < 2 or len(fields) % 2:
        raise SimpleError(msgs.WRONG_ARGS_MSG6.format("xadd"))
    if options.entry_id == MIN_KEY and options.seq_given:
        raise SimpleError(msgs.XADD_ID_ZERO_MSG)
    found = stream_at(session, key)
    if found is None and options.nomkstream:
        return None
    stream = Stream() if found is None else found
    if stream.last_id == MAX_KEY:
        raise SimpleError(msgs.XADD_IDS_EXHAUSTED_MSG)
    entry = stream.next_id(options.entry_id, options.seq_given)
    if entry is None:
        raise SimpleError(msgs.XADD_ID_LOWER_THAN_LAST)
    if found is None:
        session._db[key] = Item(stream)
    stream.add(fields, entry, *session._stream_node_limits())
    changed(session, key, b"xadd")
    if _may_trim(stream, options) and session._trim_stream(stream, options):
        changed(session, key, b"xtrim")
    return b"%d-%d" % entry


def _may_trim(stream: Stream, options: Any) -> bool:
    if options.maxlen is not None:
        return len(stream._ids) > int(options.maxlen)
    return options.minid is not None and any(key < options.minid for key in stream._ids[:1])


@command("xtrim", 3, -1)
def xtrim(session: Session, key: bytes, *arguments: bytes) -> int:
    """XTRIM key MAXLEN|MINID [=|~] n [LIMIT n]."""
    options = session._parse_add_trim_args(arguments, xadd=False)
    stream = stream_at(session, key)
    if stream is None or not _may_trim(stream, options):
        return 0
    trimmed = int(session._trim_stream(stream, options))
    if trimmed:
        changed(session, key, b"xtrim")
    return trimmed


@command("xlen", 1)
def xlen(session: Session, key: bytes) -> int:
    """XLEN key."""
    stream = stream_at(session, key)
    return 0 if stream is None else len(stream._ids)


def _range(session: Session, key: bytes, low: bytes, high: bytes, rest: Any, back: bool) -> Any:
    if back:
        highest, lowest = _bound(high, MAX_ID_PART), _bound(low, 0)
    else:
        lowest, highest = _bound(low, 0), _bound(high, MAX_ID_PART)
    count = None
    words = list(rest)
    while words:
        if words.pop(0).lower() != b"count" or not words:
            raise SimpleError(msgs.SYNTAX_ERROR_MSG)
        count = max(Int.decode(words.pop(0)), 0)
    stream = stream_at(session, key)
    if stream is None:
        return []
    if count == 0:
        return NULL_ARRAY
    return stream.irange(lowest, highest, reverse=back, count=count)


def _bound(word: bytes, missing: int) -> StreamRangeTest:
    if word[:1] == b"(" and word[1:] in (b"-", b"+"):
        raise SimpleError(msgs.XADD_INVALID_ID)
    bound = StreamRangeTest.decode(word, missing_seq=missing)
    if word[:1] == b"(" and b"-" not in word:
        bound.value = StreamEntryKey(int(word[1:]), missing)
    return bound


@command("xrange", 3, -1)
def xrange(session: Session, key: bytes, start: bytes, end: bytes, *rest: bytes) -> Any:
    """XRANGE key start end [COUNT n]."""
    return _range(session, key, start, end, rest, False)


@command("xrevrange", 3, -1)
def xrevrange(session: Session, key: bytes, end: bytes, start: bytes, *rest: bytes) -> Any:
    """XREVRANGE key end start [COUNT n]."""
    return _range(session, key, start, end, rest, True)


@command("xdel", 2, -1)
def xdel(session: Session, key: bytes, *ids: bytes) -> int:
    """XDEL key id ..."""
    stream = stream_at(session, key)
    if stream is None:
        return 0
    keys = [StreamEntryKey.parse_str(each) for each in ids]
    deleted = sum(stream.discard(each) for each in keys)
    if deleted:
        changed(session, key, b"xdel")
    return deleted


@command("xsetid", 2, 6)
def xsetid(session: Session, key: bytes, last: bytes, *options: bytes) -> SimpleString:
    """XSETID key last-id [ENTRIESADDED n] [MAXDELETEDID id]."""
    wanted, added, deleted = StreamEntryKey.parse_str(last), None, None
    words = list(options)
    while words:
        word = words.pop(0).lower()
        if word == b"entriesadded" and words:
            added = Int.decode(words.pop(0))
            if added < 0:
                raise SimpleError("ERR entries_added must be positive")
        elif word == b"maxdeletedid" and words:
            deleted = StreamEntryKey.parse_str(words.pop(0))
            if wanted < deleted:
                raise SimpleError(
                    "ERR The ID specified in XSETID is smaller than the provided"
                    " max_deleted_entry_id"
                )
        else:
            raise SimpleError(msgs.SYNTAX_ERROR_MSG)
    stream = stream_at(session, key)
    if stream is None:
        raise SimpleError("ERR no such key")
    if wanted < stream._max_deleted_id and session.broker.version >= (7, 2):
        raise SimpleError(
            "ERR The ID specified in XSETID is smaller than current max_deleted_entry_id"
        )
    if stream._ids:
        if wanted < stream._ids[-1]:
            raise SimpleError(
                "ERR The ID specified in XSETID is smaller than the target stream top item"
            )
        if added is not None and len(stream._ids) > added:
            raise SimpleError(
                "ERR The entries_added specified in XSETID is smaller than the target stream length"
            )
    stream._last_id = wanted
    if added is not None:
        stream._entries_added = added
    if deleted is not None and deleted != MIN_KEY:
        stream._max_deleted_id = deleted
    changed(session, key, b"xsetid")
    return OK


# -- reading ---------------------------------------------------------------------------------------


def read_options(name: str, words: list[bytes]) -> tuple[int | None, int | None, bool, list[bytes]]:
    """Read COUNT, BLOCK and NOACK: how many, how long in ms, whether, and what follows STREAMS.

    Raises:
        SimpleError: something is wrong with them.
    """
    count: int | None = None
    block_ms: int | None = None
    noack = False
    while words and words[0].lower() != b"streams":
        option = words.pop(0).lower()
        if option == b"count" and words:
            count = Int.decode(words.pop(0))
        elif option == b"block" and words:
            block_ms = Int.decode(words.pop(0), _TIMEOUT)
            if block_ms < 0:
                raise SimpleError("ERR timeout is negative")
        elif option == b"noack":
            if name == "xread":
                raise SimpleError(
                    "ERR The NOACK option is only supported by XREADGROUP. You called XREAD"
                    " instead."
                )
            noack = True
        else:
            raise SimpleError(msgs.SYNTAX_ERROR_MSG)
    if len(words) < 3 or len(words) % 2 == 0:
        if len(words) > 1:
            mark = "'$'" if name == "xread" else "'>'"
            raise SimpleError(
                f"ERR Unbalanced '{name}' list of streams: for each stream key an ID or {mark}"
                " must be specified."
            )
        raise SimpleError(msgs.SYNTAX_ERROR_MSG)
    return (count if count is not None and count > 0 else None), block_ms, noack, words[1:]


def shaped(session: Session, result: dict[bytes, Any] | None) -> Any:
    """What was read, as the protocol has it: a map, or pairs."""
    if result is None:
        return None
    if session._resp_version == 2:
        return [[key, entries] for key, entries in result.items()]
    return result


@command("xread", 3, -1, flags="2")
def xread(session: Session, *arguments: bytes) -> Any:
    """XREAD [COUNT n] [BLOCK ms] STREAMS key ... id ..."""
    count, block_ms, _, rest = read_options("xread", list(arguments))
    half = len(rest) // 2
    wanted = []
    for key, start in zip(rest[:half], rest[half:], strict=True):
        if start == b">":
            raise SimpleError(
                "ERR The > ID can be specified only when calling XREADGROUP using the GROUP"
                " <group> <consumer> option."
            )
        stream = stream_at(session, key)
        if start == b"$":
            last = stream.last_id if stream is not None else MIN_KEY
        elif start == b"+" and session.broker.version >= (7, 4):
            last = _before_last(stream)
        else:
            last = StreamEntryKey.parse_str(start)
        wanted.append((key, last))
    attempt = partial(_read, session, wanted, count)
    shape = partial(shaped, session)
    if block_ms is None:
        return shape(attempt(True))
    return session._blocking(block_ms / 1000, attempt, shape)


def _before_last(stream: Stream | None) -> StreamEntryKey:
    """After which the last entry comes."""
    if stream is None or not stream._ids:
        return MIN_KEY if stream is None else stream.last_id
    return stream._ids[-2] if len(stream._ids) > 1 else MIN_KEY


def _read(
    session: Session, wanted: list[tuple[bytes, StreamEntryKey]], count: int | None, _: bool
) -> dict[bytes, Any] | None:
    found: dict[bytes, Any] = {}
    for key, last in wanted:
        stream = stream_at(session, key)
        if stream is not None and stream._last_id > last:
            ids = stream.stream_read(last, count)
            if ids:
                found[key] = stream.records(ids)
    return found or None


# -- XINFO STREAM ----------------------------------------------------------------------------------


@command("xinfo stream", 1, -1)
def xinfo_stream(session: Session, key: bytes, *options: bytes) -> Any:
    """XINFO STREAM key [FULL [COUNT n]]."""
    count: int | None = 10
    if options:
        words = [word.lower() for word in options]
        if words[0] != b"full" or len(words) not in (1, 3):
            raise SimpleError(msgs.SYNTAX_ERROR_MSG)
        if len(words) == 3:
            if words[1] != b"count":
                raise SimpleError(msgs.SYNTAX_ERROR_MSG)
            count = max(Int.decode(words[2]), 0) or None
    stream = stream_at(session, key)
    if stream is None:
        raise SimpleError(msgs.NO_KEY_MSG)
    nodes = len(stream._nodes)
    told: dict[bytes, Any] = {
        b"length": len(stream._ids),
        b"radix-tree-keys": nodes,
        b"radix-tree-nodes": nodes + 1,
        b"last-generated-id": stream.last_id.encode(),
        b"max-deleted-entry-id": stream.max_deleted_id.encode(),
        b"entries-added": stream.entries_added,
        b"recorded-first-entry-id": stream.first_id.encode(),
    }
    if options:
        told[b"entries"] = stream.records(stream._ids[:count])
        told[b"groups"] = [_full(session, g, count) for g in _groups(stream)]
        return told
    told[b"groups"] = len(stream._groups)
    told[b"first-entry"] = stream.records(stream._ids[:1])[0] if stream._ids else None
    told[b"last-entry"] = stream.records(stream._ids[-1:])[0] if stream._ids else None
    return told


def _groups(stream: Stream) -> list[Group]:
    return [stream._groups[name] for name in sorted(stream._groups)]  # type: ignore[misc]


def _full(session: Session, group: Group, count: int | None) -> dict[bytes, Any]:
    pending = sorted(group.pel.items())
    consumers = []
    for name, consumer in sorted(group.consumers.items()):
        owned = [(key, entry) for key, entry in pending if entry.consumer_name == name]
        told: dict[bytes, Any] = {b"name": name, b"seen-time": consumer.seen_ms}
        if session.broker.version >= (7, 2):
            told[b"active-time"] = consumer.active_ms
        told[b"pel-count"] = len(owned)
        told[b"pending" if session.broker.version < (7,) else b"pel"] = [
            [key.encode(), entry.time_read, entry.times_delivered] for key, entry in owned[:count]
        ]
        consumers.append(told)
    return {
        b"name": group.name,
        b"last-delivered-id": group.last_delivered_key.encode(),
        b"entries-read": group.entries_read,
        b"lag": group.lag(session.broker.version >= (7, 4)),
        b"pel-count": len(pending),
        b"pel": [
            [key.encode(), e.consumer_name, e.time_read, e.times_delivered]
            for key, e in pending[:count]
        ],
        b"consumers": consumers,
    }
