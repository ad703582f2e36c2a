"""A stream and its groups: what XADD appends to and what XREADGROUP hands out.

fakeredis's stream keeps entries and packs them into nodes of a hundred, which decide what an
approximate trim (`~`) drops. This one packs only once somebody asks about nodes, and its groups
count and time as Redis does: a consumer is *seen* whenever it asks, *active* whenever it gets
something, and acknowledging touches neither.
[https://redis.io/docs/latest/develop/data-types/streams/]
"""

from __future__ import annotations

import bisect
from typing import Any

from fakeredis.model import StreamEntryKey, XStream
from fakeredis.model._stream import MIN_KEY, PelEntry, StreamGroup

from sandbox.brokers.redis.borrowed import LENT

#: How long an inactive consumer says it was inactive if it never got anything. [XINFO CONSUMERS]
NEVER = -1
_Unpacked = list[tuple[StreamEntryKey, list[bytes], int, int]]


class Consumer:
    """A member of a group."""

    __slots__ = ("active_ms", "name", "pending", "seen_ms")

    def __init__(self, name: bytes, now_ms: int) -> None:
        self.name = name
        #: How many entries wait for its acknowledgement.
        self.pending = 0
        self.seen_ms = now_ms
        self.active_ms = NEVER


class Group(StreamGroup):
    """A consumer group: where it is in the stream, and what is not acknowledged yet (`pel`)."""

    def __init__(
        self,
        stream: XStream,
        name: bytes,
        last_delivered_key: StreamEntryKey,
        entries_read: int | None = None,
    ) -> None:
        super().__init__(stream, name, last_delivered_key, entries_read)
        self.consumers: dict[bytes, Consumer] = {}  # type: ignore[assignment]

    def consumer(self, name: bytes) -> Consumer:
        """The consumer of this name, made if there is none, and seen now."""
        found = self.consumers.get(name)
        if found is None:
            found = self.consumers[name] = Consumer(name, LENT.now_ms)
        found.seen_ms = LENT.now_ms
        return found

    def remove_consumer(self, name: bytes) -> int:
        """Forget a consumer with all that is pending for it; how many that were."""
        if self.consumers.pop(name, None) is None:
            return 0
        owned = [key for key, entry in self.pel.items() if entry.consumer_name == name]
        for key in owned:
            del self.pel[key]
        return len(owned)

    def deliver(self, name: bytes, count: int | None, *, noack: bool) -> list[StreamEntryKey]:
        """Hand out what the group has not seen yet, oldest first."""
        consumer = self.consumer(name)
        keys = self.stream.stream_read(self.last_delivered_key, count)
        if not keys:
            return keys
        consumer.active_ms = now_ms = LENT.now_ms
        if not noack:
            entry = PelEntry(name, now_ms, 1)
            for key in keys:
                before = self.pel.get(key)
                if before is not None:  # after XGROUP SETID it may be somebody's already
                    self._release(before)
                self.pel[key] = entry
            consumer.pending += len(keys)
        for key in keys:
            self._mark_delivered(key)
        return keys

    def history(
        self, name: bytes, after: StreamEntryKey, count: int | None
    ) -> list[StreamEntryKey]:
        """What is pending for a consumer already; each counts as delivered once more."""
        self.consumer(name)
        keys = sorted(k for k, v in self.pel.items() if v.consumer_name == name and k > after)
        if count is not None:
            keys = keys[:count]
        for key in keys:
            entry = self.pel[key]
            if key in self.stream:
                self.pel[key] = PelEntry(name, LENT.now_ms, entry.times_delivered + 1)
        return keys

    def settle(self, keys: list[StreamEntryKey]) -> int:
        """Acknowledge entries; how many were pending."""
        settled = 0
        for key in keys:
            entry = self.pel.pop(key, None)
            if entry is not None:
                self._release(entry)
                settled += 1
        return settled

    def take_over(
        self, key: StreamEntryKey, name: bytes, at_ms: int, delivered: int | None
    ) -> None:
        """Make a pending entry a consumer's; `delivered` sets its count, None adds one."""
        entry = self.pel[key]
        self._release(entry)
        count = entry.times_delivered + 1 if delivered is None else delivered
        self.pel[key] = PelEntry(name, at_ms, count)
        self.consumers[name].pending += 1

    def _release(self, entry: PelEntry) -> None:
        owner = self.consumers.get(entry.consumer_name)
        if owner is not None:
            owner.pending -= 1


class Stream(XStream):
    """The value of a key of type stream."""

    def __init__(self) -> None:
        self._unpacked: _Unpacked = []
        self._packed: list[Any] = []
        super().__init__()

    @property
    def _nodes(self) -> list[Any]:
        if self._unpacked:
            self._pack()
        return self._packed

    @_nodes.setter
    def _nodes(self, nodes: list[Any]) -> None:
        self._packed = nodes

    def _pack(self) -> None:
        """Let fakeredis's stream account for the entries it has not been told of yet.

        It appends an entry as it accounts for it; so it does that to lists of no use.
        """
        kept = self._ids, self._values_dict, self._entries_added, self._last_id
        self._ids, self._values_dict = [], {}
        unpacked, self._unpacked = self._unpacked, []
        for key, fields, most, size in unpacked:
            super().add(fields, key, most, size)
        self._ids, self._values_dict, self._entries_added, self._last_id = kept

    def add(
        self,
        fields: Any,
        key: StreamEntryKey,
        node_max_entries: int = 100,
        node_max_bytes: int = 4096,
    ) -> None:
        """Append an entry, whose id comes from `next_id`."""
        self._unpacked.append((key, fields, node_max_entries, node_max_bytes))
        self._ids.append(key)
        self._values_dict[key] = fields
        self._entries_added += 1
        self._last_id = key

    def group_add(
        self, name: bytes, last_delivered_key: StreamEntryKey, entries_read: int | None
    ) -> None:
        """Make a group that reads what comes after an id."""
        self._groups[name] = Group(self, name, last_delivered_key, entries_read)

    def discard(self, key: StreamEntryKey) -> bool:
        """Delete an entry, if it is there."""
        if key not in self._values_dict:
            return False
        self._delete_at(bisect.bisect_left(self._ids, key))
        return True

    def records(self, keys: list[StreamEntryKey]) -> list[Any]:
        """Entries as replies have them; None where one is gone."""
        values = self._values_dict
        return [[b"%d-%d" % key, values.get(key)] for key in keys]

    # -- plain values, for what outlives the process -------------------------------------------

    def to_plain(self) -> list[Any]:
        """Everything, as lists of numbers and bytes."""
        made: Any = self._groups.values()
        groups = [
            [
                group.name,
                list(group.last_delivered_key),
                group.entries_read,
                [[c.name, c.seen_ms, c.active_ms] for c in group.consumers.values()],
                [[*key, *entry] for key, entry in group.pel.items()],
            ]
            for group in made
        ]
        nodes = [
            [*n.master_id, n.master_fields, *n.last_id, n.live, n.deleted, n.lp_bytes]
            for n in self._nodes
        ]
        return [
            [[*key, self._values_dict[key]] for key in self._ids],
            [list(self._last_id), list(self._max_deleted_id), self._entries_added],
            groups,
            nodes,
        ]

    @classmethod
    def from_plain(cls, plain: list[Any]) -> Stream:
        """The stream that `to_plain` told of."""
        from fakeredis.model._stream import _StreamNode

        entries, (last, deleted, added), groups, nodes = plain
        stream = cls()
        for ts, seq, fields in entries:
            key = StreamEntryKey(ts, seq)
            stream._ids.append(key)
            stream._values_dict[key] = list(fields)
        stream._last_id, stream._max_deleted_id = StreamEntryKey(*last), StreamEntryKey(*deleted)
        stream._entries_added = added
        for name, delivered, read, consumers, pending in groups:
            group = stream._groups[name] = Group(stream, name, StreamEntryKey(*delivered), read)
            for who, seen_ms, active_ms in consumers:
                consumer = group.consumers[who] = Consumer(who, seen_ms)
                consumer.active_ms = active_ms
            for ts, seq, who, at_ms, times in pending:
                group.pel[StreamEntryKey(ts, seq)] = PelEntry(who, at_ms, times)
                if who in group.consumers:
                    group.consumers[who].pending += 1
        stream._packed = [
            _StreamNode(
                StreamEntryKey(*n[:2]), list(n[2]), StreamEntryKey(*n[3:5]), n[5], n[6], n[7]
            )
            for n in nodes
        ]
        return stream


FIRST = MIN_KEY
