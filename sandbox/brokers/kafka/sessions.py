"""Fetch sessions: a consumer says once what it reads, then only what changes [KIP-227].

The answers, too, tell only of partitions with news. A session belongs to a broker and ends when
the consumer says so, when it begins another, or when many others were used more recently.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from sandbox.brokers.kafka.errors import Code, KafkaError

if TYPE_CHECKING:
    from random import Random

    from sandbox.brokers.kafka.connection import Request

#: Kafka's `max.incremental.fetch.session.cache.slots`.
MOST_SESSIONS: Final = 1000
_LAST_EPOCH: Final = 2**31 - 1
#: A request with this epoch is part of no session; with the first, it asks for one.
_NO_SESSION, _FIRST = -1, 0

Found = tuple["Wanted", dict[str, Any]]


@dataclass(slots=True, eq=False)
class Wanted:
    """One partition somebody reads. Newer requests have ids of topics, older ones names."""

    topic: str
    topic_id: UUID | None
    index: int
    leader_epoch: int
    offset: int
    max_bytes: int
    #: What was said last about it: high watermark, start of the log.
    told: tuple[int, int] | None = None

    @property
    def key(self) -> tuple[str, UUID | None, int]:
        """What makes it the same partition."""
        return self.topic, self.topic_id, self.index


class Session:
    """What one consumer reads from one broker."""

    def __init__(self, session_id: int, wanted: Iterable[Wanted]) -> None:
        self.session_id = session_id
        self.epoch = _FIRST
        self.wanted = {each.key: each for each in wanted}

    def update(self, changed: Iterable[Wanted], forgotten: Iterable[Any], *, by_id: bool) -> None:
        """Read other partitions, or from elsewhere."""
        for topic in forgotten:
            name, topic_id = ("", topic.topic_id) if by_id else (topic.topic, None)
            for index in topic.partitions:
                self.wanted.pop((name, topic_id, index), None)
        for each in changed:
            known = self.wanted.get(each.key)
            each.told = None if known is None else known.told
            self.wanted[each.key] = each

    def news(self, found: list[Found]) -> list[Found]:
        """What the consumer does not know yet. Who was served goes to the end of the queue."""
        news = []
        for wanted, result in found:
            said = (result["high_watermark"], result["log_start_offset"])
            if result["records"] or result["error_code"] or wanted.told != said:
                news.append((wanted, result))
                wanted.told = None if result["error_code"] else said
            if result["records"]:
                self.wanted[wanted.key] = self.wanted.pop(wanted.key)
        return news


class Sessions:
    """The sessions of one broker, the least recently used first."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._sessions: dict[int, Session] = {}

    def of(self, request: Request) -> tuple[Session | None, list[Wanted]]:
        """The session of a fetch, if it has one, and all that is to be read.

        Raises:
            KafkaError: 70 there is no such session (any more); 71 a request of it was lost.
        """
        body, by_id = request.body, request.version >= 13
        listed = [
            Wanted(
                "" if by_id else topic.topic,
                topic.topic_id if by_id else None,
                each.partition,
                each.current_leader_epoch if request.version >= 9 else -1,
                each.fetch_offset,
                each.partition_max_bytes,
            )
            for topic in body.topics
            for each in topic.partitions
        ]
        if request.version < 7:
            return None, listed
        if body.session_epoch in (_NO_SESSION, _FIRST):
            self._sessions.pop(body.session_id, None)
            if body.session_epoch == _NO_SESSION or not listed:
                return None, listed
            session = self._begin(listed)
            return session, listed
        known = self._sessions.get(body.session_id)
        if known is None:
            raise KafkaError(Code.FETCH_SESSION_ID_NOT_FOUND)
        if body.session_epoch != known.epoch + 1:
            raise KafkaError(Code.INVALID_FETCH_SESSION_EPOCH)
        known.epoch = _FIRST if body.session_epoch == _LAST_EPOCH else body.session_epoch
        self._sessions[known.session_id] = self._sessions.pop(known.session_id)
        known.update(listed, body.forgotten_topics_data, by_id=by_id)
        return known, list(known.wanted.values())

    def clear(self) -> None:
        """The broker is gone, and its sessions with it."""
        self._sessions.clear()

    def _begin(self, listed: list[Wanted]) -> Session:
        session_id = 0
        while session_id == 0 or session_id in self._sessions:
            session_id = self._random.randrange(1, 2**31)
        while len(self._sessions) >= MOST_SESSIONS:
            del self._sessions[next(iter(self._sessions))]
        session = self._sessions[session_id] = Session(session_id, listed)
        return session
