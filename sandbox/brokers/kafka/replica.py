"""A replica: one broker's copy of a partition, and what that broker was told about it.

The controller decides who leads and who is in sync (`Assignment`). A broker acts on what it was
told last, which may be out of date: a leader that is cut off goes on believing that it leads.

Which offsets are committed is `high_watermark`; moving it is the work of `replication.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from sandbox.brokers.kafka.errors import Code, KafkaError
from sandbox.brokers.kafka.log import Log
from sandbox.brokers.kafka.producers import Producers
from sandbox.brokers.kafka.records import Batch

if TYPE_CHECKING:
    from sandbox.brokers.kafka.topics import Partition

NO_LEADER = -1


class Assignment(NamedTuple):
    """Who has a partition, who leads it since when, and who is in sync."""

    leader: int
    epoch: int
    isr: tuple[int, ...]
    replicas: tuple[int, ...]


class Replica:
    """One broker's copy of one partition."""

    def __init__(self, partition: Partition, node_id: int, known: Assignment) -> None:
        self.partition = partition
        self.node_id = node_id
        self.known = known
        self.log = Log()
        self.producers = Producers()
        #: Transactions that were aborted: producer id, first offset, offset of the marker.
        self.aborted: list[tuple[int, int, int]] = []
        #: Up to here every in-sync replica has it, and consumers may read.
        self.high_watermark = 0
        #: Called, once each, when consumers may read more or this broker leads no more.
        self.waiting: dict[Callable[[], None], None] = {}
        #: As a leader: how far each follower has come, and since when it lacks something.
        self.positions: dict[int, int] = {}
        self.behind: dict[int, int] = {}
        #: As a follower: the leader's epoch it has compared its log with.
        self.compared_epoch = -1

    @property
    def leads(self) -> bool:
        """Whether its broker believes that it leads."""
        return self.known.leader == self.node_id

    @property
    def last_stable_offset(self) -> int:
        """Up to here no transaction is undecided."""
        undecided = self.producers.first_undecided()
        return self.high_watermark if undecided is None else min(undecided, self.high_watermark)

    @property
    def min_in_sync(self) -> int:
        """As many must be in sync as a write with acks=all needs; all, if there are fewer."""
        return min(
            int(self.partition.topic.config("min.insync.replicas")), len(self.known.replicas)
        )

    def check_epoch(self, epoch: int) -> None:
        """Compare what a client believes about the leader's epoch; -1 believes nothing.

        Raises:
            KafkaError: 74 it is behind, 75 it is ahead.
        """
        if 0 <= epoch < self.known.epoch:
            raise KafkaError(Code.FENCED_LEADER_EPOCH, f"the epoch is {self.known.epoch} by now")
        if epoch > self.known.epoch:
            raise KafkaError(Code.UNKNOWN_LEADER_EPOCH, f"the epoch is {self.known.epoch} here")

    def place(self, batch: Batch, now_ms: int) -> None:
        """Give a batch that was checked the next offset, to be stored next."""
        append_time = self.partition.topic.config("message.timestamp.type") == "LogAppendTime"
        append_ms = now_ms if append_time and not batch.control else None
        batch.place(self.log.end_offset, self.known.epoch, append_ms)

    def store(self, batch: Batch) -> None:
        """Take a batch that has its place."""
        topic = self.partition.topic
        self.log.store(
            batch,
            segment_bytes=int(topic.config("segment.bytes")),
            segment_ms=min(
                int(topic.config("segment.ms")), int(topic.config("max.compaction.lag.ms"))
            ),
        )
        self._remember(batch)
        if topic.cluster.keep is not None:
            self._record("log.append", batch.data)

    def _remember(self, batch: Batch) -> None:
        first_offset = None
        if batch.control:
            state = self.producers.states.get(batch.producer_id)
            first_offset = None if state is None else state.transaction_offset
        self.producers.remember(batch)
        if first_offset is not None and not batch.commits:
            self.aborted.append((batch.producer_id, first_offset, batch.last_offset))

    def truncate(self, offset: int) -> int:
        """Forget what was written from `offset` on. Returns: how many offsets."""
        gone = self.log.truncate(offset)
        if gone:
            self.producers, self.aborted = Producers(), []
            for batch in self.log.batches:
                self._remember(batch)
            self.high_watermark = min(self.high_watermark, self.log.end_offset)
            self._record("log.truncate", offset)
        return gone

    def forget_before(self, offset: int) -> None:
        """Move the start of the log."""
        self.log.forget_before(offset)
        self.high_watermark = max(self.high_watermark, self.log.start_offset)
        self._record("log.start", self.log.start_offset)

    def expire(self, now_ms: int) -> int:
        """Drop what is too old or too much. Returns: how many records went."""
        config = self.partition.topic.config
        if "delete" not in config("cleanup.policy").split(","):
            return 0
        gone = self.log.expire(
            now_ms,
            int(config("retention.ms")),
            int(config("retention.bytes")),
            self.high_watermark,
        )
        if gone:
            self._record("log.start", self.log.start_offset)
        return gone

    def _record(self, word: str, value: int | bytes) -> None:
        partition = self.partition
        topic = partition.topic
        topic.cluster.record(word, self.node_id, topic.name, partition.index, value)

    def wake(self) -> None:
        """Tell whoever waits."""
        if self.waiting:
            waiting, self.waiting = list(self.waiting), {}
            for look_again in waiting:
                look_again()
