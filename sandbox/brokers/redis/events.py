"""Notifications about keys: which event a command is for which of its keys.

What `notify-keyspace-events` asks for is published as messages on channels named after keys and
events. A command that changed nothing is no event; a key that goes is a `del` besides.
[https://redis.io/docs/latest/develop/use/keyspace-notifications/]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fakeredis._helpers import SimpleError

from sandbox.brokers.redis.pubsub import deliver

if TYPE_CHECKING:
    from sandbox.brokers.redis.performing import Performing
    from sandbox.brokers.redis.session import Session

#: Events whose name is not the command's.
_NAMES: Final = {
    b"mset": b"set", b"getset": b"set", b"setnx": b"set", b"msetnx": b"set", b"unlink": b"del",
    b"getdel": b"del", b"brpop": b"rpop", b"blpop": b"lpop", b"lpushx": b"lpush",
    b"rpushx": b"rpush", b"hmset": b"hset", b"hsetnx": b"hset", b"incr": b"incrby",
    b"decr": b"decrby", b"pexpire": b"expire", b"expireat": b"expire", b"pexpireat": b"expire",
    b"bzpopmin": b"zpopmin", b"bzpopmax": b"zpopmax", b"zincrby": b"zincr", b"bitop": b"set",
    b"bitfield": b"setbit", b"pfmerge": b"pfadd", b"geoadd": b"zadd", b"decrby": b"decrby",
    b"geosearchstore": b"geosearchstore", b"georadius": b"georadiusstore",
    b"georadiusbymember": b"georadiusstore", b"sort": b"sortstore",
}  # fmt: skip
#: Commands whose result, where it is empty, is only the end of what was there before.
_STORES: Final = frozenset(
    (
        b"sunionstore", b"sinterstore", b"sdiffstore", b"zunionstore", b"zinterstore",
        b"zdiffstore", b"zrangestore", b"bitop", b"sort", b"geosearchstore", b"expire",
        b"pexpire", b"expireat", b"pexpireat", b"getex",
    )
)  # fmt: skip
#: Commands that are another event for each of their keys.
_BY_PLACE: Final = {
    b"rename": (b"rename_from", b"rename_to"),
    b"renamenx": (b"rename_from", b"rename_to"),
    b"smove": (b"srem", b"sadd"),
}
#: Commands that may set when a key expires as well.
_EXPIRING: Final = frozenset((b"set", b"setex", b"psetex"))
_GENERIC: Final = frozenset(
    (
        b"del", b"expire", b"persist", b"rename_from", b"rename_to", b"copy_to", b"move_from",
        b"move_to", b"restore",
    )
)  # fmt: skip
#: Events whose letter is not the first of their name.
_LETTERS: Final = {
    b"expired": "x", b"evicted": "e", b"set": "$", b"setrange": "$", b"setbit": "$",
    b"sortstore": "l", b"geosearchstore": "z", b"georadiusstore": "z",
}  # fmt: skip


def told(session: Session, items: Any, command: bytes, changed: set[tuple[int, bytes]]) -> None:
    """Fakeredis did a command on these items; `changed` are the keys that it really changed."""
    broker, number = session.broker, session._db_num
    if command == b"move":
        if any((number, item.key) in changed for item in items):
            _moved(session, items)
        return
    if command == b"smove" and items[0].key == items[1].key:
        return
    for place, item in enumerate(items):
        here = item.key in session._db._dict
        if not item.is_modified or not (here or (number, item.key) in changed):
            continue
        if command in _BY_PLACE:
            name = _BY_PLACE[command][place]
            notify(broker, number, item.key, name, not here and name == b"srem")
        elif not here and command in _STORES:
            notify(broker, number, item.key, b"del", False)
        elif command == b"getex":
            event = b"persist" if item.expireat is None else b"expire"
            notify(broker, number, item.key, event, False)
        else:
            name = b"set" if command in _EXPIRING else _NAMES.get(command, command)
            if name == b"decrby":
                name = b"incrby" if session.last_command in ("decr", "decrby") else name
            notify(broker, number, item.key, name, not here)
            if command in _EXPIRING and item.expireat is not None:
                notify(broker, number, item.key, b"expire", False)


def _moved(session: Session, items: Any) -> None:
    for item in items:
        if item.key in session._db._dict:
            continue
        for number, database in session.broker.server.dbs.items():
            if number != session._db_num and item.key in database._dict:
                notify(session.broker, session._db_num, item.key, b"move_from", False)
                notify(session.broker, number, item.key, b"move_to", False)
                return


def notify(broker: Performing, database: int, key: bytes, event: bytes, gone: bool) -> None:
    """Publish what happened to a key, as far as somebody configured it."""
    flags = broker.settings.notify
    if not flags:
        return
    if _class_of(event) in flags:
        _send(broker, flags, database, key, event)
    if gone and event not in (b"del", b"expired", b"evicted") and "g" in flags:
        _send(broker, flags, database, key, b"del")


def _send(broker: Performing, flags: str, database: int, key: bytes, event: bytes) -> None:
    if "K" in flags:
        deliver(broker, b"__keyspace@%d__:%b" % (database, key), event)
    if "E" in flags:
        deliver(broker, b"__keyevent@%d__:%b" % (database, event), key)


def _class_of(event: bytes) -> str:
    if event in _GENERIC:
        return "g"
    letter = _LETTERS.get(event)
    if letter is not None:
        return letter
    first = event[:1]
    if first in (b"s", b"h", b"z"):
        return first.decode()
    if first == b"x":
        return "t"
    return "l" if first in (b"l", b"r") else "$"


def read_flags(text: str) -> str:
    """Check the value of `notify-keyspace-events` and spell `A` out.

    Raises:
        SimpleError: it has a letter that means nothing.
    """
    if set(text) - set("KEg$lshzxetdmnA"):
        raise SimpleError("ERR Invalid event class character. Use 'Ag$lshzxeKEtmdn'.")
    return text.replace("A", "g$lshzxetd")
