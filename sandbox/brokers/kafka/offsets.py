"""Requests about committed offsets: OffsetCommit, OffsetFetch, OffsetDelete."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from sandbox.brokers.kafka.connection import Request
from sandbox.brokers.kafka.errors import Code, KafkaError
from sandbox.brokers.kafka.grouping import check_coordinator
from sandbox.brokers.kafka.groups import Committed, Group, offset_record


def offset_commit(request: Request) -> None:
    """Note how far a group has come."""
    body, cluster = request.body, request.cluster
    instance_id = body.group_instance_id if request.version >= 7 else None
    refused: Code | None = None
    group: Group | None = None
    try:
        check_coordinator(request, body.group_id)
        group = cluster.groups.get(body.group_id)
        if group is None:
            if body.generation_id_or_member_epoch >= 0:
                raise KafkaError(Code.ILLEGAL_GENERATION)
            group = cluster.groups.create(body.group_id)
        group.check_commit(body.member_id, instance_id, body.generation_id_or_member_epoch)
    except KafkaError as why:
        refused = why.code
        cluster.emit(
            "offset.refused", group=body.group_id, error=refused.name, connection=request.peer
        )
    topics = []
    for topic_wanted in body.topics:
        results = []
        for wanted in topic_wanted.partitions:
            code = refused or Code.NONE
            if refused is None and group is not None:
                code = _commit(request, group, topic_wanted.name, wanted)
            results.append({"partition_index": wanted.partition_index, "error_code": code})
        topics.append({"name": topic_wanted.name, "partitions": results})
    request.answer({"topics": topics})


def _commit(request: Request, group: Group, topic: str, wanted: Any) -> Code:
    try:
        request.cluster.topic(topic).partition(wanted.partition_index)
    except KafkaError as why:
        return why.code
    key = (topic, wanted.partition_index)
    committed = committed_from(request, wanted, since_epoch=6)
    if group.offsets.get(key) != committed:
        request.broker.happened()
    group.offsets[key] = committed
    if request.cluster.keep is not None:
        request.cluster.keep(
            offset_record(group.group_id, topic, wanted.partition_index, committed)
        )
    request.cluster.emit(
        "offset.commit",
        group=group.group_id,
        topic=topic,
        partition=wanted.partition_index,
        offset=committed.offset,
        connection=request.peer,
    )
    return Code.NONE


def committed_from(request: Request, wanted: Any, *, since_epoch: int) -> Committed:
    """Read what a client commits for one partition."""
    epoch = wanted.committed_leader_epoch if request.version >= since_epoch else -1
    return Committed(wanted.committed_offset, epoch, wanted.committed_metadata or "")


def offset_fetch(request: Request) -> None:
    """Say how far groups have come; -1 where nothing was committed."""
    body = request.body
    stable = request.version >= 7 and body.require_stable
    if request.version >= 8:
        answers = []
        for wanted in body.groups:
            code, topics = _committed(request, wanted.group_id, wanted.topics, stable)
            answers.append({"group_id": wanted.group_id, "topics": topics, "error_code": code})
        request.answer({"groups": answers})
        return
    code, topics = _committed(request, body.group_id, body.topics, stable)
    request.answer({"topics": topics, "error_code": code})


def _committed(
    request: Request, group_id: str, topics: Any, stable: bool
) -> tuple[Code, list[dict[str, Any]]]:
    try:
        check_coordinator(request, group_id)
    except KafkaError as why:
        return why.code, []
    group = request.cluster.groups.get(group_id)
    wanted: list[tuple[str, list[int]]]
    if topics is None:
        by_topic: dict[str, list[int]] = {}
        for topic, index in group.offsets if group is not None else ():
            by_topic.setdefault(topic, []).append(index)
        wanted = list(by_topic.items())
    else:
        wanted = [(topic.name, list(topic.partition_indexes)) for topic in topics]
    undecided = (
        {key for offsets in group.undecided.values() for key in offsets} if group and stable else ()
    )
    answer = []
    for topic, indexes in wanted:
        results = []
        for index in indexes:
            key = (topic, index)
            known = group.offsets.get(key) if group is not None else None
            if key in undecided:
                known, code = None, Code.UNSTABLE_OFFSET_COMMIT
            else:
                code = Code.NONE
            results.append(
                {
                    "partition_index": index,
                    "committed_offset": -1 if known is None else known.offset,
                    "committed_leader_epoch": -1 if known is None else known.leader_epoch,
                    "metadata": "" if known is None else known.metadata,
                    "error_code": code,
                }
            )
        answer.append({"name": topic, "partitions": results})
    return Code.NONE, answer


def offset_delete(request: Request) -> None:
    """Forget offsets, of topics that no member consumes."""
    body = request.body
    try:
        check_coordinator(request, body.group_id)
        group = request.cluster.groups.existing(body.group_id)
    except KafkaError as why:
        request.answer({"error_code": why.code, "topics": []})
        return
    consumed = group.subscribed_topics()
    topics = []
    for topic_wanted in body.topics:
        results = []
        for wanted in topic_wanted.partitions:
            code = Code.NONE
            if topic_wanted.name in consumed:
                code = Code.GROUP_SUBSCRIBED_TO_TOPIC
            else:
                key = (topic_wanted.name, wanted.partition_index)
                if group.offsets.pop(key, None) is not None:
                    request.cluster.record("offset.delete", group.group_id, *key)
            results.append({"partition_index": wanted.partition_index, "error_code": code})
        topics.append({"name": topic_wanted.name, "partitions": results})
    request.broker.happened()
    request.answer({"error_code": Code.NONE, "topics": topics})


HANDLERS: Final[Mapping[int, Callable[[Request], None]]] = {
    8: offset_commit,
    9: offset_fetch,
    47: offset_delete,
}
