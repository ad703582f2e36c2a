"""The checks' administrator of the simulated Kafka: acts on the broker, reads the trace.

See `sandbox.stack.base.KafkaObserver` for what each method promises.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from kafka.partitioner.default import murmur2

from sandbox.brokers.kafka import Broker
from sandbox.brokers.kafka.errors import KafkaError
from sandbox.brokers.kafka.groups import Group, GroupState, Member
from sandbox.brokers.kafka.records import Batch
from sandbox.brokers.kafka.topics import Partition, Topic
from sandbox.sim.services import Service
from sandbox.sim.trace import Trace
from sandbox.stack.base import KafkaMember, KafkaRecord
from sandbox.stack.simulated.assignments import assigned
from sandbox.stack.simulated.events import events_of
from sandbox.stack.simulated.late import broker_of

_hash: Final[Callable[[bytes], int]] = murmur2


class SimulatedKafka:
    """See the module. `services` are the nodes of one cluster, by id.

    `wait` lets time pass until a condition is true: a cluster needs some to elect and to copy.
    """

    def __init__(
        self,
        services: Mapping[int, Service],
        trace: Trace,
        wait: Callable[[Callable[[], bool]], bool],
    ) -> None:
        self._services = services
        self._trace = trace
        self._wait = wait
        first = next(iter(services.values()))
        broker = broker_of(first)
        assert isinstance(broker, Broker)
        self._cluster = broker.cluster

    # topics and records

    def create_topic(
        self,
        topic: str,
        *,
        partitions: int = 1,
        replication_factor: int = 1,
        configs: Mapping[str, str] | None = None,
    ) -> None:
        try:
            self._act(
                lambda broker, now_ns: broker.admin_create_topic(
                    topic, partitions, replication_factor, configs
                )
            )
        except KafkaError as refusal:
            raise ValueError(refusal.message or refusal.code.name) from refusal

    def topics(self) -> list[str]:
        return sorted(name for name in self._cluster.topics if not name.startswith("__"))

    def configs(self, topic: str) -> dict[str, str]:
        found = self._cluster.topics.get(topic)
        return {} if found is None else dict(found.configs)

    def produce(
        self,
        topic: str,
        values: Sequence[bytes | None],
        *,
        keys: Sequence[bytes | None] | None = None,
        partition: int | None = None,
        headers: Sequence[tuple[str, bytes]] = (),
    ) -> None:
        if topic not in self._cluster.topics:
            self.create_topic(topic)
        count = len(self._cluster.topics[topic].partitions)

        def write(broker: Broker, now_ns: int) -> None:
            for position, value in enumerate(values):
                key = None if keys is None else keys[position]
                place = partition
                if place is None:
                    place = position % count if key is None else (_hash(key) & 0x7FFFFFFF) % count
                broker.admin_produce(
                    topic, [value], now_ns, partition=place, key=key, headers=headers
                )

        if len(self._services) > 1:
            self._wait(lambda: all(each.leader in self.nodes() for each in self._partitions(topic)))
        try:
            self._act(write)
        except KafkaError as refusal:
            raise ValueError(refusal.message or refusal.code.name) from refusal
        self._wait(
            lambda: all(
                each.high_watermark == each.log.end_offset for each in self._partitions(topic)
            )
        )

    def records(self, topic: str, *, committed: bool = True) -> list[KafkaRecord]:
        return [
            KafkaRecord(
                topic,
                partition.index,
                record.offset,
                record.key,
                record.value,
                tuple((name, value) for name, value in record.headers),
                record.timestamp_ms,
            )
            for partition in self._partitions(topic)
            for batch in _readable(partition, committed)
            for record in batch.records()
            if record.offset >= partition.log.start_offset
        ]

    def start_offsets(self, topic: str) -> dict[int, int]:
        return {each.index: each.log.start_offset for each in self._partitions(topic)}

    def end_offsets(self, topic: str) -> dict[int, int]:
        return {each.index: each.high_watermark for each in self._partitions(topic)}

    # groups

    def groups(self) -> list[str]:
        return sorted(
            group.group_id for group in self._cluster.groups if group.members or group.offsets
        )

    def state(self, group: str) -> str:
        found = self._cluster.groups.get(group)
        return (GroupState.DEAD if found is None else found.state).value

    def members(self, group: str) -> list[KafkaMember]:
        found = self._cluster.groups.get(group)
        if found is None:
            return []
        return [_member(found.members[member_id]) for member_id in sorted(found.members)]

    def committed(self, group: str, topic: str) -> dict[int, int]:
        found: Group | None = self._cluster.groups.get(group)
        if found is None:
            return {}
        return {
            number: committed.offset
            for (name, number), committed in sorted(found.offsets.items())
            if name == topic
        }

    # brokers

    def nodes(self) -> list[int]:
        return [number for number, service in self._services.items() if service.up]

    def leader(self, topic: str, partition: int) -> int | None:
        found = self._partition(topic, partition)
        if found is None or found.leader not in self.nodes():
            return None
        return found.leader

    def in_sync(self, topic: str, partition: int) -> list[int]:
        found = self._partition(topic, partition)
        return [] if found is None else list(found.isr)

    def kill(self, node: int | None = None) -> None:
        for service in self._chosen(node):
            service.stop(crash=True)

    def start(self, node: int | None = None) -> None:
        for service in self._chosen(node):
            service.start()

    def events(self, kind: str) -> list[Mapping[str, Any]]:
        names = {service.name for service in self._services.values()}
        return events_of(self._trace, kind, names)

    # inside

    def _act(self, action: Callable[[Broker, int], Any]) -> None:
        services = list(self._services.values())
        service = next((each for each in services if each.up), services[0])
        broker = broker_of(service)
        assert isinstance(broker, Broker)
        service.act(lambda now_ns: action(broker, now_ns))

    def _chosen(self, node: int | None) -> list[Service]:
        if node is None:
            return list(self._services.values())
        if node not in self._services:
            has = ", ".join(map(str, self._services))
            raise ValueError(f"There is no Kafka broker {node}; there is {has}.")
        return [self._services[node]]

    def _partitions(self, topic: str) -> list[Partition]:
        found: Topic | None = self._cluster.topics.get(topic)
        return [] if found is None else found.partitions

    def _partition(self, topic: str, index: int) -> Partition | None:
        return next((each for each in self._partitions(topic) if each.index == index), None)


def _readable(partition: Partition, committed: bool) -> Iterator[Batch]:
    """What a consumer would be given: with `committed`, nothing undecided and nothing aborted."""
    limit = partition.last_stable_offset if committed else partition.high_watermark
    for batch in partition.log.batches_from(partition.log.start_offset):
        if batch.last_offset >= limit:
            return
        if committed and batch.transactional and _was_aborted(partition, batch):
            continue
        yield batch


def _was_aborted(partition: Partition, batch: Batch) -> bool:
    return any(
        producer_id == batch.producer_id and first <= batch.base_offset < marker
        for producer_id, first, marker in partition.aborted
    )


def _member(member: Member) -> KafkaMember:
    return KafkaMember(
        member.member_id,
        member.client_id,
        member.peer.rpartition(":")[0],
        assigned(member.assignment),
        member.instance_id,
    )
