"""Virtual time: the only source of "now" in a world.

Time never flows; it jumps to the next thing that is due, and creeps by the cost of each system call
so that a program which only looks at the clock sees it move. Two things due at the same instant
happen in the order they were scheduled, so a run depends on its seed and on nothing else.

To change how time advances, change this file and nothing else.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable

MICROSECOND = 1_000
MILLISECOND = 1_000_000
SECOND = 1_000_000_000

#: Later than anything.
NEVER = 1 << 62

#: What the wall clock shows when a world begins: 2026-01-05 09:00:00 UTC, a Monday.
WALL_EPOCH_NS = 1_767_603_600 * SECOND


class Timer:
    """Something that is due at a time. Cancel it by clearing `action`."""

    __slots__ = ("action", "at_ns")

    def __init__(self, at_ns: int, action: Callable[[], None]) -> None:
        self.at_ns = at_ns
        self.action: Callable[[], None] | None = action

    def cancel(self) -> None:
        """Make it never happen. Idempotent."""
        self.action = None


class Clock:
    """Now, and what is due later."""

    def __init__(self) -> None:
        self.now_ns = 0
        self._timers: list[tuple[int, int, Timer]] = []
        self._sequence = 0
        #: When `run_due` may have something to do next.
        self.next_ns = NEVER

    def at(self, at_ns: int, action: Callable[[], None]) -> Timer:
        """Schedule `action`; a time that has passed means now."""
        at_ns = max(at_ns, self.now_ns)
        self._sequence += 1
        timer = Timer(at_ns, action)
        heapq.heappush(self._timers, (at_ns, self._sequence, timer))
        if at_ns < self.next_ns:
            self.next_ns = at_ns
        return timer

    def after(self, delay_ns: int, action: Callable[[], None]) -> Timer:
        """Schedule `action` `delay_ns` from now."""
        return self.at(self.now_ns + delay_ns, action)

    def next_due(self) -> int | None:
        """When the next timer is due, or None."""
        timers = self._timers
        while timers:
            if timers[0][2].action is not None:
                self.next_ns = timers[0][0]
                return self.next_ns
            heapq.heappop(timers)
        self.next_ns = NEVER
        return None

    def is_due(self) -> bool:
        """Whether `run_due` may have something to do."""
        return self.now_ns >= self.next_ns

    def run_due(self) -> None:
        """Carry out everything due by now, in order."""
        timers = self._timers
        try:
            while timers and timers[0][0] <= self.now_ns:
                timer = heapq.heappop(timers)[2]
                if timer.action is not None:
                    action, timer.action = timer.action, None
                    action()
        finally:
            self.next_ns = timers[0][0] if timers else NEVER

    def advance(self, to_ns: int) -> None:
        """Jump forward; never back."""
        if to_ns > self.now_ns:
            self.now_ns = to_ns
