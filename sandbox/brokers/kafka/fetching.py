"""Reading: Fetch.

A fetch that finds less than `min_bytes` waits, at most `max_wait_ms`, until a partition it
asked for gains records. What it asks for may be part of a session (`sessions.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from sandbox.brokers.kafka.connection import Request
from sandbox.brokers.kafka.errors import Code, KafkaError
from sandbox.brokers.kafka.replica import Replica
from sandbox.brokers.kafka.sessions import Session, Wanted

if TYPE_CHECKING:
    from sandbox.brokers.timers import Timer

_MS: Final = 1_000_000
READ_COMMITTED: Final = 1


class Fetch:
    """One fetch, from its arrival until it is answered."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.body = request.body
        self._session: Session | None = None
        self._wanted: list[Wanted] = []
        self._timer: Timer | None = None
        self._copies: list[Replica] = []
        self._committed = self.body.isolation_level == READ_COMMITTED

    def begin(self) -> None:
        """Answer, or wait."""
        try:
            self._session, self._wanted = self.request.broker.sessions.of(self.request)
        except KafkaError as why:
            self.request.answer({"error_code": why.code, "session_id": 0, "responses": []})
            return
        if self._try():
            return
        self.request.connection.waits_for_records = True
        due_ns = self.request.now_ns + max(self.body.max_wait_ms, 1) * _MS
        self._timer = self.request.broker.timers.at(due_ns, self._time_is_up, housekeeping=True)
        self._wait()

    def _try(self, *, at_once: bool = False) -> bool:
        self._copies = []
        found: list[tuple[Wanted, dict[str, Any]]] = []
        size, failed = 0, False
        for wanted in self._wanted:
            result, error = self._read(wanted, self.body.max_bytes - size, size)
            size += len(result["records"])
            failed = failed or error
            found.append((wanted, result))
        enough = size >= self.body.min_bytes
        if not (enough or failed or at_once or self.body.max_wait_ms <= 0 or not found):
            return False
        self.request.connection.waits_for_records = size == 0
        if size:
            self.request.broker.happened()
            self._trace(found)
        session_id = 0
        if self._session is not None:
            session_id = self._session.session_id
            found = self._session.news(found)
        self.request.answer(
            {
                "error_code": Code.NONE,
                "session_id": session_id,
                "responses": _by_topic(found),
            }
        )
        return True

    def _read(self, wanted: Wanted, room: int, size: int) -> tuple[dict[str, Any], bool]:
        result: dict[str, Any] = {
            "partition_index": wanted.index,
            "error_code": Code.NONE,
            "high_watermark": -1,
            "last_stable_offset": -1,
            "log_start_offset": -1,
            "aborted_transactions": None,
            "preferred_read_replica": -1,
            "records": b"",
        }
        try:
            topic = self.request.cluster.topic_for(wanted.topic, wanted.topic_id)
            copy = self.request.broker.led(topic.partition(wanted.index))
            copy.check_epoch(wanted.leader_epoch)
            self._copies.append(copy)
            result["high_watermark"] = copy.high_watermark
            result["last_stable_offset"] = copy.last_stable_offset
            result["log_start_offset"] = copy.log.start_offset
            limit = copy.last_stable_offset if self._committed else copy.high_watermark
            batches = copy.log.read(wanted.offset, limit, min(wanted.max_bytes, room))
            if room <= 0 and size:
                batches = []
            result["records"] = b"".join(batch.data for batch in batches)
            if self._committed:
                end = batches[-1].last_offset if batches else wanted.offset
                result["aborted_transactions"] = [
                    {"producer_id": producer_id, "first_offset": first}
                    for producer_id, first, last in copy.aborted
                    if last >= wanted.offset and first <= end
                ]
        except KafkaError as why:
            result["error_code"] = why.code
            return result, True
        return result, False

    def _wait(self) -> None:
        for copy in self._copies:
            copy.waiting[self._look_again] = None

    def _look_again(self) -> None:
        if self.request.answered or self.request.connection.lost or self._try():
            self._stop()
        else:
            self._wait()

    def _time_is_up(self, now_ns: int) -> None:
        self.request.now_ns = now_ns
        if not self.request.connection.lost:
            self._try(at_once=True)
        self._stop()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for copy in self._copies:
            copy.waiting.pop(self._look_again, None)

    def _trace(self, found: list[tuple[Wanted, dict[str, Any]]]) -> None:
        cluster = self.request.cluster
        if cluster.observe is None:
            return
        for wanted, result in found:
            if result["records"]:
                cluster.emit(
                    "fetch",
                    topic=cluster.topic_for(wanted.topic, wanted.topic_id).name,
                    partition=wanted.index,
                    offset=wanted.offset,
                    size_bytes=len(result["records"]),
                    connection=self.request.peer,
                )


def _by_topic(found: list[tuple[Wanted, dict[str, Any]]]) -> list[dict[str, Any]]:
    topics: dict[Any, dict[str, Any]] = {}
    for wanted, result in found:
        key = (wanted.topic, wanted.topic_id)
        if key not in topics:
            topics[key] = {
                "topic": wanted.topic,
                "topic_id": wanted.topic_id,
                "partitions": [],
            }
        topics[key]["partitions"].append(result)
    return list(topics.values())


def fetch(request: Request) -> None:
    """Send records, now or when there are some."""
    Fetch(request).begin()


HANDLERS: Final[Mapping[int, Callable[[Request], None]]] = {1: fetch}
