"""The order in which a queue's messages wait.

Three kinds of line, chosen by `make_line`. In a classic queue a message that comes back stands
where it stood. With `x-max-priority` there is such a line for each priority and the highest goes
first. In a quorum queue whatever comes back goes ahead of everything else, in the order in which it
came back (`Queue.requeue` has the exception). [RabbitMQ: "Priority Queues", "Quorum Queues"]

Every line knows how many bytes of bodies wait in it, because a queue may be limited by that.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence

from sandbox.brokers.amqp.message import Entry


class Line:
    """First in, first out; what comes back is where it was."""

    __slots__ = ("_entries", "size_bytes")

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque()
        self.size_bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    def append(self, entry: Entry) -> None:
        """A new message: the last of its kind."""
        self._entries.append(entry)
        self.size_bytes += len(entry.message.body)

    def head(self) -> Entry | None:
        """The message whose turn it is."""
        return self._entries[0] if self._entries else None

    def popleft(self) -> Entry:
        """Take the message whose turn it is."""
        entry = self._entries.popleft()
        self.size_bytes -= len(entry.message.body)
        return entry

    def put_back(self, entries: Sequence[Entry]) -> None:
        """Return messages to their places. There must be at least one."""
        waiting = self._entries
        returning = sorted(entries, key=_position)
        # Usually the oldest messages come back, or none is older than the newest of them.
        newest = returning[-1].position
        ahead = []
        while waiting and waiting[0].position < newest:
            ahead.append(waiting.popleft())
        if ahead:
            returning = sorted([*ahead, *returning], key=_position)
        waiting.extendleft(reversed(returning))
        self.size_bytes += sum(len(entry.message.body) for entry in entries)

    def clear(self) -> None:
        """Forget all of them."""
        self._entries.clear()
        self.size_bytes = 0

    def replace(self, entries: Iterable[Entry]) -> None:
        """Make these, in this order, all there is."""
        self.clear()
        for entry in entries:
            self.append(entry)


class PriorityLine(Line):
    """A line for each priority from 0 to `highest`; the head is the highest line's."""

    __slots__ = ("_count", "_levels")

    def __init__(self, highest: int) -> None:
        super().__init__()
        self._levels = [Line() for _ in range(highest + 1)]
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Entry]:
        for level in reversed(self._levels):
            yield from level

    def append(self, entry: Entry) -> None:
        """A new message: behind those of its priority."""
        self._level(entry).append(entry)
        self._count += 1
        self.size_bytes += len(entry.message.body)

    def head(self) -> Entry | None:
        """The oldest of the highest priority there is."""
        return next((level.head() for level in reversed(self._levels) if level), None)

    def popleft(self) -> Entry:
        """Take the oldest of the highest priority there is."""
        entry = next(level for level in reversed(self._levels) if level).popleft()
        self._count -= 1
        self.size_bytes -= len(entry.message.body)
        return entry

    def put_back(self, entries: Sequence[Entry]) -> None:
        """Return messages to their places among those of their priority."""
        returning: dict[Line, list[Entry]] = {}
        for entry in entries:
            returning.setdefault(self._level(entry), []).append(entry)
        for level, those in returning.items():
            level.put_back(those)
        self._count += len(entries)
        self.size_bytes += sum(len(entry.message.body) for entry in entries)

    def clear(self) -> None:
        """Forget all of them."""
        for level in self._levels:
            level.clear()
        self._count = 0
        self.size_bytes = 0

    def _level(self, entry: Entry) -> Line:
        # More than the queue knows is as much as it knows.
        return self._levels[min(entry.message.priority, len(self._levels) - 1)]


class ReturnsFirstLine(Line):
    """What comes back goes first, before anything that was never handed out."""

    __slots__ = ("_returned",)

    def __init__(self) -> None:
        super().__init__()
        self._returned: deque[Entry] = deque()

    def __len__(self) -> int:
        return len(self._returned) + len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        yield from self._returned
        yield from self._entries

    def head(self) -> Entry | None:
        """The first that came back, or else the oldest."""
        return self._returned[0] if self._returned else super().head()

    def popleft(self) -> Entry:
        """Take the first that came back, or else the oldest."""
        if not self._returned:
            return super().popleft()
        entry = self._returned.popleft()
        self.size_bytes -= len(entry.message.body)
        return entry

    def put_back(self, entries: Sequence[Entry]) -> None:
        """Put messages behind those that came back earlier."""
        self._returned.extend(entries)
        self.size_bytes += sum(len(entry.message.body) for entry in entries)

    def clear(self) -> None:
        """Forget all of them."""
        self._returned.clear()
        super().clear()


def make_line(*, quorum: bool, max_priority: int | None) -> Line:
    """The line for a queue of this type."""
    if quorum:
        return ReturnsFirstLine()
    return PriorityLine(max_priority) if max_priority else Line()


def _position(entry: Entry) -> int:
    return entry.position
