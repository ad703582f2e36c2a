"""Memory that has an end: `maxmemory`, and who has to go when it is reached.

Sizes are estimates: of a large value a few elements are looked at, as MEMORY USAGE does. Whoever
was not used longest goes first; LFU policies are played by LRU.
[https://redis.io/docs/latest/develop/reference/eviction/]
"""

from __future__ import annotations

import heapq
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from fakeredis._helpers import SimpleError
from fakeredis.model import Hash, XStream, ZSet

if TYPE_CHECKING:
    from sandbox.brokers.redis.broker import Broker

#: What Redis needs with no data at all.
EMPTY_BYTES: Final = 1_000_000
#: Of how many elements of a value the size is taken.
_SAMPLES: Final = 5
OOM: Final = "OOM command not allowed when used memory > 'maxmemory'."
_Place = tuple[int, bytes]


def size_bytes(key: bytes, value: Any) -> int:
    """About what Redis needs for a key and its value."""
    return 56 + len(key) + _size(value)


def _size(value: Any) -> int:
    if isinstance(value, bytes):
        return 16 + len(value)
    if isinstance(value, list):
        return 32 + _of_all(len(value), [11 + len(item) for item in value[:_SAMPLES]])
    if isinstance(value, XStream):
        some = [32 + sum(map(len, value._values_dict[key])) for key in value._ids[:_SAMPLES]]
        pending = sum(len(group.pel) for group in value._groups.values())
        return 400 + _of_all(len(value._ids), some) + 100 * pending
    if isinstance(value, ZSet):
        return 64 + _of_all(len(value), [40 + len(m) for m in islice(value._bylex, _SAMPLES)])
    if isinstance(value, Hash):
        some = [24 + len(f) + len(v) for f, v in islice(value._values.items(), _SAMPLES)]
        return 64 + _of_all(len(value._values), some)
    return 64 + _of_all(len(value), [24 + len(m) for m in islice(value._values, _SAMPLES)])


def _of_all(count: int, some: list[int]) -> int:
    return count * sum(some) // len(some) if some else 0


def used_bytes(broker: Broker) -> int:
    """About how much the data takes."""
    if broker.memory is not None:
        return broker.memory.used
    return EMPTY_BYTES + sum(
        size_bytes(key, item.value)
        for database in broker.server.dbs.values()
        for key, item in database._dict.items()
    )


class Memory:
    """The sizes of all keys, while `maxmemory` is set."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._sizes: dict[_Place, int] = {}
        self.used = EMPTY_BYTES
        #: Who may have to go: how soon, and the key. Looked up anew when it comes up.
        self._heap: list[tuple[float, int, bytes]] = []
        self._policy = ""
        self.update([(number, key) for number, db in broker.server.dbs.items() for key in db._dict])

    def update(self, touched: list[_Place]) -> None:
        """Keys changed."""
        for place in dict.fromkeys(touched):
            number, key = place
            item = self._broker.server.dbs[number]._dict.get(key)
            size = 0 if item is None else size_bytes(key, item.value)
            self.used += size - self._sizes.pop(place, 0)
            if item is not None:
                self._sizes[place] = size
                if self._policy:
                    self._push(place, item)

    def make_room(self) -> bool:
        """Let keys go until there is room; whether there is."""
        broker = self._broker
        limit = broker.settings.maxmemory
        if not limit or self.used <= limit:
            return True
        policy = broker.settings.values["maxmemory-policy"]
        if policy != self._policy:
            self._choose(policy)
        while self.used > limit:
            victim = self._next()
            if victim is None:
                return False
            self._evict(*victim)
        return True

    def _choose(self, policy: str) -> None:
        self._policy = "" if policy == "noeviction" else policy
        self._heap = []
        if self._policy:
            for place in self._sizes:
                self._push(place, self._broker.server.dbs[place[0]]._dict[place[1]])

    def _rank(self, place: _Place, item: Any) -> float | None:
        """How soon a key has to go, least first; None if it may stay."""
        if self._policy.startswith("volatile") and item.expireat is None:
            return None
        if self._policy.endswith("ttl"):
            return float(item.expireat)
        if self._policy.endswith("random"):
            return self._broker.random.random()
        return float(self._broker.server.dbs[place[0]].used.get(place[1], 0))

    def _push(self, place: _Place, item: Any) -> None:
        rank = self._rank(place, item)
        if rank is not None:
            heapq.heappush(self._heap, (rank, *place))
            if len(self._heap) > 3 * len(self._sizes) + 1000:
                self._choose(self._policy)

    def _next(self) -> _Place | None:
        while self._heap:
            rank, number, key = heapq.heappop(self._heap)
            item = self._broker.server.dbs[number]._dict.get(key)
            if item is None:
                continue
            now = rank if self._policy.endswith("random") else self._rank((number, key), item)
            if now == rank:
                return number, key
            if now is not None:
                heapq.heappush(self._heap, (now, number, key))
        return None

    def _evict(self, number: int, key: bytes) -> None:
        broker = self._broker
        database = broker.server.dbs[number]
        database.notify_watch(key)
        database._dict.pop(key, None)
        self.update([(number, key)])
        broker.evicted += 1
        if broker.log.on:
            broker.log.note(number, "del", [key], 1)
        broker.trace("key.evict", database=number, key=key)
        broker.notify(number, key, b"evicted", True)


def check_room(broker: Broker, denies: bool) -> None:
    """Before a command: let keys go if memory is short.

    Raises:
        SimpleError: there is no room, and the command (`denies`) would need some.
    """
    if broker.memory is not None and not broker.memory.make_room() and denies:
        raise SimpleError(OOM)
