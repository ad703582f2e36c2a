"""Where logs begin and end: ListOffsets, OffsetForLeaderEpoch, and DeleteRecords."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from sandbox.brokers.kafka.connection import Request
from sandbox.brokers.kafka.errors import Code, KafkaError
from sandbox.brokers.kafka.fetching import READ_COMMITTED
from sandbox.brokers.kafka.replica import Replica

LATEST, EARLIEST, MAX_TIMESTAMP, EARLIEST_LOCAL = -1, -2, -3, -4


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
    2: list_offsets,
    21: delete_records,
    23: offset_for_leader_epoch,
}
