"""Requests that change who leads and who has which partition: elections, reassignments."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from sandbox.brokers.kafka.connection import Request
from sandbox.brokers.kafka.errors import Code, KafkaError
from sandbox.brokers.kafka.placement import check_replicas
from sandbox.brokers.kafka.topics import Partition

_PREFERRED, _UNCLEAN = 0, 1


def elect_leaders(request: Request) -> None:
    """Let the preferred replicas lead, or any, for some partitions or all [KIP-183, KIP-460]."""
    body, controller = request.body, request.cluster.controller
    kind = body.election_type if request.version >= 1 else _PREFERRED
    results = []
    for name, indexes in _wanted(request):
        answers = []
        for index in indexes:
            code, message = Code.NONE, None
            try:
                if kind not in (_PREFERRED, _UNCLEAN):
                    raise KafkaError(Code.INVALID_REQUEST, f"no election has number {kind}")
                controller.require(request.broker.node_id)
                partition = request.cluster.topic(name).partition(index)
                elect = controller.elect_preferred
                if kind == _UNCLEAN:
                    elect = controller.elect_unclean
                elect(partition)
            except KafkaError as why:
                if why.code is Code.ELECTION_NOT_NEEDED and body.topic_partitions is None:
                    continue
                code, message = why.code, why.message
            answers.append({"partition_id": index, "error_code": code, "error_message": message})
        if answers:
            results.append({"topic": name, "partition_result": answers})
    request.answer({"error_code": Code.NONE, "replica_election_results": results})


def _wanted(request: Request) -> Iterator[tuple[str, list[int]]]:
    if request.body.topic_partitions is None:
        for topic in list(request.cluster.topics.values()):
            yield topic.name, list(range(len(topic.partitions)))
    else:
        for wanted in request.body.topic_partitions:
            yield wanted.topic, list(wanted.partitions)


def alter_reassignments(request: Request) -> None:
    """Let other brokers have some partitions, or stop that [KIP-455]."""
    body, cluster = request.body, request.cluster
    may_resize = body.allow_replication_factor_change if request.version >= 1 else True
    responses = []
    for topic in body.topics:
        results = []
        for wanted in topic.partitions:
            code, message = Code.NONE, None
            try:
                cluster.controller.require(request.broker.node_id)
                partition = cluster.topic(topic.name).partition(wanted.partition_index)
                _reassign(request, partition, wanted.replicas, may_resize=may_resize)
            except KafkaError as why:
                code, message = why.code, why.message
            index = wanted.partition_index
            results.append({"partition_index": index, "error_code": code, "error_message": message})
        responses.append({"name": topic.name, "partitions": results})
    request.answer(
        {
            "allow_replication_factor_change": may_resize,
            "error_code": Code.NONE,
            "error_message": None,
            "responses": responses,
        }
    )


def _reassign(
    request: Request, partition: Partition, replicas: list[int] | None, *, may_resize: bool
) -> None:
    controller = request.cluster.controller
    if replicas is None:
        if partition.target is None:
            raise KafkaError(
                Code.NO_REASSIGNMENT_IN_PROGRESS, "No partition reassignment is in progress."
            )
        controller.move(partition, None)
        return
    check_replicas(replicas, request.cluster.brokers)
    if not may_resize and len(replicas) != len(partition.replicas):
        raise KafkaError(
            Code.INVALID_REPLICATION_FACTOR,
            "The replication factor is changed and the request does not allow it.",
        )
    controller.move(partition, list(replicas))


def list_reassignments(request: Request) -> None:
    """Say what is being moved."""
    wanted = request.body.topics
    chosen = None if wanted is None else {each.name: set(each.partition_indexes) for each in wanted}
    topics: list[dict[str, Any]] = []
    for topic in request.cluster.topics.values():
        moving = [
            {
                "partition_index": partition.index,
                "replicas": partition.replicas,
                "adding_replicas": partition.adding,
                "removing_replicas": [
                    node for node in partition.before_move if node not in (partition.target or ())
                ],
            }
            for partition in topic
            if partition.target is not None
            and (chosen is None or partition.index in chosen.get(topic.name, ()))
        ]
        if moving:
            topics.append({"name": topic.name, "partitions": moving})
    request.answer({"error_code": Code.NONE, "error_message": None, "topics": topics})


HANDLERS: Final[Mapping[int, Callable[[Request], None]]] = {
    43: elect_leaders,
    45: alter_reassignments,
    46: list_reassignments,
}
