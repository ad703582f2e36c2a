"""Topics and their partitions: who leads, what is committed, what waits for more.

A partition has one log, that of its leader; `replicas`, `isr`, `leader` and `leader_epoch` are what
several brokers add to it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING
from uuid import UUID

from sandbox.brokers.kafka.configs import TOPIC_CONFIGS
from sandbox.brokers.kafka.errors import Code, KafkaError
from sandbox.brokers.kafka.log import Log
from sandbox.brokers.kafka.producers import Producers
from sandbox.brokers.kafka.records import Batch

if TYPE_CHECKING:
    from sandbox.brokers.base import Record
    from sandbox.brokers.kafka.cluster import Cluster

_LEGAL_NAME = re.compile(r"[a-zA-Z0-9._-]{1,249}")


def check_name(name: str) -> None:
    """Accept the names Kafka accepts.

    Raises:
        KafkaError: 17.
    """
    if name in (".", "..") or not _LEGAL_NAME.fullmatch(name):
        raise KafkaError(
            Code.INVALID_TOPIC,
            f"Topic name is invalid: {name!r} must be 1 to 249 ASCII letters, digits,"
            " '.', '_' or '-', and neither '.' nor '..'",
        )


class Partition:
    """One partition of a topic."""

    def __init__(self, topic: Topic, index: int, replicas: list[int]) -> None:
        self.topic = topic
        self.index = index
        self.replicas = replicas
        self.isr = list(replicas)
        self.leader = replicas[0]
        self.leader_epoch = 0
        self.log = Log()
        self.producers = Producers()
        #: Transactions that were aborted: producer id, first offset, offset of the marker.
        self.aborted: list[tuple[int, int, int]] = []
        #: Called, once each, when there is more to read or nothing more will come.
        self.waiting: dict[Callable[[], None], None] = {}

    @property
    def high_watermark(self) -> int:
        """Up to here every in-sync replica has it, and consumers may read."""
        return self.log.end_offset

    @property
    def last_stable_offset(self) -> int:
        """Up to here no transaction is undecided."""
        undecided = self.producers.first_undecided()
        return self.high_watermark if undecided is None else min(undecided, self.high_watermark)

    def check_epoch(self, epoch: int) -> None:
        """Compare what a client believes about the leader's epoch; -1 believes nothing.

        Raises:
            KafkaError: 74 it is behind, 75 it is ahead.
        """
        if 0 <= epoch < self.leader_epoch:
            raise KafkaError(Code.FENCED_LEADER_EPOCH, f"the epoch is {self.leader_epoch} by now")
        if epoch > self.leader_epoch:
            raise KafkaError(Code.UNKNOWN_LEADER_EPOCH, f"the epoch is {self.leader_epoch} here")

    def append(self, batch: Batch, now_ms: int) -> None:
        """Write a batch that was checked."""
        topic = self.topic
        append_time = topic.config("message.timestamp.type") == "LogAppendTime"
        append_ms = now_ms if append_time and not batch.control else None
        batch.place(self.log.end_offset, self.leader_epoch, append_ms)
        self.store(batch)
        if topic.cluster.keep is not None:
            topic.cluster.record("log.append", self.leader, topic.name, self.index, batch.data)

    def store(self, batch: Batch) -> None:
        """Take a batch into the log that has its place."""
        config = self.topic.config
        first_offset = None
        if batch.control:
            state = self.producers.states.get(batch.producer_id)
            first_offset = None if state is None else state.transaction_offset
        self.log.store(
            batch,
            segment_bytes=int(config("segment.bytes")),
            segment_ms=int(config("segment.ms")),
        )
        self.producers.remember(batch)
        if first_offset is not None and not batch.commits:
            self.aborted.append((batch.producer_id, first_offset, batch.last_offset))

    def forget_before(self, offset: int) -> None:
        """Move the start of the log."""
        self.log.forget_before(offset)
        self._record_start()

    def expire(self, now_ms: int) -> int:
        """Drop what is too old or too much. Returns: how many records went."""
        config = self.topic.config
        gone = self.log.expire(now_ms, int(config("retention.ms")), int(config("retention.bytes")))
        if gone:
            self._record_start()
        return gone

    def _record_start(self) -> None:
        topic = self.topic
        topic.cluster.record(
            "log.start", self.leader, topic.name, self.index, self.log.start_offset
        )

    def wake(self) -> None:
        """Tell whoever waits."""
        waiting, self.waiting = list(self.waiting), {}
        for look_again in waiting:
            look_again()


class Topic:
    """A name, its partitions, and what was configured for it."""

    def __init__(
        self, name: str, topic_id: UUID, configs: Mapping[str, str], cluster: Cluster
    ) -> None:
        self.cluster = cluster
        self.name = name
        self.topic_id = topic_id
        self.configs = dict(configs)
        self.partitions: list[Partition] = []

    def config(self, name: str) -> str:
        """A setting's value, the default's if it was not set."""
        return self.configs.get(name, TOPIC_CONFIGS[name][0])

    def partition(self, index: int) -> Partition:
        """A partition by number.

        Raises:
            KafkaError: 3, it has fewer.
        """
        if not 0 <= index < len(self.partitions):
            raise KafkaError(
                Code.UNKNOWN_TOPIC_OR_PARTITION,
                f"topic {self.name} has {len(self.partitions)} partitions, none is number {index}",
            )
        return self.partitions[index]

    def __iter__(self) -> Iterator[Partition]:
        return iter(self.partitions)


def topic_record(topic: Topic) -> Record:
    """A topic, and where its partitions are."""
    replicas = [list(partition.replicas) for partition in topic]
    return ["topic", topic.name, topic.topic_id.bytes, dict(topic.configs), replicas]
