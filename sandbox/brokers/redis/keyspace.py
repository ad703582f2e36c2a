"""The data: databases of keys, what changed in them, and what expires when.

fakeredis keeps the values. What it does not know is told here: that time is counted in whole
milliseconds, which keys changed since anybody looked (`touched`: those who wait for a key are
served by it), and when the next key expires.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from fakeredis._core import FakeServer
from fakeredis._core._database import Database as FakeDatabase

#: What this server says it is: the Redis of Debian 12, which the sandbox is compared with.
VERSION = "7.0.15"
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

    def wake_all(self) -> None:
        """Nobody sleeps in here; `Server.touched` says whom to serve."""

    def notify_watch(self, key: bytes) -> None:
        """A key changed."""
        self.server.dirty += 1
        self.server.touched.append((self.number, key))
        for session in list(self._watches.get(key, ())):
            session.notify_watch()

    def expired(self, item: Any) -> bool:
        """Whether an item's time is over: a key lives through the millisecond it expires in."""
        return item.expireat is not None and round(item.expireat * 1000) < self.server.now_ms

    def _remove_expired(self) -> None:
        self.server.expire_due(self)

    def next_expiry_ms(self) -> int | None:
        """The first millisecond in which a key of this database is gone, or None."""
        heap = self._expiry_heap
        while heap:
            expireat, key = heap[0]
            item = self._dict.get(key)
            if item is not None and item.expireat == expireat:
                return round(expireat * 1000) + 1
            heapq.heappop(heap)
        return None

    def pop_expired(self) -> Iterator[bytes]:
        """Take out what is expired, soonest first."""
        while (due := self.next_expiry_ms()) is not None and due <= self.server.now_ms:
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

    def __init__(self, now_ns: int) -> None:
        self.now_ms = now_ns // 1_000_000
        super().__init__(version=(7, 0, 15))
        #: How much was written since the last save.
        self.dirty = 0
        #: Keys written by the command that runs, with their databases' numbers.
        self.touched: list[tuple[int, bytes]] = []
        #: Called for every key that expired.
        self.on_expired: Any = None
        self.dbs: Any = Databases(self)
        self.subscribers: Any = defaultdict(Ordered)
        self.psubscribers: Any = defaultdict(Ordered)
        self.ssubscribers: Any = defaultdict(Ordered)
        self.lastsave = now_ns // 1_000_000_000
        self.expired_keys = 0

    def set_time(self, now_ns: int) -> None:
        """It is now, on the wall."""
        now_ms = now_ns // 1_000_000
        if now_ms != self.now_ms:
            self.now_ms = now_ms
            for database in self.dbs.values():
                database.time = now_ms / 1000

    def expire_due(self, database: Database) -> None:
        """Take out of a database what is expired, and tell those who watch it."""
        for key in list(database.pop_expired()):
            self.expired_keys += 1
            for session in list(database._watches.get(key, ())):
                session.notify_watch()
            self.touched.append((database.number, key))
            if self.on_expired is not None:
                self.on_expired(database.number, key)

    def next_expiry_ms(self) -> int | None:
        """When the next key of any database is gone."""
        due = [ms for db in self.dbs.values() if (ms := db.next_expiry_ms()) is not None]
        return min(due, default=None)
