"""Who waits, for which keys, and until when.

Found by key, because a thousand clients may wait while another one pushes; and by deadline, because
a carrier asks for the next one after everything it does.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.brokers.redis.session import Session, Waiting


class Waits:
    """The sessions that wait."""

    def __init__(self) -> None:
        #: Longest first.
        self.sessions: dict[Session, None] = {}
        self._by_key: dict[tuple[int, bytes], dict[Session, None]] = {}
        self._deadlines: list[tuple[int, int, Session, Waiting]] = []
        self._order: dict[Session, int] = {}
        self._count = 0

    def add(self, session: Session) -> None:
        """A session begins to wait, as its `waiting` says."""
        waiting = session.waiting
        if waiting is None:
            return
        self._count += 1
        self.sessions[session] = None
        self._order[session] = self._count
        session.places = [(session._db_num, key) for key in waiting.keys]
        for place in session.places:
            self._by_key.setdefault(place, {})[session] = None
        if waiting.deadline_ns is not None:
            heappush(self._deadlines, (waiting.deadline_ns, self._count, session, waiting))

    def remove(self, session: Session) -> None:
        """A session waits no longer, if it did."""
        if session not in self.sessions:
            return
        del self.sessions[session]
        del self._order[session]
        for place in session.places:
            here = self._by_key.get(place)
            if here is not None:
                here.pop(session, None)
                if not here:
                    del self._by_key[place]

    def for_keys(self, touched: list[tuple[int, bytes]]) -> list[Session]:
        """Who waits for any of these keys, longest first."""
        found: dict[Session, None] = {}
        for place in dict.fromkeys(touched):
            found.update(self._by_key.get(place, {}))
        return sorted(found, key=self._order.__getitem__)

    def next_deadline_ns(self) -> int | None:
        """When the first of them waits no longer, or None."""
        heap = self._deadlines
        while heap and heap[0][2].waiting is not heap[0][3]:
            heappop(heap)
        return heap[0][0] if heap else None

    def due(self, now_ns: int) -> list[Session]:
        """Who has waited long enough, in order of deadlines."""
        found = []
        while (deadline_ns := self.next_deadline_ns()) is not None and deadline_ns <= now_ns:
            found.append(heappop(self._deadlines)[2])
        return found
