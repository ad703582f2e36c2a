"""Things to be done later: one heap for what matters, one for housekeeping.

A world in which only housekeeping is due has nothing left to happen; keeping the two apart lets it
see that. Cancelled timers stay in their heap until they come up, or until they are most of it: a
client that comes and goes leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heapify, heappop, heappush
from typing import Final

Action = Callable[[int], None]
#: So few cancelled timers are left where they are.
_FEW: Final = 64


class Timer:
    """One thing to do, unless cancelled first."""

    __slots__ = ("_timers", "action", "due_ns")

    def __init__(self, due_ns: int, action: Action, timers: Timers) -> None:
        self.due_ns = due_ns
        self.action: Action | None = action
        self._timers = timers

    def cancel(self) -> None:
        """Do it not."""
        if self.action is not None:
            self.action = None
            self._timers.was_cancelled()


class Timers:
    """Timers in order of time, and of creation for the same time."""

    def __init__(self) -> None:
        self._events: list[tuple[int, int, Timer]] = []
        self._housekeeping: list[tuple[int, int, Timer]] = []
        self._created = 0
        #: At least as many as are cancelled and still in a heap.
        self._cancelled = 0
        #: The latest time anybody told.
        self.now_ns = 0

    def at(self, due_ns: int, action: Action, *, housekeeping: bool) -> Timer:
        """Call `action(now_ns)` once it is `due_ns`."""
        timer = Timer(due_ns, action, self)
        self._created += 1
        heap = self._housekeeping if housekeeping else self._events
        heappush(heap, (due_ns, self._created, timer))
        return timer

    def was_cancelled(self) -> None:
        """A timer will not be needed; clear up if most of them are not."""
        self._cancelled += 1
        if self._cancelled <= _FEW:
            return
        if 2 * self._cancelled <= len(self._events) + len(self._housekeeping):
            return
        for heap in (self._events, self._housekeeping):
            heap[:] = [entry for entry in heap if entry[2].action is not None]
            heapify(heap)
        self._cancelled = 0

    def next_due(self) -> int | None:
        """When anything is due."""
        first = _first(self._events) if self._events else None
        other = _first(self._housekeeping) if self._housekeeping else None
        if first is None or (other is not None and other < first):
            first = other
        return None if first is None else first[0]

    def next_event_due(self) -> int | None:
        """When anything but housekeeping is due."""
        first = _first(self._events)
        return None if first is None else first[0]

    def run_due(self, now_ns: int) -> int:
        """Do everything that is due, in order; also what that makes due at once.

        Returns: how many of them were more than housekeeping.
        """
        events = 0
        self.now_ns = now_ns
        while True:
            due = [heap for heap in (self._events, self._housekeeping) if _first(heap)]
            heap = min(due, key=lambda heap: heap[0][:2], default=None)
            if heap is None or heap[0][0] > now_ns:
                return events
            timer = heappop(heap)[2]
            events += heap is self._events
            action, timer.action = timer.action, None
            if action is not None:
                action(now_ns)


def _first(heap: list[tuple[int, int, Timer]]) -> tuple[int, int] | None:
    while heap and heap[0][2].action is None:
        heappop(heap)
    return heap[0][:2] if heap else None
