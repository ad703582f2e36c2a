"""`lab.kafka`: the checks' administrator of the run's Kafka. Keys, values and headers are text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.course.administrators.values import Values, text
from sandbox.stack.base import KafkaMember, KafkaObserver


@dataclass(frozen=True)
class Record:
    """A record of a topic, as text. `timestamp_s` counts from 1970."""

    topic: str
    partition: int
    offset: int
    key: str | None
    value: str | None
    headers: Mapping[str, str | None] = field(default_factory=dict)
    timestamp_s: float = 0.0


class Kafka:
    """See the module."""

    def __init__(self, observer: KafkaObserver) -> None:
        self._observer = observer

    # topics

    def create_topic(
        self, topic: str, partitions: int = 1, *, replication_factor: int = 1, **configs: object
    ) -> None:
        """Create a topic. Settings are written with underscores: `retention_ms=60_000`."""
        self._observer.create_topic(
            topic,
            partitions=partitions,
            replication_factor=replication_factor,
            configs={name.replace("_", "."): _setting(value) for name, value in configs.items()},
        )

    def topics(self) -> list[str]:
        """The topics there are, by name."""
        return self._observer.topics()

    def exists(self, topic: str) -> bool:
        """Whether there is such a topic."""
        return topic in self.topics()

    def partitions(self, topic: str) -> int:
        """How many partitions it has; 0 when there is no such topic."""
        return len(self._observer.end_offsets(topic))

    def configs(self, topic: str) -> dict[str, str]:
        """The settings of a topic that are its own, under Kafka's names."""
        return self._observer.configs(topic)

    # records

    def produce(
        self,
        topic: str,
        values: Sequence[str | bytes | None] | str | bytes,
        *,
        key: str | None = None,
        keys: Sequence[str | None] | None = None,
        partition: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Write records, creating the topic (one partition) if nobody has.

        `key` is every record's, `keys` is one for each. Without `partition`, records with a key go
        where Kafka's default partitioner puts them, the others to the partitions in turn.
        """
        several = [values] if isinstance(values, (str, bytes)) else list(values)
        if keys is None:
            keys = [key] * len(several)
        elif len(keys) != len(several):
            raise ValueError(f"{len(several)} values, but {len(keys)} keys")
        self._observer.produce(
            topic,
            [_bytes(value) for value in several],
            keys=[_bytes(each) for each in keys],
            partition=partition,
            headers=[(name, value.encode()) for name, value in (headers or {}).items()],
        )

    def records(
        self, topic: str, partition: int | None = None, *, committed: bool = True
    ) -> list[Record]:
        """What a consumer could read now, from the start, partition after partition.

        Without `committed`, also what a transaction has not committed, or has aborted.
        """
        return [
            Record(
                each.topic,
                each.partition,
                each.offset,
                text(each.key),
                text(each.value),
                {name: text(value) for name, value in each.headers},
                each.timestamp_ms / 1000,
            )
            for each in self._observer.records(topic, committed=committed)
            if partition is None or each.partition == partition
        ]

    def values(self, topic: str, partition: int | None = None, *, committed: bool = True) -> Values:
        """The values of `records`."""
        return Values(each.value for each in self.records(topic, partition, committed=committed))

    def start_offsets(self, topic: str) -> dict[int, int]:
        """The offset of the oldest record, by partition."""
        return self._observer.start_offsets(topic)

    def end_offsets(self, topic: str) -> dict[int, int]:
        """The offset that the next record will have, by partition."""
        return self._observer.end_offsets(topic)

    # groups

    def groups(self) -> list[str]:
        """The consumer groups there are."""
        return self._observer.groups()

    def state(self, group: str) -> str:
        """In Kafka's words: "Stable", "Empty", "PreparingRebalance" ...; "Dead" is no group."""
        return self._observer.state(group)

    def members(self, group: str) -> list[KafkaMember]:
        """Its members, with the partitions each was assigned."""
        return self._observer.members(group)

    def assignment(self, group: str, topic: str) -> dict[str, list[int]]:
        """Who has which partitions of a topic, by process.

        Where none is known, by client id, or by member id if several members share that.
        """
        members = self.members(group)
        clients = Counter(member.client_id for member in members)
        found: dict[str, list[int]] = {}
        for member in members:
            client = member.client_id if clients[member.client_id] == 1 else member.member_id
            mine = found.setdefault(member.process or client, [])
            mine += [number for name, number in member.partitions if name == topic]
        return {name: sorted(numbers) for name, numbers in found.items()}

    def committed(self, group: str, topic: str) -> dict[int, int]:
        """The committed offset, of those partitions that have one."""
        return self._observer.committed(group, topic)

    def lags(self, group: str, topic: str) -> dict[int, int]:
        """How many records the group has not committed yet, by partition."""
        committed = self._observer.committed(group, topic)
        starts = self._observer.start_offsets(topic)
        return {
            number: end - max(committed.get(number, 0), starts.get(number, 0))
            for number, end in self._observer.end_offsets(topic).items()
        }

    def lag(self, group: str, topic: str) -> int:
        """How many records of a topic the group has not committed yet."""
        return sum(self.lags(group, topic).values())

    # brokers

    def nodes(self) -> list[int]:
        """The ids of the brokers that run."""
        return self._observer.nodes()

    def leader(self, topic: str, partition: int = 0) -> int | None:
        """The broker that leads a partition, or None."""
        return self._observer.leader(topic, partition)

    def in_sync(self, topic: str, partition: int = 0) -> list[int]:
        """The brokers that have all of it."""
        return self._observer.in_sync(topic, partition)

    def kill(self, node: int | None = None) -> None:
        """End a broker at once, or all of them."""
        self._observer.kill(node)

    def start(self, node: int | None = None) -> None:
        """Start a broker that was killed, or all of them."""
        self._observer.start(node)

    def restart(self, node: int | None = None) -> None:
        """Kill a broker, or all of them, and start it again at once."""
        self._observer.kill(node)
        self._observer.start(node)

    def events(self, kind: str) -> list[Mapping[str, Any]]:
        """Trace events of a kind that Kafka reported, where the stack keeps a trace."""
        return self._observer.events(kind)


def _bytes(value: str | bytes | None) -> bytes | None:
    return value.encode() if isinstance(value, str) else value


def _setting(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
