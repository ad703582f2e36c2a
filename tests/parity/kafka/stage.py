"""What Kafka scenarios act on: kafka-python's clients of one server."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import kafka
import kafka.errors
from kafka.admin import KafkaAdminClient, NewTopic

from tests.parity import harness
from tests.parity.kafka.differences import DIFFERENCES

#: kafka-python gives up joining a group when a poll is over, and a slow machine joins slowly.
POLL_MS = 3000
_MESSAGE = re.compile(r"error_message=(?:'([^']*)'|\"([^\"]*)\")")


class Stage(harness.Stage):
    """See the module. Topics and groups have names of their own, since a server has them all."""

    def __init__(self, host: str, port: int, token: str) -> None:
        super().__init__(host, port, token)
        self._clients: list[Any] = []
        self._admin: Any = None

    @property
    def server(self) -> str:
        """For `bootstrap_servers`."""
        return f"{self.host}:{self.port}"

    @property
    def admin(self) -> Any:
        """An administrator, of a server that has somebody to ask about groups.

        Kafka makes the topic of groups' offsets when it is first asked for.
        """
        if self._admin is None:
            self._admin = self._left_at_the_end(KafkaAdminClient(bootstrap_servers=self.server))
            self.until(self._knows_groups)
        return self._admin

    def topic(self, name: str = "orders", partitions: int = 1, **configs: str) -> str:
        """Create a topic and return its name, once it can be used."""
        named = self.name(name)
        settings = {key.replace("_", "."): value for key, value in configs.items()}
        self.admin.create_topics([NewTopic(named, partitions, 1, topic_configs=settings)])
        self.until(lambda: self._led(named, partitions))
        return named

    def producer(self, **options: Any) -> Any:
        """A producer that does not wait for more before it sends."""
        settings: dict[str, Any] = {"acks": "all", "linger_ms": 0}
        made = kafka.KafkaProducer(bootstrap_servers=self.server, **settings | options)
        return self._left_at_the_end(made)

    def consumer(self, *topics: str, **options: Any) -> Any:
        """A consumer that reads from the beginning and commits when told to."""
        settings: dict[str, Any] = {"auto_offset_reset": "earliest", "enable_auto_commit": False}
        made = kafka.KafkaConsumer(*topics, bootstrap_servers=self.server, **settings | options)
        return self._left_at_the_end(made)

    def read(self, consumer: Any, count: int) -> list[list[Any]]:
        """Poll until so many records are there: partition, offset, key, value, by partition."""
        found: list[Any] = []

        def look() -> bool:
            for records in consumer.poll(timeout_ms=POLL_MS).values():
                found.extend(records)
            return len(found) >= count

        self.until(look)
        return sorted(
            [record.partition, record.offset, record.key, record.value] for record in found
        )

    def join(self, consumer: Any) -> None:
        """Poll, where there is nothing to read, until the consumer was given partitions."""
        self.until(lambda: consumer.poll(timeout_ms=POLL_MS) or consumer.assignment())

    def said(self, error: Exception) -> str:
        """Kafka's own words, where kafka-python passes them on."""
        found = _MESSAGE.search(str(error))
        return (found[1] or found[2]) if found else ""

    def plain(self, value: Any) -> Any:
        """Ids that Kafka makes are never the same."""
        if isinstance(value, str):
            value = re.sub(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "UUID", value)
            value = re.sub(r"kafka-python-[\d.]+", "kafka-python", value)
        return super().plain(value)

    def leave(self, client: Any) -> None:
        """Close a client now."""
        self._clients.remove(client)
        client.close()

    def close(self) -> None:
        """Leave the server."""
        for each in reversed(self._clients):
            each.close()
        self._clients.clear()

    def _knows_groups(self) -> bool:
        try:
            self._admin.describe_groups([f"{name}.{self.token}" for name in "abcdefghijkl"])
        except (kafka.errors.CoordinatorNotAvailableError, kafka.errors.NotCoordinatorError):
            return False
        return True

    def _left_at_the_end(self, client: Any) -> Any:
        self._clients.append(client)
        return client

    def _led(self, topic: str, partitions: int) -> bool:
        (found,) = self.admin.describe_topics([topic])
        leaders = [each["leader_id"] for each in found["partitions"]]
        return len(leaders) == partitions and min(leaders) >= 0


PROTOCOL = harness.Protocol(
    broker="kafka",
    port=9092,
    real="Apache Kafka 4.1.0",
    stage=Stage,
    folder=Path(__file__).parent,
    differences=DIFFERENCES,
)
scenario = PROTOCOL.scenario
