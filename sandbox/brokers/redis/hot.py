"""The commands that are asked most, done the short way.

fakeredis reads a command's arguments through signatures, wraps keys, converts and checks replies;
that costs several times what the command itself does. The functions here do the everyday form of
a command on the data directly and return `MISS`, having done nothing, for every other form: an
option, a value of another type, a number that is none. The long way then decides.

Only clients whom nothing restricts come here, while nobody monitors, listens to keyspace events,
pauses (`Broker._is_special`, `Session.is_free`). What a transaction queued comes here from EXEC.

To add a command, write a function and `@hot` it: both ways must give the same, which
`tests/brokers/redis/test_hot.py` checks with random conversations.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from fakeredis._core._database import Item
from fakeredis._helpers import OK, SimpleString
from fakeredis.model import ExpiringMembersSet, Hash, StreamEntryKey, ZSet

from sandbox.brokers.redis.borrowed import LENT
from sandbox.brokers.redis.group_commands import xack as long_xack
from sandbox.brokers.redis.group_commands import xreadgroup as long_xreadgroup
from sandbox.brokers.redis.known import KNOWN
from sandbox.brokers.redis.stream import Stream

if TYPE_CHECKING:
    from sandbox.brokers.redis.keyspace import Database
    from sandbox.brokers.redis.session import Session

#: "Not one for the short way."
MISS: Final = SimpleString(b"MISS")
_PONG: Final = SimpleString(b"PONG")
_INT64: Final = 2**63


class Hot(NamedTuple):
    """A command's name, and the function that does its everyday form."""

    name: str
    arity: int
    run: Callable[[Session, list[bytes]], Any]


#: By the word a client sends: all capitals, or none.
HOT: Final[dict[bytes, Hot]] = {}
HOT_BY_NAME: Final[dict[str, Hot]] = {}


def hot(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make a function the short way of a command."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        made = Hot(name, KNOWN[name].arity, function)
        HOT[name.encode()] = HOT[name.upper().encode()] = HOT_BY_NAME[name] = made
        return function

    return register


# -- strings ---------------------------------------------------------------------------------------


@hot("ping")
def ping(session: Session, fields: list[bytes]) -> Any:
    """PING."""
    return _PONG if len(fields) == 1 and not session.subscriptions else MISS


@hot("get")
def get(session: Session, fields: list[bytes]) -> Any:
    """GET key."""
    if len(fields) != 2:
        return MISS
    database: Database = session._db  # type: ignore[assignment]
    item = database._dict.get(fields[1])
    if item is None:
        return None
    if type(item.value) is not bytes:
        return MISS
    database.used[fields[1]] = LENT.now_ms
    return item.value


@hot("set")
def set_(session: Session, fields: list[bytes]) -> Any:
    """SET key value [EX seconds|PX milliseconds]."""
    if len(fields) != 3:
        return _set_for_a_while(session, fields) if len(fields) == 5 else MISS
    key, database = fields[1], session._db
    item = database._dict.get(key)
    if item is None:
        item = database._dict[key] = Item(fields[2])
    else:
        item.value, item.expireat = fields[2], None
    database.notify_watch(key)
    return OK


def _set_for_a_while(session: Session, fields: list[bytes]) -> Any:
    word, amount = fields[3].upper(), fields[4]
    if word not in (b"EX", b"PX") or not amount.isdigit() or len(amount) > 9 or amount[:1] == b"0":
        return MISS
    key, database = fields[1], session._db
    item = database._dict.get(key)
    if item is None:
        item = database._dict[key] = Item(None)
    item.value = fields[2]
    seconds = int(amount) if word == b"EX" else int(amount) / 1000.0
    item.expireat = expireat = database.time + seconds
    database.notify_watch(key)
    database.schedule_expiry(key, expireat)
    return OK


def _add(session: Session, fields: list[bytes], amount: int) -> Any:
    key, database = fields[1], session._db
    item = database._dict.get(key)
    if item is None:
        database._dict[key] = Item(b"%d" % amount)
        database.notify_watch(key)
        return amount
    text = item.value
    if type(text) is not bytes or not text.lstrip(b"-").isdigit() or len(text) > 18:
        return MISS
    value = int(text)
    if b"%d" % value != text or not -_INT64 <= value + amount < _INT64:
        return MISS
    item.value = b"%d" % (value + amount)
    database.notify_watch(key)
    return value + amount


@hot("incr")
def incr(session: Session, fields: list[bytes]) -> Any:
    """INCR key."""
    return _add(session, fields, 1) if len(fields) == 2 else MISS


@hot("decr")
def decr(session: Session, fields: list[bytes]) -> Any:
    """DECR key."""
    return _add(session, fields, -1) if len(fields) == 2 else MISS


@hot("incrby")
def incrby(session: Session, fields: list[bytes]) -> Any:
    """INCRBY key amount."""
    if len(fields) != 3 or not fields[2].isdigit() or len(fields[2]) > 15:
        return MISS
    amount = int(fields[2])
    return _add(session, fields, amount) if b"%d" % amount == fields[2] else MISS


# -- lists -----------------------------------------------------------------------------------------


def _push(session: Session, fields: list[bytes], front: bool) -> Any:
    if len(fields) < 3:
        return MISS
    key, database = fields[1], session._db
    item = database._dict.get(key)
    if item is None:
        values = fields[2:]
        if front:
            values.reverse()
        database._dict[key] = item = Item(values)
    elif type(item.value) is not list:
        return MISS
    elif not front:
        item.value += fields[2:]
    else:
        item.value[:0] = fields[:1:-1]
    database.notify_watch(key)
    return len(item.value)


@hot("lpush")
def lpush(session: Session, fields: list[bytes]) -> Any:
    """LPUSH key value ..."""
    return _push(session, fields, True)


@hot("rpush")
def rpush(session: Session, fields: list[bytes]) -> Any:
    """RPUSH key value ..."""
    return _push(session, fields, False)


def _pop(session: Session, key: bytes, at: int) -> Any:
    database = session._db
    item = database._dict.get(key)
    if item is None:
        return None
    if type(item.value) is not list:
        return MISS
    value = item.value.pop(at)
    database.notify_watch(key)
    if not item.value:
        del database._dict[key]
    return value


@hot("lpop")
def lpop(session: Session, fields: list[bytes]) -> Any:
    """LPOP key."""
    return _pop(session, fields[1], 0) if len(fields) == 2 else MISS


@hot("rpop")
def rpop(session: Session, fields: list[bytes]) -> Any:
    """RPOP key."""
    return _pop(session, fields[1], -1) if len(fields) == 2 else MISS


def _pop_now(session: Session, fields: list[bytes], at: int) -> Any:
    if len(fields) != 3 or not fields[2].isdigit() or len(fields[2]) > 9:
        return MISS
    value = _pop(session, fields[1], at)
    return MISS if value is None or value is MISS else [fields[1], value]


@hot("blpop")
def blpop(session: Session, fields: list[bytes]) -> Any:
    """BLPOP key timeout, where there is something."""
    return _pop_now(session, fields, 0)


@hot("brpop")
def brpop(session: Session, fields: list[bytes]) -> Any:
    """BRPOP key timeout, where there is something."""
    return _pop_now(session, fields, -1)


@hot("llen")
def llen(session: Session, fields: list[bytes]) -> Any:
    """LLEN key."""
    if len(fields) != 2:
        return MISS
    item = session._db._dict.get(fields[1])
    if item is None:
        return 0
    return len(item.value) if type(item.value) is list else MISS


# -- hashes, sets, sorted sets ---------------------------------------------------------------------


@hot("hset")
def hset(session: Session, fields: list[bytes]) -> Any:
    """HSET key field value ..."""
    if len(fields) < 4 or len(fields) % 2:
        return MISS
    key, database = fields[1], session._db
    item = database._dict.get(key)
    if item is None:
        item = Item(Hash())
        database._dict[key] = item
    elif type(item.value) is not Hash or item.value._expirations:
        return MISS
    values = item.value._values
    before = len(values)
    for at in range(2, len(fields), 2):
        values[fields[at]] = fields[at + 1]
    database.notify_watch(key)
    return len(values) - before


@hot("hget")
def hget(session: Session, fields: list[bytes]) -> Any:
    """HGET key field."""
    if len(fields) != 3:
        return MISS
    item = session._db._dict.get(fields[1])
    if item is None:
        return None
    if type(item.value) is not Hash or item.value._expirations:
        return MISS
    return item.value._values.get(fields[2])


@hot("sadd")
def sadd(session: Session, fields: list[bytes]) -> Any:
    """SADD key member ..."""
    if len(fields) < 3:
        return MISS
    key, database = fields[1], session._db
    item = database._dict.get(key)
    if item is None:
        item = Item(ExpiringMembersSet())
        database._dict[key] = item
    elif type(item.value) is not ExpiringMembersSet or item.value._may_expire:
        return MISS
    value = item.value
    before = len(value._values)
    for member in fields[2:]:
        value.add(member)
    added = len(value._values) - before
    if added:
        database.notify_watch(key)
    return added


@hot("zadd")
def zadd(session: Session, fields: list[bytes]) -> Any:
    """ZADD key score member, with a plain number."""
    if len(fields) != 4 or len(fields[2]) > 17:
        return MISS
    if fields[2].translate(None, b"0123456789"):
        head, dot, tail = fields[2].partition(b".")
        if not (dot and head.isdigit() and tail.isdigit()):
            return MISS
    elif not fields[2]:
        return MISS
    key, database = fields[1], session._db
    item = database._dict.get(key)
    if item is None:
        item = Item(ZSet())
        database._dict[key] = item
    elif type(item.value) is not ZSet:
        return MISS
    value = item.value
    before = len(value._bylex)
    if value.add(fields[3], float(fields[2])):
        database.notify_watch(key)
    return len(value._bylex) - before


# -- streams ---------------------------------------------------------------------------------------


@hot("xadd")
def xadd(session: Session, fields: list[bytes]) -> Any:
    """XADD key [MAXLEN ~ n] * field value ..."""
    at, maxlen = 2, None
    if len(fields) > 7 and fields[3] == b"~" and fields[2] in (b"MAXLEN", b"maxlen"):
        if not fields[4].isdigit() or len(fields[4]) > 9 or fields[4][:1] == b"0":
            return MISS
        at, maxlen = 5, int(fields[4])
    if len(fields) < at + 3 or fields[at] != b"*" or (len(fields) - at) % 2 == 0:
        return MISS
    key, database = fields[1], session._db
    item = database._dict.get(key)
    if item is None:
        stream = Stream()
        database._dict[key] = Item(stream)
    else:
        stream = item.value
        if type(stream) is not Stream:
            return MISS
    last, now_ms = stream._last_id, LENT.now_ms
    if now_ms > last[0]:
        entry = StreamEntryKey(now_ms, 0)
    elif last[1] < _INT64:
        entry = StreamEntryKey(last[0], last[1] + 1)
    else:
        return MISS
    most, size = session.broker.node_limits
    stream.add(fields[at + 1 :], entry, most, size)
    database.notify_watch(key)
    if maxlen is not None and len(stream._ids) > maxlen:
        limit = min(100 * most, 1_000_000) if most > 0 else 10_000
        if stream.trim(maxlen, None, True, limit):
            database.notify_watch(key)
    return b"%d-%d" % entry


@hot("xack")
def xack(session: Session, fields: list[bytes]) -> Any:
    """XACK key group id ..."""
    if len(fields) < 4:
        return MISS
    item = session._db._dict.get(fields[1])
    if item is not None and type(item.value) is not Stream:
        return MISS
    for each in fields[3:]:
        first, dash, second = each.partition(b"-")
        if not (dash and first.isdigit() and second.isdigit() and len(each) < 30):
            return MISS
    return long_xack(session, *fields[1:])


@hot("xreadgroup")
def xreadgroup(session: Session, fields: list[bytes]) -> Any:
    """XREADGROUP GROUP group consumer ... STREAMS key >, where there is something."""
    if len(fields) < 7 or fields[-1] != b">" or fields[-3].upper() != b"STREAMS":
        return MISS
    item = session._db._dict.get(fields[-2])
    if item is None or type(item.value) is not Stream:
        return MISS
    group = item.value._groups.get(fields[2])
    if group is None or item.value._last_id <= group.last_delivered_key or not item.value._ids:
        return MISS
    if item.value._ids[-1] <= group.last_delivered_key:
        return MISS
    options = fields[4:-3]
    if len(options) % 2:
        return MISS
    for at in range(0, len(options), 2):
        if options[at].upper() not in (b"COUNT", b"BLOCK") or not options[at + 1].isdigit():
            return MISS
        if len(options[at + 1]) > 9 or (len(options[at + 1]) > 1 and options[at + 1][:1] == b"0"):
            return MISS
    if fields[1].upper() != b"GROUP":
        return MISS
    return long_xreadgroup(session, *fields[1:])
