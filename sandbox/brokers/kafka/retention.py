"""Retention: what is too old or too much goes, whole segments at a time.

Kafka looks every `log.retention.check.interval.ms`, and so does this; the timer runs only while a
log could lose something.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.brokers.kafka.topics import Partition

if TYPE_CHECKING:
    from sandbox.brokers.kafka.cluster import Cluster

_MS = 1_000_000


class Retention:
    """What looks after all logs of a cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._watched: dict[Partition, None] = {}
        self._armed = False

    def watch(self, partition: Partition) -> None:
        """A log has grown: look after it from now on."""
        self._watched[partition] = None
        if not self._armed:
            self._arm()

    def _arm(self) -> None:
        self._armed = True
        cluster = self._cluster
        every_ns = cluster.config("log.retention.check.interval.ms") * _MS
        # On the round interval, so that it does not matter who wrote first.
        due_ns = (self._cluster.now_ns // every_ns + 1) * every_ns
        self._cluster.timers.at(due_ns, self._look, housekeeping=True)

    def _look(self, now_ns: int) -> None:
        self._armed = False
        cluster = self._cluster
        for partition in list(self._watched):
            topic = partition.topic
            if cluster.topics.get(topic.name) is not topic or not partition.log.batches:
                del self._watched[partition]
                continue
            for copy in partition.copies.values():
                gone = copy.expire(cluster.now_ms(now_ns))
                if gone and copy is partition.leading:
                    cluster.happened()
                    cluster.emit(
                        "log.expire",
                        topic=topic.name,
                        partition=partition.index,
                        records=gone,
                        start_offset=copy.log.start_offset,
                    )
        if self._watched:
            self._arm()
