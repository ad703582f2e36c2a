"""The time that embedded brokers see: the wall's, but never going back.

Brokers keep what they say about time on a disk, so their times must mean the same in the next run:
nanoseconds since 1970. The wall's clock can be set back, though, and a broker's may not, so the
wall is asked once, at the start, and from then on the time goes on at the pace of the monotonic
clock. A run that follows another on the same folder begins no earlier than that one ended.

To change what time it is for brokers, change `Clock` and nothing else.
"""

from __future__ import annotations

import time


class Clock:
    """Nanoseconds since 1970 that never go back, and are never before `not_before_ns`."""

    def __init__(self, not_before_ns: int = 0) -> None:
        self._began_ns = max(time.time_ns(), not_before_ns)
        self._offset_ns = self._began_ns - time.monotonic_ns()

    @property
    def began_ns(self) -> int:
        """When this clock was made."""
        return self._began_ns

    def now_ns(self) -> int:
        """The time now."""
        return time.monotonic_ns() + self._offset_ns
