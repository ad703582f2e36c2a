"""Consumer groups: XGROUP, XREADGROUP, XACK, XPENDING, XCLAIM, XAUTOCLAIM and XINFO.

fakeredis's forget entries in a blocking XREADGROUP, count idle time wrongly after XACK, and need
as long for an acknowledgement as there are pending entries; hence our own.
[https://redis.io/docs/latest/commands/?group=stream; t_stream.c of Redis 7]
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from fakeredis import _msgs as msgs
from fakeredis._command_args_parsing import Int
from fakeredis._core._database import Item
from fakeredis._helpers import OK, SimpleError, SimpleString, casematch
from fakeredis.model import StreamEntryKey
from fakeredis.model._stream import MAX_KEY, MIN_KEY, PelEntry

from sandbox.brokers.redis.commands import command
from sandbox.brokers.redis.replies import NULL_ARRAY
from sandbox.brokers.redis.stream import Group, Stream
from sandbox.brokers.redis.stream_commands import (
    _bound,
    altered,
    changed,
    read_options,
    shaped,
    stream_at,
)

if TYPE_CHECKING:
    from sandbox.brokers.redis.session import Session


def _text(name: bytes) -> str:
    return name.decode("utf-8", "replace")


def _group(session: Session, key: bytes, name: bytes) -> tuple[Stream, Group]:
    stream = stream_at(session, key)
    group = stream.group_get(name) if stream is not None else None
    if stream is None or group is None:
        raise SimpleError(f"NOGROUP No such key '{_text(key)}' or consumer group '{_text(name)}'")
    return stream, group  # type: ignore[return-value]


# -- XGROUP ----------------------------------------------------------------------------------------


def _existing(session: Session, key: bytes) -> Stream:
    stream = stream_at(session, key)
    if stream is None:
        raise SimpleError(msgs.XGROUP_KEY_NOT_FOUND_MSG)
    return stream


def _named(stream: Stream, key: bytes, name: bytes) -> Group:
    group = stream.group_get(name)
    if group is None:
        raise SimpleError(
            f"NOGROUP No such consumer group '{_text(name)}' for key name '{_text(key)}'"
        )
    return group  # type: ignore[return-value]


def _options(word: str, options: tuple[bytes, ...], mkstream: bool) -> tuple[bool, int | None]:
    words, make, read = list(options), False, None
    while words:
        option = words.pop(0).lower()
        if option == b"mkstream" and mkstream:
            make = True
        elif option == b"entriesread" and words:
            read = Int.decode(words.pop(0))
            if read < -1:
                raise SimpleError(msgs.XGROUP_ENTRIES_READ_MSG)
        else:
            raise SimpleError(
                f"ERR unknown subcommand or wrong number of arguments for '{word}'. Try XGROUP"
                " HELP."
            )
    return make, None if read == -1 else read


@command("xgroup create", 3, -1)
def xgroup_create(
    session: Session, key: bytes, name: bytes, start: bytes, *options: bytes
) -> SimpleString:
    """XGROUP CREATE key group id|$ [MKSTREAM] [ENTRIESREAD n]."""
    make, read = _options("CREATE", options, True)
    stream = stream_at(session, key)
    if stream is None and not make:
        raise SimpleError(msgs.XGROUP_KEY_NOT_FOUND_MSG)
    if start == b"$":
        after = MIN_KEY if stream is None else stream.last_id
    else:
        after = StreamEntryKey.parse_str(start)
    if stream is not None:
        if stream.group_get(name) is not None:
            raise SimpleError("BUSYGROUP Consumer Group name already exists")
        stream.group_add(name, after, read)
        altered(session, key, b"xgroup-create")
        return OK
    stream = Stream()
    session._db[key] = Item(stream)
    stream.group_add(name, after, read)
    changed(session, key, b"xgroup-create")
    return OK


@command("xgroup setid", 3, -1)
def xgroup_setid(
    session: Session, key: bytes, name: bytes, start: bytes, *options: bytes
) -> SimpleString:
    """XGROUP SETID key group id|$ [ENTRIESREAD n]."""
    _, read = _options("SETID", options, False)
    stream = _existing(session, key)
    group = _named(stream, key, name)
    special = {b"$": stream.last_id, b"-": MIN_KEY, b"+": MAX_KEY}
    group.set_id(special[start] if start in special else StreamEntryKey.parse_str(start), read)
    altered(session, key, b"xgroup-setid")
    return OK


@command("xgroup destroy", 2)
def xgroup_destroy(session: Session, key: bytes, name: bytes) -> int:
    """XGROUP DESTROY key group: those who wait for it are told."""
    destroyed = int(_existing(session, key).group_delete(name))
    if destroyed:
        altered(session, key, b"xgroup-destroy")
    return destroyed


@command("xgroup createconsumer", 3)
def xgroup_createconsumer(session: Session, key: bytes, name: bytes, who: bytes) -> int:
    """XGROUP CREATECONSUMER key group consumer."""
    group = _named(_existing(session, key), key, name)
    if who in group.consumers:
        return 0
    group.consumer(who)
    altered(session, key, b"xgroup-createconsumer")
    return 1


@command("xgroup delconsumer", 3)
def xgroup_delconsumer(session: Session, key: bytes, name: bytes, who: bytes) -> int:
    """XGROUP DELCONSUMER key group consumer: what was pending for it is forgotten."""
    group = _named(_existing(session, key), key, name)
    if who not in group.consumers:
        return 0
    pending = group.remove_consumer(who)
    altered(session, key, b"xgroup-delconsumer")
    return pending


# -- XREADGROUP ------------------------------------------------------------------------------------


@command("xreadgroup", 6, -1, flags="2")
def xreadgroup(session: Session, *arguments: bytes) -> Any:
    """XREADGROUP GROUP group consumer [COUNT n] [BLOCK ms] [NOACK] STREAMS key ... id ..."""
    if not casematch(arguments[0], b"group"):
        raise SimpleError(msgs.SYNTAX_ERROR_MSG)
    name, who = arguments[1], arguments[2]
    count, block_ms, noack, rest = read_options("xreadgroup", list(arguments[3:]))
    half = len(rest) // 2
    wanted: list[tuple[bytes, StreamEntryKey | None]] = []
    for key, start in zip(rest[:half], rest[half:], strict=True):
        _readable(session, key, name)
        if start == b"$":
            raise SimpleError(
                "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the"
                " history of this consumer by specifying a proper ID, or use the > ID to get new"
                " messages. The $ ID would just return an empty result set."
            )
        wanted.append((key, None if start == b">" else StreamEntryKey.parse_str(start)))
    attempt = partial(_read_group, session, name, who, wanted, count, noack)
    shape = partial(shaped, session)
    if block_ms is None:
        return shape(attempt(True))
    return session._blocking(block_ms / 1000, attempt, shape)


def _readable(session: Session, key: bytes, name: bytes) -> Group:
    stream = stream_at(session, key)
    group = stream.group_get(name) if stream is not None else None
    if group is None:
        raise SimpleError(
            f"NOGROUP No such key '{_text(key)}' or consumer group '{_text(name)}' in XREADGROUP"
            " with GROUP option"
        )
    return group  # type: ignore[return-value]


def _read_group(
    session: Session,
    name: bytes,
    who: bytes,
    wanted: list[tuple[bytes, StreamEntryKey | None]],
    count: int | None,
    noack: bool,
    asked: bool,
) -> dict[bytes, Any] | None:
    try:
        groups = [(key, after, _readable(session, key, name)) for key, after in wanted]
    except SimpleError:
        if asked or session.broker.version >= (7, 2):
            raise
        raise _ended(session, [key for key, _ in wanted]) from None
    result: dict[bytes, Any] = {}
    for key, after, group in groups:
        stream: Any = group.stream
        if after is not None:
            _introduce(session, key, group, who)
            entries = stream.records(group.history(who, after, count))
            result[key] = [[i, NULL_ARRAY if f is None else f] for i, f in entries]
            session.broker.server.dirty += 1
            continue
        new = bool(stream._ids) and stream._ids[-1] > group.last_delivered_key
        # Since 7.2 a consumer is noted even if there is nothing for it.
        if not new and session.broker.version < (7, 2):
            continue
        if not new:
            if who not in group.consumers and session.broker.log.on:
                # By itself: the command may wait from here on.
                words = [key, name, who]
                session.broker.log.note(session._db_num, "xgroup createconsumer", words, 1)
            _introduce(session, key, group, who)
            group.consumer(who)
            continue
        _introduce(session, key, group, who)
        keys = group.deliver(who, count, noack=noack)
        if keys:
            result[key] = stream.records(keys)
            session.broker.server.dirty += 1
    return result or None


def _ended(session: Session, keys: list[bytes]) -> SimpleError:
    """What 7.0 says to a client whose stream or group goes while it waits."""
    items = [session._db.get(key) for key in keys]
    if any(item is None or not isinstance(item.value, Stream) for item in items):
        return SimpleError("UNBLOCKED the stream key no longer exists")
    return SimpleError("NOGROUP the consumer group this client was blocked on no longer exists")


def _introduce(session: Session, key: bytes, group: Group, who: bytes) -> None:
    """Tell of a consumer that is new; it is made afterwards."""
    if who not in group.consumers:
        session.broker.notify(session._db_num, key, b"xgroup-createconsumer", False)


# -- what is pending -------------------------------------------------------------------------------


@command("xack", 3, -1)
def xack(session: Session, key: bytes, name: bytes, *ids: bytes) -> int:
    """XACK key group id ..."""
    stream = stream_at(session, key)
    group: Any = stream.group_get(name) if stream is not None else None
    if group is None:
        return 0
    settled: int = group.settle([StreamEntryKey.parse_str(each) for each in ids])
    session.broker.server.dirty += settled
    return settled


@command("xpending", 2, -1)
def xpending(session: Session, key: bytes, name: bytes, *rest: bytes) -> Any:
    """XPENDING key group [[IDLE ms] start end count [consumer]]."""
    words, idle_ms = list(rest), 0
    if words and words[0].lower() == b"idle" and len(words) > 1:
        idle_ms = Int.decode(words[1])
        words = words[2:]
        if not words:
            raise SimpleError(msgs.SYNTAX_ERROR_MSG)
    if words and not 3 <= len(words) <= 4:
        raise SimpleError(msgs.SYNTAX_ERROR_MSG)
    low = high = None
    limit = 0
    if words:
        limit = max(Int.decode(words[2]), 0)
        low, high = _bound(words[0], 0), _bound(words[1], 2**64 - 1)
    _, group = _group(session, key, name)
    if low is None or high is None:
        return _summary(group)
    now_ms = session.broker.server.now_ms
    told: list[Any] = []
    for entry_id, entry in sorted(group.pel.items()):
        if len(told) >= limit:
            break
        if len(words) == 4 and entry.consumer_name != words[3]:
            continue
        if now_ms - entry.time_read < idle_ms or not _between(entry_id, low, high):
            continue
        idle = max(now_ms - entry.time_read, 0)
        told.append([entry_id.encode(), entry.consumer_name, idle, entry.times_delivered])
    return told


def _between(key: StreamEntryKey, low: Any, high: Any) -> bool:
    above = low.value < key or (low.value == key and not low.exclusive)
    return above and (high.value > key or (high.value == key and not high.exclusive))


def _summary(group: Group) -> list[Any]:
    if not group.pel:
        return [0, None, None, NULL_ARRAY]
    counts = [
        [name, b"%d" % consumer.pending]
        for name, consumer in sorted(group.consumers.items())
        if consumer.pending
    ]
    return [len(group.pel), min(group.pel).encode(), max(group.pel).encode(), counts]


@command("xclaim", 5, -1)
def xclaim(
    session: Session, key: bytes, name: bytes, who: bytes, idle: bytes, *rest: bytes
) -> list[Any]:
    """XCLAIM key group consumer min-idle id ... [IDLE ms|TIME ms] [RETRYCOUNT n] [FORCE] [JUSTID]
    [LASTID id].
    """
    stream, group = _group(session, key, name)
    idle_ms = max(Int.decode(idle, "ERR Invalid min-idle-time argument for XCLAIM"), 0)
    words, ids = list(rest), []
    while words and words[0][:1].isdigit():
        ids.append(StreamEntryKey.parse_str(words.pop(0)))
    now_ms = session.broker.server.now_ms
    at_ms, count, force, justid = now_ms, None, False, False
    while words:
        option = words.pop(0)
        match option.upper():
            case b"FORCE":
                force = True
            case b"JUSTID":
                justid = True
            case b"IDLE" if words:
                message = "ERR Invalid IDLE option argument for XCLAIM"
                at_ms = now_ms - Int.decode(words.pop(0), message)
            case b"TIME" if words:
                at_ms = Int.decode(words.pop(0), "ERR Invalid TIME option argument for XCLAIM")
            case b"RETRYCOUNT" if words:
                message = "ERR Invalid RETRYCOUNT option argument for XCLAIM"
                count = Int.decode(words.pop(0), message)
            case b"LASTID" if words:
                last = StreamEntryKey.parse_str(words.pop(0))
                group.last_delivered_key = max(group.last_delivered_key, last)
            case _:
                raise SimpleError(f"ERR Unrecognized XCLAIM option '{_text(option)}'")
    if not 0 <= at_ms <= now_ms:
        at_ms = now_ms
    if session.broker.version >= (7, 2):
        _note_consumer(session, key, group, who)
    told: list[Any] = []
    for each in ids:
        entry = group.pel.get(each)
        if each not in stream:
            session.broker.server.dirty += group.settle([each])
            continue
        if entry is None:
            if not force:
                continue
            entry = group.pel[each] = PelEntry(b"", 0, 1)
        elif now_ms - entry.time_read < idle_ms:
            continue
        _claim(session, key, group, who, each, at_ms, _count(entry, count, justid))
        told.append(each.encode() if justid else stream.records([each])[0])
    return told


def _count(entry: PelEntry, given: int | None, justid: bool) -> int | None:
    if given is not None and given >= 0:
        return given
    return entry.times_delivered if justid else None


def _note_consumer(session: Session, key: bytes, group: Group, who: bytes) -> None:
    _introduce(session, key, group, who)
    if who not in group.consumers:
        session.broker.server.dirty += 1
    group.consumer(who)


def _claim(
    session: Session,
    key: bytes,
    group: Group,
    who: bytes,
    entry: StreamEntryKey,
    at_ms: int,
    count: int | None,
) -> None:
    _introduce(session, key, group, who)
    group.consumer(who).active_ms = session.broker.server.now_ms
    group.take_over(entry, who, at_ms, count)
    session.broker.server.dirty += 1


@command("xautoclaim", 5, 8)
def xautoclaim(
    session: Session, key: bytes, name: bytes, who: bytes, idle: bytes, *rest: bytes
) -> list[Any]:
    """XAUTOCLAIM key group consumer min-idle-time start [COUNT n] [JUSTID]."""
    idle_ms = max(Int.decode(idle, "ERR Invalid min-idle-time argument for XAUTOCLAIM"), 0)
    first = _bound(rest[0], 0)
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
    stream, group = _group(session, key, name)
    if session.broker.version >= (7, 2):
        _note_consumer(session, key, group, who)
    now_ms = session.broker.server.now_ms
    top = StreamEntryKey(2**64, 0)
    pending = sorted(k for k in group.pel if _between(k, first, _Top(top)))
    claimed: list[StreamEntryKey] = []
    gone: list[StreamEntryKey] = []
    at = 0
    # Ten times as many are looked at as are wanted, at most. [t_stream.c, xautoclaimCommand]
    while at < min(len(pending), 10 * count) and len(claimed) + len(gone) < count:
        each = pending[at]
        at += 1
        if each not in stream:
            session.broker.server.dirty += group.settle([each])
            gone.append(each)
        elif now_ms - group.pel[each].time_read >= idle_ms:
            _claim(session, key, group, who, each, now_ms, _count(group.pel[each], None, justid))
            claimed.append(each)
    return [
        pending[at].encode() if at < len(pending) else b"0-0",
        [each.encode() for each in claimed] if justid else stream.records(claimed),
        [each.encode() for each in gone],
    ]


class _Top:
    """The end of a range that ends nowhere."""

    exclusive = False

    def __init__(self, value: StreamEntryKey) -> None:
        self.value = value


# -- XINFO -----------------------------------------------------------------------------------------


@command("xinfo groups", 1)
def xinfo_groups(session: Session, key: bytes) -> list[dict[bytes, Any]]:
    """XINFO GROUPS key."""
    stream = stream_at(session, key)
    if stream is None:
        raise SimpleError(msgs.NO_KEY_MSG)
    aware = session.broker.version >= (7, 4)
    return [stream._groups[name].group_info(aware) for name in sorted(stream._groups)]


@command("xinfo consumers", 2)
def xinfo_consumers(session: Session, key: bytes, name: bytes) -> list[dict[bytes, Any]]:
    """XINFO CONSUMERS key group."""
    stream = stream_at(session, key)
    if stream is None:
        raise SimpleError(msgs.NO_KEY_MSG)
    now_ms = session.broker.server.now_ms
    told = []
    for who, consumer in sorted(_named(stream, key, name).consumers.items()):
        one: dict[bytes, Any] = {
            b"name": who,
            b"pending": consumer.pending,
            b"idle": now_ms - consumer.seen_ms,
        }
        if session.broker.version >= (7, 2):
            never = consumer.active_ms < 0
            one[b"inactive"] = -1 if never else now_ms - consumer.active_ms
        told.append(one)
    return told
