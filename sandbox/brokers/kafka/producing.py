"""Writing: Produce and InitProducerId.

Every partition of a request is checked and written by itself; what is refused in one changes
nothing for the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from sandbox.brokers.kafka.compaction import compacts
from sandbox.brokers.kafka.connection import Request
from sandbox.brokers.kafka.errors import Code, KafkaError
from sandbox.brokers.kafka.records import Batch, parse_batches
from sandbox.brokers.kafka.replica import Replica
from sandbox.brokers.kafka.topics import Partition

if TYPE_CHECKING:
    from sandbox.brokers.kafka.cluster import Cluster
    from sandbox.brokers.timers import Timer

_MS: Final = 1_000_000


class Produce:
    """One produce request, from its arrival until it is answered.

    With acks=all that is when every in-sync replica has what it wrote.
    """

    def __init__(self, request: Request) -> None:
        self.request = request
        self._failed: KafkaError | None = None
        #: What in-sync replicas do not have yet: the leader's copy, its epoch, how far, the answer.
        self._pending: list[tuple[Replica, int, int, dict[str, Any]]] = []
        self._timer: Timer | None = None
        self._responses: list[dict[str, Any]] = []

    def begin(self) -> None:
        """Write, then answer or wait."""
        request = self.request
        for topic_data in request.body.topic_data:
            self._responses.append(
                {
                    "name": topic_data.name,
                    "topic_id": topic_data.topic_id,
                    "partition_responses": [
                        self._write(topic_data, data) for data in topic_data.partition_data
                    ],
                }
            )
        if request.body.acks == 0:
            if self._failed is None:
                request.no_answer()
            else:
                # Nobody listens for an answer; hanging up is how Kafka says that it failed.
                request.connection.close(f"a request with acks=0 failed: {self._failed}")
        elif not self._settle():
            due_ns = request.now_ns + max(request.body.timeout_ms, 1) * _MS
            timers = request.broker.timers
            self._timer = timers.at(due_ns, self._time_is_up, housekeeping=False)

    def _write(self, topic_data: Any, data: Any) -> dict[str, Any]:
        request = self.request
        result: dict[str, Any] = {
            "index": data.index,
            "error_code": Code.NONE,
            "base_offset": -1,
            "log_append_time_ms": -1,
            "log_start_offset": -1,
            "error_message": None,
        }
        try:
            topic_id = topic_data.topic_id if request.version >= 13 else None
            topic = request.cluster.topic_for(topic_data.name, topic_id)
            leader = request.broker.led(topic.partition(data.index))
            end = _append(request, leader, data.records, result)
            if request.body.acks == -1:
                self._pending.append((leader, leader.known.epoch, end, result))
        except KafkaError as why:
            self._failed = why
            _refuse(result, why)
            request.cluster.emit(
                "produce.refused",
                topic=topic_data.name,
                partition=data.index,
                error=why.code.name,
                reason=why.message,
                connection=request.peer,
            )
        return result

    def _settle(self) -> bool:
        """Answer, if nothing is waited for any more."""
        pending = []
        for waiting in self._pending:
            leader, epoch, end, result = waiting
            if not leader.leads or leader.known.epoch != epoch:
                _refuse(result, KafkaError(Code.NOT_LEADER_OR_FOLLOWER, "another broker leads now"))
            elif leader.high_watermark < end:
                pending.append(waiting)
                leader.waiting[self._look_again] = None
            elif len(leader.known.isr) < leader.min_in_sync:
                _refuse(
                    result,
                    KafkaError(
                        Code.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
                        "it was written, but too few replicas are in sync by now",
                    ),
                )
        self._pending = pending
        if pending:
            return False
        if self._timer is not None:
            self._timer.cancel()
        self.request.answer({"responses": self._responses})
        return True

    def _look_again(self) -> None:
        if not self.request.answered and not self.request.connection.lost:
            self._settle()

    def _time_is_up(self, now_ns: int) -> None:
        for leader, _, _, result in self._pending:
            leader.waiting.pop(self._look_again, None)
            _refuse(
                result,
                KafkaError(
                    Code.REQUEST_TIMED_OUT,
                    f"{self.request.body.timeout_ms} ms were not enough for all of the in-sync"
                    f" replicas {list(leader.known.isr)} to have it",
                ),
            )
        self._pending = []
        if not self.request.connection.lost:
            self._settle()


def _refuse(result: dict[str, Any], why: KafkaError) -> None:
    result |= {"error_code": why.code, "error_message": why.message or None, "base_offset": -1}


def produce(request: Request) -> None:
    """Write what a producer sent, and say where it went unless it does not care (acks=0)."""
    Produce(request).begin()


def _append(request: Request, leader: Replica, data: Any, result: dict[str, Any]) -> int:
    """Check and write a batch. Returns: up to where the in-sync replicas must have the log."""
    acks = request.body.acks
    partition = leader.partition
    if acks not in (-1, 0, 1):
        raise KafkaError(Code.INVALID_REQUIRED_ACKS, f"acks={acks}; only 0, 1 and -1 (all) exist")
    if partition.topic.internal:
        raise KafkaError(
            Code.INVALID_TOPIC, f"Cannot append to internal topic {partition.topic.name}"
        )
    if acks == -1 and len(leader.known.isr) < leader.min_in_sync:
        raise KafkaError(
            Code.NOT_ENOUGH_REPLICAS,
            f"The size of the current ISR {list(leader.known.isr)} is insufficient to satisfy the"
            f" min.isr requirement of {leader.min_in_sync} for partition"
            f" {partition.topic.name}-{partition.index}",
        )
    batches = parse_batches(bytes(data) if data else b"")
    if len(batches) != 1:
        raise KafkaError(Code.INVALID_RECORD, f"one record batch per partition, not {len(batches)}")
    batch = batches[0]
    limit = int(partition.topic.config("max.message.bytes"))
    if len(batch.data) > limit:
        raise KafkaError(
            Code.MESSAGE_TOO_LARGE,
            f"The record batch has {len(batch.data)} bytes; max.message.bytes is {limit}.",
        )
    if batch.control:
        raise KafkaError(Code.INVALID_RECORD, "clients cannot write control records")
    if compacts(partition.topic) and any(record.key is None for record in batch.records()):
        raise KafkaError(
            Code.INVALID_RECORD,
            "Compacted topic cannot accept message without key in topic partition"
            f" {partition.topic.name}-{partition.index}.",
        )
    if batch.transactional:
        request.cluster.transactions.check_batch(request.body.transactional_id, partition, batch)
    duplicate_of = leader.producers.check(batch)
    if duplicate_of is None:
        write(request.cluster, leader, batch, peer=request.peer)
        result["base_offset"] = batch.base_offset
        if partition.topic.config("message.timestamp.type") == "LogAppendTime":
            result["log_append_time_ms"] = batch.max_timestamp_ms
    else:
        result["base_offset"] = duplicate_of
        request.cluster.emit(
            "produce.duplicate",
            topic=partition.topic.name,
            partition=partition.index,
            offset=duplicate_of,
            count=batch.count,
            producer_id=batch.producer_id,
            connection=request.peer,
        )
    result["log_start_offset"] = leader.log.start_offset
    return int(result["base_offset"]) + batch.count


def write(cluster: Cluster, leader: Replica, batch: Batch, *, peer: str | None) -> None:
    """Put a checked batch into the leader's log and trace it; who waits for it is woken."""
    cluster.happened()
    leader.place(batch, cluster.now_ms(cluster.now_ns))
    _trace(cluster, leader.partition, batch, peer)
    cluster.append(leader, batch)


def _trace(cluster: Cluster, partition: Partition, batch: Batch, peer: str | None) -> None:
    if cluster.observe is None:
        return
    try:
        records = [record.as_dict() for record in batch.records()]
    except KafkaError:
        records = []
    cluster.emit(
        "produce",
        topic=partition.topic.name,
        partition=partition.index,
        offset=batch.base_offset,
        count=batch.count,
        records=records,
        producer_id=batch.producer_id,
        transactional=batch.transactional,
        connection=peer,
    )


def init_producer_id(request: Request) -> None:
    """Give a producer its id, and with a transactional id shut out its former self."""
    body = request.body
    transactional_id = body.transactional_id
    try:
        if transactional_id is None:
            producer_id, epoch = request.cluster.new_producer_id(), 0
        else:
            producer_id, epoch = request.cluster.transactions.begin_session(
                request.broker,
                transactional_id,
                timeout_ms=body.transaction_timeout_ms,
                producer_id=body.producer_id if request.version >= 3 else -1,
                epoch=body.producer_epoch if request.version >= 3 else -1,
            )
    except KafkaError as why:
        request.answer({"error_code": why.code, "producer_id": -1, "producer_epoch": -1})
        return
    request.broker.happened()
    request.cluster.emit(
        "producer.init",
        producer_id=producer_id,
        epoch=epoch,
        transactional_id=transactional_id,
        connection=request.peer,
    )
    request.answer({"error_code": Code.NONE, "producer_id": producer_id, "producer_epoch": epoch})


HANDLERS: Final[Mapping[int, Callable[[Request], None]]] = {0: produce, 22: init_producer_id}
