"""Retention: what is too old or too much goes, whole segments at a time.

Kafka looks every `log.retention.check.interval.ms`, and so does this; the timer runs only while a
log could lose something.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.brokers.kafka.topics import Partition

if TYPE_CHECKING:
    from sandbox.brokers.kafka.broker import Broker

_MS = 1_000_000


class Retention:
    """One broker's cleaner."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._watched: dict[Partition, None] = {}
        self._armed = False

    def watch(self, partition: Partition) -> None:
        """A log has grown: look after it from now on."""
        self._watched[partition] = None
        if not self._armed:
            self._arm()

    def _arm(self) -> None:
        self._armed = True
        cluster = self._broker.cluster
        every_ns = cluster.config("log.retention.check.interval.ms") * _MS
        # On the round interval, so that it does not matter who wrote first.
        due_ns = (self._broker.now_ns // every_ns + 1) * every_ns
        self._broker.timers.at(due_ns, self._look, housekeeping=True)

    def _look(self, now_ns: int) -> None:
        self._armed = False
        cluster = self._broker.cluster
        for partition in list(self._watched):
            topic = partition.topic
            if cluster.topics.get(topic.name) is not topic or not partition.log.batches:
                del self._watched[partition]
                continue
            gone = partition.log.expire(
                cluster.now_ms(now_ns),
                int(topic.config("retention.ms")),
                int(topic.config("retention.bytes")),
            )
            if gone:
                self._broker.happened()
                cluster.emit(
                    "log.expire",
                    topic=topic.name,
                    partition=partition.index,
                    records=gone,
                    start_offset=partition.log.start_offset,
                )
        if self._watched:
            self._arm()
