"""Compaction: of several records with the same key the last one stays.

What may go is everything before the active segment that consumers may read and whose transaction
has ended. A record without a value is a tombstone: it removes its key, and goes itself
`delete.retention.ms` after it was first looked at, so that readers had time to see it. A log is
looked at every `log.cleaner.backoff.ms`, if enough of it is new (`min.cleanable.dirty.ratio`) or
anything is older than `max.compaction.lag.ms`. [kafka.apache.org/documentation "Log Compaction"]
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sandbox.brokers.kafka.errors import KafkaError
from sandbox.brokers.kafka.records import Batch, Record, build_batch
from sandbox.brokers.kafka.replica import Replica

if TYPE_CHECKING:
    from sandbox.brokers.kafka.cluster import Cluster
    from sandbox.brokers.kafka.topics import Partition, Topic

_MS = 1_000_000
#: The bits of a batch's attributes that name a compression: what stays is stored plain.
_CODEC = 0x07


def compacts(topic: Topic) -> bool:
    """Whether a topic's logs are compacted."""
    return "compact" in topic.config("cleanup.policy").split(",")


class Cleaner:
    """What compacts the logs of a cluster, now and then."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._watched: dict[Partition, None] = {}
        self._armed = False

    def watch(self, partition: Partition) -> None:
        """A log has grown, or its topic has other settings: look after it."""
        if compacts(partition.topic) and not partition.topic.internal:
            self._watched[partition] = None
            if not self._armed:
                self._arm()

    def _arm(self) -> None:
        self._armed = True
        every_ns = self._cluster.config("log.cleaner.backoff.ms") * _MS
        due_ns = (self._cluster.now_ns // every_ns + 1) * every_ns
        self._cluster.timers.at(due_ns, self._look, housekeeping=True)

    def _look(self, now_ns: int) -> None:
        self._armed = False
        cluster = self._cluster
        for partition in list(self._watched):
            topic = partition.topic
            if cluster.topics.get(topic.name) is not topic or not compacts(topic):
                del self._watched[partition]
                continue
            for copy in partition.copies.values():
                gone = compact(copy, cluster.now_ms(now_ns))
                if gone and copy is partition.leading:
                    cluster.happened()
                    cluster.emit(
                        "log.compact", topic=topic.name, partition=partition.index, records=gone
                    )
        if self._watched:
            self._arm()


def compact(copy: Replica, now_ms: int) -> int:
    """Compact one log if it is time. Returns: how many records went."""
    log, config = copy.log, copy.partition.topic.config
    end = min(
        copy.last_stable_offset, log.segments[-1].base_offset if log.segments else log.end_offset
    )
    youngest_ms = now_ms - int(config("min.compaction.lag.ms"))
    for batch in log.batches_from(log.cleaned_offset):
        if batch.max_timestamp_ms > youngest_ms or batch.base_offset >= end:
            end = min(end, batch.base_offset)
            break
    whole = [batch for batch in log.batches if batch.last_offset < end]
    dirty = [batch for batch in whole if batch.base_offset >= log.cleaned_offset]
    total = sum(len(batch.data) for batch in whole)
    overdue_ms = now_ms - int(config("max.compaction.lag.ms"))
    expired = any(batch.horizon_ms is not None and batch.horizon_ms <= now_ms for batch in whole)
    due = expired or any(batch.max_timestamp_ms <= overdue_ms for batch in dirty)
    if dirty and sum(len(b.data) for b in dirty) / total >= float(
        config("min.cleanable.dirty.ratio")
    ):
        due = True
    if not due:
        return 0
    try:
        return _rewrite(copy, whole, end, now_ms)
    except KafkaError:
        # Something in it cannot be read: Kafka's cleaner leaves such a log alone, too.
        return 0


def _rewrite(copy: Replica, whole: list[Batch], end: int, now_ms: int) -> int:
    latest: dict[bytes | None, int] = {}
    for batch in whole:
        for record in batch.records():
            if not _aborted(copy, batch, record.offset):
                latest[record.key] = record.offset
    horizon_ms = now_ms + int(copy.partition.topic.config("delete.retention.ms"))
    gone = 0
    kept: list[Batch] = []
    for batch in whole:
        if batch.control:
            kept.append(batch)
            continue
        records = list(batch.records())
        stay = [record for record in records if latest.get(record.key) == record.offset]
        stay = [record for record in stay if not _aborted(copy, batch, record.offset)]
        if any(record.value is None for record in stay):
            if batch.horizon_ms is None:
                batch.horizon_ms = horizon_ms
            elif batch.horizon_ms <= now_ms:
                stay = [record for record in stay if record.value is not None]
        gone += len(records) - len(stay)
        if len(stay) == len(records):
            kept.append(batch)
        elif stay:
            kept.append(_smaller(batch, stay))
    copy.log.replace_before(end, kept)
    return gone


def _aborted(copy: Replica, batch: Batch, offset: int) -> bool:
    return batch.transactional and any(
        producer_id == batch.producer_id and first <= offset < last
        for producer_id, first, last in copy.aborted
    )


def _smaller(batch: Batch, stay: list[Record]) -> Batch:
    """The same batch with fewer records."""
    first = stay[0].offset
    sequence = batch.base_sequence
    if sequence >= 0:
        sequence = (sequence + first - batch.base_offset) % 2**31
    made = build_batch(
        stay,
        attributes=batch.attributes & ~_CODEC,
        producer_id=batch.producer_id,
        producer_epoch=batch.producer_epoch,
        base_sequence=sequence,
    )
    made.place(first, batch.leader_epoch)
    return replace(made, horizon_ms=batch.horizon_ms)
