"""Requests of transactional producers: what a transaction includes, and how it ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from sandbox.brokers.kafka.connection import Request
from sandbox.brokers.kafka.errors import Code, KafkaError
from sandbox.brokers.kafka.grouping import check_coordinator
from sandbox.brokers.kafka.offsets import committed_from
from sandbox.brokers.kafka.topics import Partition
from sandbox.brokers.kafka.transactions import Transaction

#: Requests older than this know no "fenced", only "invalid epoch".
_KNOWS_FENCED: Final = 2


def _session(request: Request) -> Transaction:
    body = request.body
    return request.cluster.transactions.session(
        request.broker, body.transactional_id, body.producer_id, body.producer_epoch
    )


def _code(request: Request, why: KafkaError) -> Code:
    if why.code is Code.PRODUCER_FENCED and request.version < _KNOWS_FENCED:
        return Code.INVALID_PRODUCER_EPOCH
    return why.code


def add_partitions(request: Request) -> None:
    """Include partitions: all of them, or none if one does not exist."""
    body = request.body
    transactions = request.cluster.transactions
    partitions: list[Partition] = []
    codes: dict[tuple[str, int], Code] = {}
    failed: Code | None = None
    transaction: Transaction | None = None
    try:
        transaction = transactions.session(
            request.broker,
            body.v3_and_below_transactional_id,
            body.v3_and_below_producer_id,
            body.v3_and_below_producer_epoch,
        )
    except KafkaError as why:
        failed = _code(request, why)
    for topic_wanted in body.v3_and_below_topics:
        for index in topic_wanted.partitions:
            key = (topic_wanted.name, index)
            codes[key] = failed or Code.NONE
            try:
                partitions.append(request.cluster.topic(topic_wanted.name).partition(index))
            except KafkaError as why:
                codes[key] = failed or why.code
    if transaction is not None:
        if transaction.ending:
            codes = dict.fromkeys(codes, Code.CONCURRENT_TRANSACTIONS)
        elif any(codes.values()):
            codes = {key: code or Code.OPERATION_NOT_ATTEMPTED for key, code in codes.items()}
        else:
            transactions.add(transaction, partitions)
    request.answer(
        {
            "results_by_topic_v3_and_below": [
                {
                    "name": topic_wanted.name,
                    "results_by_partition": [
                        {
                            "partition_index": index,
                            "partition_error_code": codes[topic_wanted.name, index],
                        }
                        for index in topic_wanted.partitions
                    ],
                }
                for topic_wanted in body.v3_and_below_topics
            ]
        }
    )


def add_offsets(request: Request) -> None:
    """Include the offsets of a group."""
    code = Code.NONE
    try:
        request.cluster.transactions.add(_session(request), [], group=request.body.group_id)
    except KafkaError as why:
        code = _code(request, why)
    request.answer({"error_code": code})


def txn_offset_commit(request: Request) -> None:
    """Note how far a group has come, once the transaction commits."""
    body, cluster = request.body, request.cluster
    code = Code.NONE
    try:
        check_coordinator(request, body.group_id)
        transaction = cluster.transactions.by_id.get(body.transactional_id)
        if transaction is None or transaction.producer_id != body.producer_id:
            raise KafkaError(Code.INVALID_PRODUCER_ID_MAPPING)
        if transaction.epoch != body.producer_epoch:
            raise KafkaError(Code.INVALID_PRODUCER_EPOCH)
        if request.version >= 3 and (body.member_id or body.generation_id >= 0):
            group = cluster.groups.get(body.group_id)
            if group is None:
                raise KafkaError(Code.ILLEGAL_GENERATION)
            group.check_commit(body.member_id, body.group_instance_id, body.generation_id)
        cluster.transactions.hold_offsets(
            transaction,
            body.group_id,
            {
                (topic.name, wanted.partition_index): committed_from(request, wanted, since_epoch=2)
                for topic in body.topics
                for wanted in topic.partitions
            },
        )
        request.broker.happened()
    except KafkaError as why:
        code = why.code
    request.answer(
        {
            "topics": [
                {
                    "name": topic.name,
                    "partitions": [
                        {"partition_index": wanted.partition_index, "error_code": code}
                        for wanted in topic.partitions
                    ],
                }
                for topic in body.topics
            ]
        }
    )


def end_txn(request: Request) -> None:
    """Commit or abort."""
    code = Code.NONE
    try:
        request.cluster.transactions.end_by_request(
            _session(request), commit=request.body.committed
        )
    except KafkaError as why:
        code = _code(request, why)
    request.answer({"error_code": code})


HANDLERS: Final[Mapping[int, Callable[[Request], None]]] = {
    24: add_partitions,
    25: add_offsets,
    26: end_txn,
    28: txn_offset_commit,
}
