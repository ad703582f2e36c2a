"""What outlives the interpreter: every change of a cluster's durable state as a record, and back.

Records are made where state changes (`Cluster.record`), before the answer that confirms the change
can be taken. They may be cut off anywhere, as by a power failure: any number of them from the first
on rebuilds a state the cluster could have been in. `RECORDS` says what each word means; `snapshot`
writes a whole state down as records, and `restore` reads them.

To keep something else, add a word to `RECORDS`, record it where it changes, and write it in
`snapshot`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from sandbox.brokers.kafka.groups import (
    Committed,
    GroupState,
    Member,
    group_record,
    offset_record,
    pending_record,
)
from sandbox.brokers.kafka.producers import REMEMBERED_BATCHES, Appended, ProducerState
from sandbox.brokers.kafka.records import read_stored
from sandbox.brokers.kafka.replica import Assignment, Replica
from sandbox.brokers.kafka.topics import Partition, Topic, topic_record
from sandbox.brokers.kafka.transactions import Transaction, TransactionState, transaction_record

if TYPE_CHECKING:
    from sandbox.brokers import base
    from sandbox.brokers.kafka.cluster import Cluster


# -- reading -------------------------------------------------------------------------------------


def _cluster(cluster: Cluster, cluster_id: str, last_producer_id: int) -> None:
    cluster.cluster_id = cluster_id
    cluster.last_producer_id = last_producer_id


def _producer_id(cluster: Cluster, last: int) -> None:
    cluster.last_producer_id = last


def _topic(
    cluster: Cluster, name: str, topic_id: bytes, configs: dict[str, str], partitions: list[Any]
) -> None:
    topic = Topic(name, UUID(bytes=topic_id), configs, cluster)
    for each in partitions:
        _add_partition(topic, *each)
    cluster.topics[name] = cluster.topics_by_id[topic.topic_id] = topic


def _add_partition(
    topic: Topic, leader: int, epoch: int, isr: list[int], replicas: list[int], *moving: Any
) -> None:
    known = Assignment(leader, epoch, tuple(isr), tuple(replicas))
    partition = Partition(topic, len(topic.partitions), known)
    partition.target, partition.before_move = moving
    topic.partitions.append(partition)


def _topic_partitions(cluster: Cluster, name: str, partitions: list[Any]) -> None:
    for each in partitions:
        _add_partition(cluster.topics[name], *each)


def _partition(
    cluster: Cluster,
    topic: str,
    index: int,
    leader: int,
    epoch: int,
    isr: list[int],
    replicas: list[int],
    *moving: Any,
) -> None:
    partition = cluster.topics[topic].partitions[index]
    partition.assignment = Assignment(leader, epoch, tuple(isr), tuple(replicas))
    partition.target, partition.before_move = moving
    partition.place()


def _topic_configs(cluster: Cluster, name: str, configs: dict[str, str]) -> None:
    cluster.topics[name].configs = dict(configs)


def _topic_delete(cluster: Cluster, name: str) -> None:
    cluster.forget_topic(cluster.topics[name])


def _append(cluster: Cluster, node: int, topic: str, index: int, data: bytes) -> None:
    cluster.topics[topic].partitions[index].copies[node].store(read_stored(data))


def _truncate(cluster: Cluster, node: int, topic: str, index: int, offset: int) -> None:
    cluster.topics[topic].partitions[index].copies[node].truncate(offset)


def _start(cluster: Cluster, node: int, topic: str, index: int, offset: int) -> None:
    cluster.topics[topic].partitions[index].copies[node].forget_before(offset)


def _producers(
    cluster: Cluster, node: int, topic: str, index: int, states: list[list[Any]], aborted: list[Any]
) -> None:
    copy = cluster.topics[topic].partitions[index].copies[node]
    for producer_id, epoch, batches, transaction_offset, marker_epoch, last_ms in states:
        remembered = deque((Appended(*each) for each in batches), maxlen=REMEMBERED_BATCHES)
        copy.producers.states[producer_id] = ProducerState(
            epoch, remembered, transaction_offset, marker_epoch, last_ms
        )
    copy.aborted = [(producer_id, first, last) for producer_id, first, last in aborted]


def _offset(
    cluster: Cluster, group: str, topic: str, index: int, offset: int, epoch: int, metadata: str
) -> None:
    cluster.groups.create(group).offsets[topic, index] = Committed(offset, epoch, metadata)


def _offset_delete(cluster: Cluster, group: str, topic: str, index: int) -> None:
    cluster.groups.create(group).offsets.pop((topic, index), None)


def _offset_pending(cluster: Cluster, group: str, producer_id: int, offsets: list[Any]) -> None:
    held = cluster.groups.create(group).undecided.setdefault(producer_id, {})
    for topic, index, offset, epoch, metadata in offsets:
        held[topic, index] = Committed(offset, epoch, metadata)


def _offset_decided(cluster: Cluster, group: str, producer_id: int, commit: bool) -> None:
    known = cluster.groups.create(group)
    held = known.undecided.pop(producer_id, {})
    if commit:
        known.offsets.update(held)


def _group(
    cluster: Cluster,
    group_id: str,
    generation: int,
    protocol_type: str,
    protocol: str,
    leader: str,
    members: list[list[Any]],
) -> None:
    group = cluster.groups.create(group_id)
    group.generation, group.protocol_type = generation, protocol_type
    group.protocol, group.leader = protocol, leader
    group.members, group.static = {}, {}
    for member_id, instance_id, client_id, peer, session, rebalance, protocols, given in members:
        offered = [(name, bytes(metadata)) for name, metadata in protocols]
        group.members[member_id] = Member(
            member_id, instance_id, client_id, peer, session, rebalance, offered, None, bytes(given)
        )
        if instance_id is not None:
            group.static[instance_id] = member_id
    group.state = GroupState.STABLE if members else GroupState.EMPTY
    group.kept = group_record(group)


def _group_delete(cluster: Cluster, group_id: str) -> None:
    cluster.groups.forget(group_id)


def _transaction(
    cluster: Cluster,
    transactional_id: str,
    producer_id: int,
    epoch: int,
    timeout_ms: int,
    state: str,
    partitions: list[list[Any]],
    groups: list[str],
) -> None:
    cluster.transactions.by_id[transactional_id] = Transaction(
        transactional_id,
        producer_id,
        epoch,
        timeout_ms,
        TransactionState(state),
        {
            (topic, index): cluster.topics[topic].partitions[index]
            for topic, index in partitions
            if topic in cluster.topics
        },
        dict.fromkeys(groups),
    )


#: What each word is followed by is in the function's parameters.
RECORDS: Final[Mapping[str, Callable[..., None]]] = {
    "cluster": _cluster,
    "producer.id": _producer_id,
    "topic": _topic,
    "topic.partitions": _topic_partitions,
    "topic.configs": _topic_configs,
    "topic.delete": _topic_delete,
    "partition": _partition,
    "log.append": _append,
    "log.truncate": _truncate,
    "log.start": _start,
    "log.producers": _producers,
    "offset": _offset,
    "offset.delete": _offset_delete,
    "offset.pending": _offset_pending,
    "offset.decided": _offset_decided,
    "group": _group,
    "group.delete": _group_delete,
    "transaction": _transaction,
}


def restore(cluster: Cluster, records: Iterable[base.Record], now_ns: int) -> None:
    """Rebuild what the records tell, then let time go on: sessions and transactions begin anew.

    Raises:
        ValueError: a record that is none, naming it.
    """
    for number, record in enumerate(records):
        read = RECORDS.get(record[0]) if record and isinstance(record[0], str) else None
        if read is None:
            raise ValueError(
                f"record {number} of Kafka's state is {record[:1]!r}, which this version does not"
                " know; it was kept by a newer version, or damaged"
            )
        try:
            read(cluster, *record[1:])
        except (TypeError, KeyError, IndexError, ValueError) as why:
            raise ValueError(
                f"record {number} of Kafka's state, {record[0]!r}, cannot be read: {why!r}"
            ) from why
    cluster.resume(now_ns)


# -- writing -------------------------------------------------------------------------------------


def snapshot(cluster: Cluster) -> Iterator[base.Record]:
    """The whole durable state as records."""
    yield ["cluster", cluster.cluster_id, cluster.last_producer_id]
    for topic in cluster.topics.values():
        yield topic_record(topic)
        for partition in topic:
            for copy in partition.copies.values():
                yield from _log_records(copy)
    for group in cluster.groups:
        if group.kept is not None:
            yield group.kept
        for (name, index), committed in group.offsets.items():
            yield offset_record(group.group_id, name, index, committed)
        for producer_id, held in group.undecided.items():
            yield pending_record(group.group_id, producer_id, held)
    for transaction in cluster.transactions.by_id.values():
        yield transaction_record(transaction)


def _log_records(copy: Replica) -> Iterator[base.Record]:
    log = copy.log
    place = [copy.node_id, copy.partition.topic.name, copy.partition.index]
    if log.start_offset:
        yield ["log.start", *place, log.start_offset]
    for batch in log.batches:
        yield ["log.append", *place, batch.data]
    states = copy.producers.states
    if states or copy.aborted:
        yield [
            "log.producers",
            *place,
            [
                [
                    producer_id,
                    state.epoch,
                    [[b.base_sequence, b.last_sequence, b.base_offset] for b in state.batches],
                    state.transaction_offset,
                    state.marker_epoch,
                    state.last_timestamp_ms,
                ]
                for producer_id, state in states.items()
            ],
            [list(each) for each in copy.aborted],
        ]
