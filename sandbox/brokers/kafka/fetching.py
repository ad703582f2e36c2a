"""Reading: Fetch, ListOffsets, OffsetForLeaderEpoch, and DeleteRecords.

A fetch that finds less than `min_bytes` waits, at most `max_wait_ms`, until a partition it
asked for gains records.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from sandbox.brokers.kafka.connection import Request
from sandbox.brokers.kafka.errors import Code, KafkaError
from sandbox.brokers.kafka.replica import Replica

if TYPE_CHECKING:
    from sandbox.brokers.timers import Timer

_MS: Final = 1_000_000
READ_COMMITTED: Final = 1
LATEST, EARLIEST, MAX_TIMESTAMP, EARLIEST_LOCAL = -1, -2, -3, -4


class Fetch:
    """One fetch, from its arrival until it is answered."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.body = request.body
        self._timer: Timer | None = None
        self._copies: list[Replica] = []
        self._committed = self.body.isolation_level == READ_COMMITTED

    def begin(self) -> None:
        """Answer, or wait."""
        if self.body.session_id != 0:
            self.request.answer(
                {"error_code": Code.FETCH_SESSION_ID_NOT_FOUND, "session_id": 0, "responses": []}
            )
            return
        if self._try():
            return
        self.request.connection.waits_for_records = True
        due_ns = self.request.now_ns + max(self.body.max_wait_ms, 1) * _MS
        self._timer = self.request.broker.timers.at(due_ns, self._time_is_up, housekeeping=True)
        self._wait()

    def _try(self, *, at_once: bool = False) -> bool:
        self._copies = []
        found: list[dict[str, Any]] = []
        size, failed = 0, False
        for topic_wanted in self.body.topics:
            results = []
            for wanted in topic_wanted.partitions:
                result, error = self._read(topic_wanted, wanted, self.body.max_bytes - size, size)
                size += len(result["records"])
                failed = failed or error
                results.append(result)
            found.append(
                {
                    "topic": topic_wanted.topic,
                    "topic_id": topic_wanted.topic_id,
                    "partitions": results,
                }
            )
        enough = size >= self.body.min_bytes
        if not (enough or failed or at_once or self.body.max_wait_ms <= 0 or not found):
            return False
        self.request.connection.waits_for_records = size == 0
        if size:
            self.request.broker.happened()
            self._trace(found)
        self.request.answer({"error_code": Code.NONE, "session_id": 0, "responses": found})
        return True

    def _read(
        self, topic_wanted: Any, wanted: Any, room: int, size: int
    ) -> tuple[dict[str, Any], bool]:
        result: dict[str, Any] = {
            "partition_index": wanted.partition,
            "error_code": Code.NONE,
            "high_watermark": -1,
            "last_stable_offset": -1,
            "log_start_offset": -1,
            "aborted_transactions": None,
            "preferred_read_replica": -1,
            "records": b"",
        }
        try:
            topic_id = topic_wanted.topic_id if self.request.version >= 13 else None
            topic = self.request.cluster.topic_for(topic_wanted.topic, topic_id)
            copy = self.request.broker.led(topic.partition(wanted.partition))
            copy.check_epoch(wanted.current_leader_epoch)
            self._copies.append(copy)
            result["high_watermark"] = copy.high_watermark
            result["last_stable_offset"] = copy.last_stable_offset
            result["log_start_offset"] = copy.log.start_offset
            limit = copy.last_stable_offset if self._committed else copy.high_watermark
            batches = copy.log.read(
                wanted.fetch_offset, limit, min(wanted.partition_max_bytes, room)
            )
            if room <= 0 and size:
                batches = []
            result["records"] = b"".join(batch.data for batch in batches)
            if self._committed:
                end = batches[-1].last_offset if batches else wanted.fetch_offset
                result["aborted_transactions"] = [
                    {"producer_id": producer_id, "first_offset": first}
                    for producer_id, first, last in copy.aborted
                    if last >= wanted.fetch_offset and first <= end
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

    def _trace(self, found: list[dict[str, Any]]) -> None:
        cluster = self.request.cluster
        if cluster.observe is None:
            return
        offsets = {
            (topic.topic, topic.topic_id, wanted.partition): wanted.fetch_offset
            for topic in self.body.topics
            for wanted in topic.partitions
        }
        for topic in found:
            for result in topic["partitions"]:
                if result["records"]:
                    key = (topic["topic"], topic["topic_id"], result["partition_index"])
                    name = cluster.topic_for(
                        topic["topic"], topic["topic_id"] if self.request.version >= 13 else None
                    ).name
                    cluster.emit(
                        "fetch",
                        topic=name,
                        partition=result["partition_index"],
                        offset=offsets[key],
                        size_bytes=len(result["records"]),
                        connection=self.request.peer,
                    )


def fetch(request: Request) -> None:
    """Send records, now or when there are some."""
    Fetch(request).begin()


def _each_led(
    request: Request,
    topics: Iterable[Any],
    blank: Mapping[str, Any],
    answer: Callable[[Replica, Any, dict[str, Any]], None],
    *,
    name: str = "name",
    index: str = "partition_index",
) -> None:
    """Answer partition by partition: `blank`, and what `answer` fills in or refuses."""
    found = []
    for topic_wanted in topics:
        results = []
        for wanted in topic_wanted.partitions:
            result = {index: getattr(wanted, index), "error_code": Code.NONE, **blank}
            try:
                topic = request.cluster.topic(getattr(topic_wanted, name))
                answer(request.broker.led(topic.partition(result[index])), wanted, result)
            except KafkaError as why:
                result["error_code"] = why.code
            results.append(result)
        found.append({name: getattr(topic_wanted, name), "partitions": results})
    request.answer({"topics": found})


def list_offsets(request: Request) -> None:
    """Say where a log begins, where it ends, or what was the first record after some time."""
    committed = request.version >= 2 and request.body.isolation_level == READ_COMMITTED

    def answer(copy: Replica, wanted: Any, result: dict[str, Any]) -> None:
        if request.version >= 4:
            copy.check_epoch(wanted.current_leader_epoch)
        found = _find(copy, wanted.timestamp, committed)
        if found is not None:
            result["offset"], result["timestamp"], result["leader_epoch"] = found

    blank = {"timestamp": -1, "offset": -1, "leader_epoch": -1}
    _each_led(request, request.body.topics, blank, answer)


def _find(copy: Replica, timestamp: int, committed: bool) -> tuple[int, int, int] | None:
    end = copy.last_stable_offset if committed else copy.high_watermark
    if timestamp == LATEST:
        return end, -1, copy.known.epoch
    if timestamp in (EARLIEST, EARLIEST_LOCAL):
        return copy.log.start_offset, -1, copy.known.epoch
    if timestamp == MAX_TIMESTAMP:
        found = copy.log.find_newest()
    elif timestamp < 0:
        # The last offset in tiered storage: there is none.
        return None
    else:
        found = copy.log.find_timestamp(timestamp)
    return found if found is not None and found[0] < end else None


def offset_for_leader_epoch(request: Request) -> None:
    """Say where a leader's epoch ended, so that a client sees whether a log was cut."""

    def answer(copy: Replica, wanted: Any, result: dict[str, Any]) -> None:
        copy.check_epoch(wanted.current_leader_epoch)
        if wanted.leader_epoch == copy.known.epoch:
            found = (copy.known.epoch, copy.log.end_offset)
        elif wanted.leader_epoch > copy.known.epoch:
            found = (-1, -1)
        else:
            found = copy.log.end_of_epoch(wanted.leader_epoch)
        result["leader_epoch"], result["end_offset"] = found

    blank = {"leader_epoch": -1, "end_offset": -1}
    _each_led(request, request.body.topics, blank, answer, name="topic", index="partition")


def delete_records(request: Request) -> None:
    """Move the start of logs; -1 means everything that consumers may read."""

    def answer(copy: Replica, wanted: Any, result: dict[str, Any]) -> None:
        offset = copy.high_watermark if wanted.offset == -1 else wanted.offset
        if not 0 <= offset <= copy.high_watermark:
            raise KafkaError(Code.OFFSET_OUT_OF_RANGE)
        copy.forget_before(offset)
        request.cluster.replication.appended(copy)
        result["low_watermark"] = copy.log.start_offset
        request.broker.happened()
        request.cluster.emit(
            "log.delete",
            topic=copy.partition.topic.name,
            partition=copy.partition.index,
            start_offset=copy.log.start_offset,
            connection=request.peer,
        )

    _each_led(request, request.body.topics, {"low_watermark": -1}, answer)


HANDLERS: Final[Mapping[int, Callable[[Request], None]]] = {
    1: fetch,
    2: list_offsets,
    21: delete_records,
    23: offset_for_leader_epoch,
}
