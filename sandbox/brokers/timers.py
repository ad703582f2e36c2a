"""Things to be done later: one heap for what matters, one for housekeeping.

A world in which only housekeeping is due has nothing left to happen; keeping the two apart lets it
see that. Cancelled timers stay in the heap until they come up.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush

Action = Callable[[int], None]


class Timer:
    """One thing to do, unless cancelled first."""

    __slots__ = ("action", "due_ns")

    def __init__(self, due_ns: int, action: Action) -> None:
        self.due_ns = due_ns
        self.action: Action | None = action

    def cancel(self) -> None:
        """Do it not."""
        self.action = None


class Timers:
    """Timers in order of time, and of creation for the same time."""

    def __init__(self) -> None:
        self._events: list[tuple[int, int, Timer]] = []
        self._housekeeping: list[tuple[int, int, Timer]] = []
        self._created = 0
        #: The latest time anybody told.
        self.now_ns = 0

    def at(self, due_ns: int, action: Action, *, housekeeping: bool) -> Timer:
        """Call `action(now_ns)` once it is `due_ns`."""
        timer = Timer(due_ns, action)
        self._created += 1
        heap = self._housekeeping if housekeeping else self._events
        heappush(heap, (due_ns, self._created, timer))
        return timer

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
