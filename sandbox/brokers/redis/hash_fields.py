"""Fields of hashes that expire: HEXPIRE, HTTL, HPERSIST and their kin, since Redis 7.4.

fakeredis's forget to say that the hash changed, and keep a hash whose last field expired.
[https://redis.io/docs/latest/commands/hexpire/]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fakeredis import _msgs as msgs
from fakeredis._command_args_parsing import Int
from fakeredis._helpers import SimpleError
from fakeredis.model import Hash

from sandbox.brokers.redis.commands import command

if TYPE_CHECKING:
    from sandbox.brokers.redis.session import Session

#: What is said of a field: there is none, it does not expire, the condition does not hold, it
#: expires now, it is gone. [HEXPIRE]
NO_FIELD: Final = -2
NO_TTL: Final = -1
NOT_SET: Final = 0
SET: Final = 1
GONE: Final = 2
#: The longest time to live, ms: as much as fits beside a hash field in Redis.
_MOST_MS: Final = 2**46 - 1


def _hash(session: Session, key: bytes) -> Hash | None:
    item = session._db.get(key)
    if item is None:
        return None
    if not isinstance(item.value, Hash):
        raise SimpleError(msgs.WRONGTYPE_MSG)
    return item.value


def _fields(words: tuple[bytes, ...]) -> list[bytes]:
    """Read `FIELDS numfields field ...`."""
    if not words or words[0].upper() != b"FIELDS":
        raise SimpleError("ERR Mandatory argument FIELDS is missing or not at the right position")
    count = Int.decode(words[1], "ERR Number of fields must be a positive integer")
    if count <= 0:
        raise SimpleError("ERR Parameter `numFields` should be greater than 0")
    if count != len(words) - 2:
        raise SimpleError("ERR The `numfields` parameter must match the number of arguments")
    return list(words[2:])


def _holds(condition: bytes, before: int | None, at_ms: int) -> bool:
    """Whether NX, XX, GT or LT allows it; who does not expire lives longest."""
    if condition == b"NX":
        return before is None
    if condition == b"XX":
        return before is not None
    if condition == b"GT":
        return before is not None and at_ms > before
    if condition == b"LT":
        return before is None or at_ms < before
    return True


def _expire(session: Session, name: str, key: bytes, word: bytes, rest: Any, unit: int) -> Any:
    amount = Int.decode(word)
    if amount < 0:
        raise SimpleError("ERR invalid expire time, must be >= 0")
    condition = b""
    if rest and rest[0].upper() in (b"NX", b"XX", b"GT", b"LT"):
        condition, rest = rest[0].upper(), rest[1:]
    now_ms = session.broker.server.now_ms
    at_ms = amount * unit + (0 if name.endswith("at") else now_ms)
    if at_ms > _MOST_MS:
        raise SimpleError(f"ERR invalid expire time in '{name}' command")
    wanted = _fields(rest)
    value = _hash(session, key)
    if value is None:
        return [NO_FIELD] * len(wanted)
    told = []
    for field in wanted:
        if field not in value:
            told.append(NO_FIELD)
        elif not _holds(condition, value.get_key_expireat(field), at_ms):
            told.append(NOT_SET)
        else:
            told.append(value.set_key_expireat(field, at_ms))
    if SET in told or GONE in told:
        _changed(session, key, value, [b"hexpire"] * (SET in told) + [b"hdel"] * (GONE in told))
    return told


def _changed(session: Session, key: bytes, value: Hash, events: list[bytes]) -> None:
    database = session._db
    item = database._dict[key]
    database.notify_watch(key)
    if not len(value):
        del database._dict[key]
    database.schedule_expiry(key, item.expireat)
    for event in events:
        session.broker.notify(session._db_num, key, event, not len(value))


def _setter(name: str, unit: int) -> None:
    def handler(session: Session, key: bytes, word: bytes, *rest: bytes) -> Any:
        return _expire(session, name, key, word, rest, unit)

    command(name, 5, -1)(handler)


for _name, _unit in (("hexpire", 1000), ("hpexpire", 1), ("hexpireat", 1000), ("hpexpireat", 1)):
    _setter(_name, _unit)


def _getter(name: str, unit: int, absolute: bool) -> None:
    def handler(session: Session, key: bytes, *rest: bytes) -> list[int]:
        wanted, value = _fields(rest), _hash(session, key)
        now_ms = session.broker.server.now_ms
        told = []
        for field in wanted:
            if value is None or field not in value:
                told.append(NO_FIELD)
                continue
            at_ms = value.get_key_expireat(field)
            if at_ms is None:
                told.append(NO_TTL)
            else:
                left = at_ms if absolute else max(at_ms - now_ms, 0)
                told.append((left + unit - 1) // unit)
        return told

    command(name, 4, -1)(handler)


for _name, _unit in (("httl", 1000), ("hpttl", 1)):
    _getter(_name, _unit, False)
for _name, _unit in (("hexpiretime", 1000), ("hpexpiretime", 1)):
    _getter(_name, _unit, True)


@command("hpersist", 4, -1)
def hpersist(session: Session, key: bytes, *rest: bytes) -> list[int]:
    """HPERSIST key FIELDS numfields field ..."""
    wanted, value = _fields(rest), _hash(session, key)
    told = []
    for field in wanted:
        if value is None or field not in value:
            told.append(NO_FIELD)
        else:
            told.append(SET if value.clear_key_expireat(field) else NO_TTL)
    if value is not None and SET in told:
        _changed(session, key, value, [b"hpersist"])
    return told
