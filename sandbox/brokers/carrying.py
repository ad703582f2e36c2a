"""The part of `base.Broker` that is the same in every broker: news for the carrier, and timers.

A broker inherits from `Carried`. A connection of it that has something to say, or is closing, goes
into `writable` once, and hears by `taken` that the carrier knows; what is due goes into `timers`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

from sandbox.brokers import base
from sandbox.brokers.timers import Timers


class Announcing(base.Connection, Protocol):
    """A connection that announces itself once until it is taken."""

    def taken(self) -> None:
        """The carrier was told; announce again when there is more."""


ConnectionT = TypeVar("ConnectionT", bound=Announcing)


class Carried(Generic[ConnectionT]):
    """What the carrier asks a broker."""

    def __init__(self) -> None:
        self.timers = Timers()
        #: Connections with news for the carrier, oldest first.
        self.writable: list[ConnectionT] = []
        #: Changes with everything but housekeeping; carriers compare it.
        self.activity = 0

    def take_writable(self) -> Sequence[ConnectionT]:
        """Return the connections that gained bytes or began closing since the last call."""
        taken, self.writable = self.writable, []
        for connection in taken:
            connection.taken()
        return taken

    def next_timer(self) -> int | None:
        """When `handle_timer` must be called next, in nanoseconds, or None."""
        return self.timers.next_due()

    def next_event_timer(self) -> int | None:
        """As `next_timer`, leaving out housekeeping such as heartbeats."""
        return self.timers.next_event_due()

    def handle_timer(self, now_ns: int) -> None:
        """Do everything that is due at `now_ns`."""
        self.activity += self.timers.run_due(now_ns)
