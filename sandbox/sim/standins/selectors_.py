"""Stand-in for `selectors`: every selector class makes a world's selector inside a fiber."""

from __future__ import annotations

import selectors
from typing import Any

from sandbox.sim.standins import context
from sandbox.sim.standins.classes import standing_for
from sandbox.sim.standins.installation import Replace
from sandbox.sim.standins.select_ import descriptor, nanoseconds
from sandbox.sim.syscalls import BROKEN, READABLE, WRITABLE

#: epoll and poll wait for whole milliseconds. A program that asks for a millionth of a second,
#: again and again until something is due, would otherwise do so a thousand times more often than it
#: does on a real machine.
_SHORTEST_WAIT_S = 0.001


class WorldSelector(selectors._BaseSelectorImpl):
    """A selector over the world's sockets."""

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        key: selectors.SelectorKey = super().register(fileobj, events, data)
        try:
            descriptor(key.fd)
        except ValueError:
            super().unregister(fileobj)
            raise
        return key

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and 0 < timeout < _SHORTEST_WAIT_S:
            timeout = _SHORTEST_WAIT_S
        process = context.here()
        process.flush()
        interests = [
            (
                key.fd,
                (READABLE if key.events & selectors.EVENT_READ else 0)
                | (WRITABLE if key.events & selectors.EVENT_WRITE else 0),
            )
            for key in self.get_map().values()
        ]
        ready = []
        for fd, mask in process.syscalls.poll(interests, nanoseconds(timeout)):
            events = 0
            if mask & (READABLE | BROKEN):
                events |= selectors.EVENT_READ
            if mask & (WRITABLE | BROKEN):
                events |= selectors.EVENT_WRITE
            key = self.get_map().get(fd)
            if key is not None:
                ready.append((key, events & key.events))
        return ready


def install(replace: Replace) -> None:
    """Put the stand-ins in place."""
    standins: dict[type, Any] = {}
    for name in (
        "SelectSelector",
        "PollSelector",
        "EpollSelector",
        "DevpollSelector",
        "KqueueSelector",
        "DefaultSelector",
    ):
        original = getattr(selectors, name, None)
        if original is None:
            continue
        if original not in standins:
            standins[original] = standing_for(original, WorldSelector, WorldSelector)
        replace(selectors, name, standins[original])
