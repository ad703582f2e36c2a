"""The data: databases of keys, what changed in them, and what expires when.

fakeredis keeps the values. What it does not know is told here: that time is counted in whole
milliseconds, which keys changed since anybody looked (`touched`: those who wait for a key are
served by it), and when the next key expires.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

from fakeredis._core import FakeServer
from fakeredis._core._database import Database as FakeDatabase
from fakeredis.model import Hash

#: Which Redis this is unless told otherwise: the one of docker-compose.yml.
VERSION: Final = (7, 4, 2)
#: The number of databases, Redis's default.
DATABASES = 16


class Ordered(dict[Any, None]):
    """A set that keeps the order of arrival, so that a run depends on its seed alone."""

    def add(self, item: Any) -> None:
        """Put it in."""
        self[item] = None

    def discard(self, item: Any) -> None:
        """Take it out."""
        self.pop(item, None)

    def remove(self, item: Any) -> None:
        """Take it out; it is there."""
        del self[item]


class Database(FakeDatabase):
    """One numbered database."""

    def __init__(self, server: Server, number: int) -> None:
        super().__init__(None)
        self.server = server
        self.number = number
        self.time = server.now_ms / 1000
        self._watches = defaultdict(Ordered)  # type: ignore[arg-type]
        #: When a field of a hash expires, ms, and the hash's key; soonest first.
        self._fields_due: list[tuple[int, bytes]] = []
        #: When a key was last used, ms.
        self.used: dict[bytes, int] = {}

    def wake_all(self) -> None:
        """Nobody sleeps in here; `Server.touched` says whom to serve."""

    def notify_watch(self, key: bytes) -> None:
        """A key changes: call it while the key is there, before it goes or after it came.

        fakeredis calls it before the key comes; whether it really does, `Server.settle` finds out.
        """
        if key in self._dict:
            self._changed(key)
        else:
            self.server.coming.append((self, key))

    def _changed(self, key: bytes) -> None:
        server = self.server
        server.dirty += 1
        server.touched.append((self.number, key))
        self.used[key] = server.now_ms
        if key in self._watches:
            for session in list(self._watches[key]):
                session.notify_watch()
        if len(self.used) > 2 * len(self._dict) + 1000:
            self.used = {k: v for k, v in self.used.items() if k in self._dict}

    def changed_by_time(self, key: bytes) -> None:
        """A key, or a part of it, expired."""
        for session in list(self._watches.get(key, ())):
            session.notify_watch()
        self.server.touched.append((self.number, key))

    def get(self, key: bytes, default: Any = None) -> Any:
        """The item of a key, or something else."""
        item = self._dict.get(key)
        if item is None:
            return default
        if item.expireat is not None and self.expired(item):
            self.server.expire_due(self)
            return default
        if not self.server.peeking:
            self.used[key] = self.server.now_ms
        return item

    def __contains__(self, key: object) -> bool:
        item = self._dict.get(key)  # type: ignore[call-overload]
        return item is not None and not (item.expireat is not None and self.expired(item))

    def expired(self, item: Any) -> bool:
        """Whether an item's time is over: a key lives through the millisecond it expires in."""
        return item.expireat is not None and round(item.expireat * 1000) < self.server.now_ms

    def _remove_expired(self) -> None:
        self.server.expire_due(self)

    def schedule_expiry(self, key: bytes, expireat: float | None) -> None:
        """Note when a key expires, or the first field of its hash."""
        item = self._dict.get(key)
        if item is not None and type(item.value) is Hash and item.value._expirations:
            heapq.heappush(self._fields_due, (min(item.value._expirations.values()), key))
        if expireat is not None:
            super().schedule_expiry(key, expireat)

    def next_expiry_ms(self) -> int | None:
        """The first millisecond in which a key, or a field, is gone, or None."""
        if not self._expiry_heap and not self._fields_due:
            return None
        due = [each for each in (self._next_key_ms(), self._next_field_ms()) if each is not None]
        return min(due, default=None)

    def _next_key_ms(self) -> int | None:
        heap = self._expiry_heap
        while heap:
            expireat, key = heap[0]
            item = self._dict.get(key)
            if item is not None and item.expireat == expireat:
                return round(expireat * 1000) + 1
            heapq.heappop(heap)
        return None

    def _next_field_ms(self) -> int | None:
        heap = self._fields_due
        while heap:
            at_ms, key = heap[0]
            item = self._dict.get(key)
            if item is not None and type(item.value) is Hash:
                first = min(item.value._expirations.values(), default=None)
                if first == at_ms:
                    return at_ms + 1
                if first is not None and first < at_ms:
                    return first + 1
            heapq.heappop(heap)
        return None

    def pop_expired_fields(self) -> Iterator[tuple[bytes, bool]]:
        """Take fields out that are expired; of each hash its key, and whether it is gone."""
        while (due := self._next_field_ms()) is not None and due <= self.server.now_ms:
            _, key = heapq.heappop(self._fields_due)
            value = self._dict[key].value
            if not len(value):  # which takes out what is expired
                del self._dict[key]
            elif value._expirations:
                heapq.heappush(self._fields_due, (min(value._expirations.values()), key))
            if value.take_expired_fields():
                yield key, key not in self._dict

    def pop_expired(self) -> Iterator[bytes]:
        """Take out what is expired, soonest first."""
        while (due := self._next_key_ms()) is not None and due <= self.server.now_ms:
            _, key = heapq.heappop(self._expiry_heap)
            if self._dict.pop(key, None) is not None:
                yield key

    def __getitem__(self, key: bytes) -> Any:
        item = self._dict[key]
        if self.expired(item):
            self.server.expire_due(self)
            raise KeyError(key)
        return item

    def items_now(self) -> dict[bytes, Any]:
        """Everything in it, by key."""
        return self._dict

    def replace(self, items: dict[bytes, Any]) -> None:
        """Make it hold this and nothing else."""
        self._dict = items
        self._expiry_heap = [(i.expireat, k) for k, i in items.items() if i.expireat is not None]
        heapq.heapify(self._expiry_heap)
        self._fields_due = [
            (min(i.value._expirations.values()), k)
            for k, i in items.items()
            if type(i.value) is Hash and i.value._expirations
        ]
        heapq.heapify(self._fields_due)

    def swap(self, other: FakeDatabase) -> None:
        """Exchange all keys with another database."""
        super().swap(other)
        assert isinstance(other, Database)
        self.used, other.used = other.used, self.used
        self._fields_due, other._fields_due = other._fields_due, self._fields_due

    __hash__ = FakeDatabase.__hash__


class Databases(dict[int, Database]):
    """The databases, made when first used."""

    def __init__(self, server: Server) -> None:
        super().__init__()
        self._server = server

    def __missing__(self, number: int) -> Database:
        database = self[number] = Database(self._server, number)
        return database


class Server(FakeServer):
    """What fakeredis's commands know as the server."""

    def __init__(self, now_ns: int, version: tuple[int, int, int] = VERSION) -> None:
        self.now_ms = now_ns // 1_000_000
        super().__init__(version=version)
        #: How much was written since the last save.
        self.dirty = 0
        #: Keys written by the command that runs, with their databases' numbers.
        self.touched: list[tuple[int, bytes]] = []
        #: Keys that a command said it would make.
        self.coming: list[tuple[Database, bytes]] = []
        #: Called for every key that expired.
        self.on_expired: Any = None
        #: Called for every hash of which a field expired.
        self.on_fields_expired: Any = None
        self.dbs: Any = Databases(self)
        self.subscribers: Any = defaultdict(Ordered)
        self.psubscribers: Any = defaultdict(Ordered)
        self.ssubscribers: Any = defaultdict(Ordered)
        self.lastsave = now_ns // 1_000_000_000
        self.expired_keys = 0
        #: Libraries of functions, by name.
        self.libraries: dict[bytes, Any] = {}
        #: Whether the command that runs looks at keys without using them.
        self.peeking = False

    def settle(self) -> None:
        """A command is over: the keys it made have changed."""
        coming, self.coming = self.coming, []
        for database, key in coming:
            if key in database._dict:
                database._changed(key)

    def set_time(self, now_ns: int) -> None:
        """It is now, on the wall."""
        now_ms = now_ns // 1_000_000
        if now_ms != self.now_ms:
            self.now_ms = now_ms
            for database in self.dbs.values():
                database.time = now_ms / 1000

    def expire_due(self, database: Database) -> None:
        """Take out of a database what is expired, and tell those who watch it."""
        if database._fields_due:
            for key, gone in list(database.pop_expired_fields()):
                database.changed_by_time(key)
                if self.on_fields_expired is not None:
                    self.on_fields_expired(database.number, key, gone)
        if not database._expiry_heap:
            return
        for key in list(database.pop_expired()):
            self.expired_keys += 1
            database.changed_by_time(key)
            if self.on_expired is not None:
                self.on_expired(database.number, key)

    def next_expiry_ms(self) -> int | None:
        """When the next key of any database is gone."""
        due = [ms for db in self.dbs.values() if (ms := db.next_expiry_ms()) is not None]
        return min(due, default=None)
