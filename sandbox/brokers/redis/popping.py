"""COPY, SWAPDB and the pops of many keys: what fakeredis forgets, or shares by mistake.

- COPY made two keys share one value: a change of one was a change of both.
- HRANDFIELD gave a list where Redis gives one field; PFMERGE forgot what the destination had.
- SETEX cut the time it ends at to whole seconds; SADD told of members that were there already.
- SWAPDB told nobody who watches a key, or waits for one, in either database.
- BLPOP and its kin told nobody of a pop that had to wait, and BZPOPMIN failed on other types.
- LMPOP and BLMPOP emptied a list and left the empty key behind, and told nobody who watches it.
"""

from __future__ import annotations

from copy import deepcopy
from functools import partial
from typing import TYPE_CHECKING, Any

from fakeredis import _msgs as msgs
from fakeredis._command_args_parsing import Int, Timeout
from fakeredis._core import CommandItem
from fakeredis._helpers import OK, SimpleError, SimpleString
from fakeredis.model import ExpiringMembersSet, Hash, ZSet

from sandbox.brokers.redis.commands import command
from sandbox.brokers.redis.keyspace import DATABASES

if TYPE_CHECKING:
    from sandbox.brokers.redis.session import Session


@command("copy", 2, 5)
def copy(session: Session, source: bytes, target: bytes, *options: bytes) -> int:
    """COPY source destination [DB number] [REPLACE]."""
    number, replace, rest = session._db_num, False, list(options)
    while rest:
        option = rest.pop(0).lower()
        if option == b"replace":
            replace = True
        elif option == b"db" and rest:
            number = Int.decode(rest.pop(0))
            if not 0 <= number < DATABASES:
                raise SimpleError("ERR DB index is out of range")
        else:
            raise SimpleError(msgs.SYNTAX_ERROR_MSG)
    if source == target and number == session._db_num:
        raise SimpleError("ERR source and destination objects are the same")
    database = session.broker.server.dbs[number]
    item = session._db.get(source)
    if item is None or (target in database and not replace):
        return 0
    made = CommandItem(target, database, item=None)
    made.value = deepcopy(item.value)
    made.expireat = item.expireat
    made.writeback()
    session.broker.notify(number, target, b"copy_to", False)
    return 1


@command("swapdb", 2)
def swapdb(session: Session, one: bytes, other: bytes) -> SimpleString:
    """SWAPDB index index."""
    numbers = []
    for word, which in ((one, "first"), (other, "second")):
        number = Int.decode(word, f"ERR invalid {which} DB index")
        if not 0 <= number < DATABASES:
            raise SimpleError("ERR DB index is out of range")
        numbers.append(number)
    first, second = (session.broker.server.dbs[number] for number in numbers)
    if first is not second:
        first.swap(second)
        session.broker.server.dirty += 1
        for database in (first, second):
            for key in dict.fromkeys((*first._dict, *second._dict)):
                database.notify_watch(key)
    return OK


def _setter(name: str, unit: int) -> None:
    def handler(session: Session, key: bytes, amount: bytes, value: bytes) -> SimpleString:
        wanted = Int.decode(amount)
        now_ms = session.broker.server.now_ms
        if wanted <= 0 or now_ms + wanted * unit >= 2**63:
            raise SimpleError(f"ERR invalid expire time in '{name}' command")
        item = CommandItem(key, session._db, item=session._db.get(key))
        item.value = value
        item.expireat = (now_ms + wanted * unit) / 1000
        item.writeback()
        session._keyspace_notifications([item], name.encode())
        return OK

    command(name, 3)(handler)


_setter("setex", 1000)
_setter("psetex", 1)


@command("sadd", 2, -1)
def sadd(session: Session, key: bytes, *members: bytes) -> int:
    """SADD key member ...: members that were there already change nothing."""
    found = session._db.get(key)
    if found is not None and not isinstance(found.value, ExpiringMembersSet):
        raise SimpleError(msgs.WRONGTYPE_MSG)
    value = ExpiringMembersSet() if found is None else found.value
    before = len(value)
    for member in members:
        value.add(member)
    added = len(value) - before
    if added:
        item = CommandItem(key, session._db, item=found)
        item.update(value)
        item.writeback()
        session.broker.notify(session._db_num, key, b"sadd", False)
    return added


@command("sort", 1, -1)
def sort(session: Session, key: bytes, *options: bytes) -> Any:
    """SORT key [...] [STORE destination]."""
    item = CommandItem(key, session._db, item=session._db.get(key))
    result = session._sort(item, options, allow_store=True)
    words = [word.upper() for word in options]
    if b"STORE" in words[:-1]:
        target = options[words.index(b"STORE") + 1]
        there = target in session._db._dict
        if there or (session._db_num, target) in session.broker.server.touched[session._mark :]:
            event = b"sortstore" if there else b"del"
            session.broker.notify(session._db_num, target, event, False)
    return result


@command("hrandfield", 1, 3)
def hrandfield(session: Session, key: bytes, *rest: bytes) -> Any:
    """HRANDFIELD key [count [WITHVALUES]]: without a count one field, not a list of one."""
    found = session._db.get(key)
    if found is not None and not isinstance(found.value, Hash):
        raise SimpleError(msgs.WRONGTYPE_MSG)
    if len(rest) == 2 and rest[1].lower() != b"withvalues":
        raise SimpleError(msgs.SYNTAX_ERROR_MSG)
    count = Int.decode(rest[0]) if rest else 1
    pairs = [] if found is None else list(found.value.items())
    if not pairs:
        return [] if rest else None
    dice = session.broker.random
    if count < 0:
        chosen = dice.choices(pairs, k=-count)
    else:
        chosen = dice.sample(pairs, min(count, len(pairs)))
    if not rest:
        return chosen[0][0]
    if len(rest) == 1:
        return [field for field, _ in chosen]
    if session._resp_version == 3:
        return [list(pair) for pair in chosen]
    return [each for pair in chosen for each in pair]


@command("pfmerge", 1, -1)
def pfmerge(session: Session, target: bytes, *sources: bytes) -> SimpleString:
    """PFMERGE destination [source ...]: what was in the destination stays in."""
    made = ExpiringMembersSet()
    for key in (target, *sources):
        found = session._db.get(key)
        if found is not None and not isinstance(found.value, ExpiringMembersSet):
            raise SimpleError("WRONGTYPE Key is not a valid HyperLogLog string value.")
        if found is not None:
            made.update(list(found.value._values))
    item = CommandItem(target, session._db, item=session._db.get(target))
    item.update(made)
    item.writeback(remove_empty_val=False)
    return OK


@command("sintercard", 2, -1)
def sintercard(session: Session, numkeys: bytes, *rest: bytes) -> int:
    """SINTERCARD numkeys key ... [LIMIT n]."""
    try:
        count = Int.decode(numkeys)
    except SimpleError:
        count = 0
    if count <= 0:
        raise SimpleError("ERR numkeys should be greater than 0")
    if count > len(rest):
        raise SimpleError("ERR Number of keys can't be greater than number of args")
    words, limit = list(rest[count:]), 0
    while words:
        if words.pop(0).lower() != b"limit" or not words:
            raise SimpleError(msgs.SYNTAX_ERROR_MSG)
        try:
            limit = Int.decode(words.pop(0))
        except SimpleError:
            limit = -1
        if limit < 0:
            raise SimpleError("ERR LIMIT can't be negative")
    members: set[bytes] | None = None
    for key in rest[:count]:
        found = session._db.get(key)
        if found is not None and not isinstance(found.value, ExpiringMembersSet):
            raise SimpleError(msgs.WRONGTYPE_MSG)
        here = set() if found is None else set(found.value._values)
        members = here if members is None else members & here
    size = len(members or ())
    return min(size, limit) if limit else size


def _keys(
    arguments: tuple[bytes, ...], words: tuple[bytes, bytes]
) -> tuple[list[bytes], bool, int]:
    """Read `numkeys key ... WHERE [COUNT n]`: the keys, whether it is the first word, how many."""
    try:
        count = Int.decode(arguments[0])
    except SimpleError:
        count = 0
    if count <= 0:
        raise SimpleError("ERR numkeys should be greater than 0")
    keys, rest = list(arguments[1 : count + 1]), list(arguments[count + 1 :])
    if not rest or rest[0].upper() not in words:
        raise SimpleError(msgs.SYNTAX_ERROR_MSG)
    limit = 1
    if len(rest) > 1:
        if len(rest) != 3 or rest[1].upper() != b"COUNT":
            raise SimpleError(msgs.SYNTAX_ERROR_MSG)
        try:
            limit = Int.decode(rest[2])
        except SimpleError:
            limit = 0
        if limit <= 0:
            raise SimpleError("ERR count should be greater than 0")
    return keys, rest[0].upper() == words[0], limit


def _pop(
    session: Session, kind: Any, keys: list[bytes], first: bool, limit: int, asked: bool
) -> list[Any] | None:
    """Pop from the first key that has something.

    Who waits already (`asked` is False) passes over keys that hold something else now.
    """
    for key in keys:
        found = session._db.get(key)
        if found is None:
            continue
        if not isinstance(found.value, kind):
            if not asked:
                continue
            raise SimpleError(msgs.WRONGTYPE_MSG)
        item = CommandItem(key, session._db, item=found)
        taken: list[Any] = []
        if isinstance(found.value, list):
            while found.value and len(taken) < limit:
                taken.append(found.value.pop(0 if first else -1))
            event = b"lpop" if first else b"rpop"
        else:
            members = sorted(found.value.items(), key=lambda pair: (pair[1], pair[0]))
            members = members[:limit] if first else members[::-1][:limit]
            for member, score in members:
                found.value.discard(member)
                taken.append([member, score])
            event = b"zpopmin" if first else b"zpopmax"
        item.updated()
        item.writeback()
        session.broker.notify(session._db_num, key, event, key not in session._db._dict)
        return [key, taken]
    return None


def _pop_shaped(
    session: Session, kind: Any, keys: list[bytes], first: bool, flat: bool, asked: bool
) -> list[Any] | None:
    """Pop one element of the first of these keys that has any."""
    found = _pop(session, kind, keys, first, 1, asked)
    if found is None:
        return None
    key, (taken,) = found
    return [key, *taken] if flat else [key, taken]


def _popper(name: str, kind: Any, first: bool) -> None:
    def handler(session: Session, *arguments: bytes) -> Any:
        keys, flat = list(arguments[:-1]), kind is ZSet
        attempt = partial(_pop_shaped, session, kind, keys, first, flat)
        return session._blocking(Timeout.decode(arguments[-1]), attempt)

    command(name, 2, -1)(handler)


for _name, _kind, _first in (
    ("blpop", list, True),
    ("brpop", list, False),
    ("bzpopmin", ZSet, True),
    ("bzpopmax", ZSet, False),
):
    _popper(_name, _kind, _first)

_SIDES = (b"LEFT", b"RIGHT")
_ENDS = (b"MIN", b"MAX")


@command("lmpop", 2, -1)
def lmpop(session: Session, *arguments: bytes) -> Any:
    """LMPOP numkeys key ... LEFT|RIGHT [COUNT n]."""
    return _pop(session, list, *_keys(arguments, _SIDES), True)


@command("blmpop", 3, -1)
def blmpop(session: Session, timeout: bytes, *arguments: bytes) -> Any:
    """BLMPOP timeout numkeys key ... LEFT|RIGHT [COUNT n]."""
    attempt = partial(_pop, session, list, *_keys(arguments, _SIDES))
    return session._blocking(Timeout.decode(timeout), attempt)


@command("zmpop", 2, -1)
def zmpop(session: Session, *arguments: bytes) -> Any:
    """ZMPOP numkeys key ... MIN|MAX [COUNT n]."""
    return _pop(session, ZSet, *_keys(arguments, _ENDS), True)


@command("bzmpop", 3, -1)
def bzmpop(session: Session, timeout: bytes, *arguments: bytes) -> Any:
    """BZMPOP timeout numkeys key ... MIN|MAX [COUNT n]."""
    attempt = partial(_pop, session, ZSet, *_keys(arguments, _ENDS))
    return session._blocking(Timeout.decode(timeout), attempt)
