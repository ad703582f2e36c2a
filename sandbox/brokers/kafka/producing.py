"""Writing: Produce and InitProducerId.

Every partition of a request is checked and written by itself; what is refused in one changes
nothing for the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from sandbox.brokers.kafka.connection import Request
from sandbox.brokers.kafka.errors import Code, KafkaError
from sandbox.brokers.kafka.records import Batch, parse_batches
from sandbox.brokers.kafka.topics import Partition

if TYPE_CHECKING:
    from sandbox.brokers.kafka.broker import Broker


def produce(request: Request) -> None:
    """Write what a producer sent, and say where it went unless it does not care (acks=0)."""
    body = request.body
    written: list[Partition] = []
    responses = []
    failed = None
    for topic_data in body.topic_data:
        results = []
        for data in topic_data.partition_data:
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
                partition = topic.partition(data.index)
                _append(request, partition, data.records, result)
                written.append(partition)
            except KafkaError as why:
                failed = why
                result["error_code"] = why.code
                result["error_message"] = why.message or None
                request.cluster.emit(
                    "produce.refused",
                    topic=topic_data.name,
                    partition=data.index,
                    error=why.code.name,
                    reason=why.message,
                    connection=request.peer,
                )
            results.append(result)
        responses.append(
            {
                "name": topic_data.name,
                "topic_id": topic_data.topic_id,
                "partition_responses": results,
            }
        )
    if body.acks != 0:
        request.answer({"responses": responses})
    elif failed is None:
        request.no_answer()
    else:
        # Nobody listens for an answer; hanging up is how Kafka lets such a producer know.
        request.connection.close(f"a produce request with acks=0 failed: {failed}")
    for partition in written:
        partition.wake()


def _append(request: Request, partition: Partition, data: Any, result: dict[str, Any]) -> None:
    acks = request.body.acks
    if acks not in (-1, 0, 1):
        raise KafkaError(Code.INVALID_REQUIRED_ACKS, f"acks={acks}; only 0, 1 and -1 (all) exist")
    if partition.leader != request.broker.node_id:
        raise KafkaError(Code.NOT_LEADER_OR_FOLLOWER, f"broker {partition.leader} leads it")
    in_sync_needed = int(partition.topic.config("min.insync.replicas"))
    if acks == -1 and len(partition.isr) < in_sync_needed:
        raise KafkaError(
            Code.NOT_ENOUGH_REPLICAS,
            f"{len(partition.isr)} replicas are in sync, {in_sync_needed} are required",
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
    if batch.transactional:
        request.cluster.transactions.check_batch(request.body.transactional_id, partition, batch)
    duplicate_of = partition.producers.check(batch)
    if duplicate_of is None:
        write(request.broker, partition, batch, peer=request.peer)
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
    result["log_start_offset"] = partition.log.start_offset


def write(broker: Broker, partition: Partition, batch: Batch, *, peer: str | None) -> None:
    """Put a checked batch into its log and trace it. The caller wakes who waits."""
    cluster = broker.cluster
    broker.happened()
    partition.append(batch, cluster.now_ms(broker.now_ns))
    cluster.retention.watch(partition)
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
