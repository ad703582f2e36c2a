"""What checks may ask of a run's brokers and do to them: one protocol for each broker.

An *observer* is the checks' own administrator: it acts and looks without being one of the
exercise's processes, and what it does itself is not counted as theirs. Each stack implements these
protocols in its own way: the simulated one on the broker objects, the others with client libraries.
Everything is plain data, and bodies are bytes; `sandbox.course.administrators` makes text of them.

What only a simulated broker can answer raises `NotImplementedError` elsewhere, with a sentence that
says so; the docstring of the method says "simulated only".

To let checks ask something else, add it here, to every stack, and to the class of the broker in
`sandbox.course.administrators`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class Message:
    """A message as an observer sees it."""

    body: bytes
    properties: Mapping[str, Any]
    redelivered: bool = False


class RabbitMQObserver(Protocol):
    """The checks' own administrator of the run's RabbitMQ (its virtual host "/")."""

    def declare(
        self,
        queue: str,
        *,
        durable: bool = False,
        exclusive: bool = False,
        auto_delete: bool = False,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        """Declare a queue as the administrator."""
        ...

    def publish(
        self, queue: str, bodies: Sequence[bytes], properties: Mapping[str, Any] | None = None
    ) -> None:
        """Publish to `queue` through the default exchange; return when the broker has them all.

        Declares the queue, not durable, if nobody has. `properties` are named as pika names them
        (`delivery_mode`, `headers`, `message_id` ...).
        """
        ...

    def published(self, queue: str) -> list[bytes]:
        """Bodies that were routed to the queue, by anyone, in order."""
        ...

    def delivered(self, queue: str) -> list[bytes]:
        """Bodies handed to the exercise's processes (redeliveries again), in order."""
        ...

    def acked(self, queue: str) -> list[bytes]:
        """Bodies the exercise's processes settled with an ack, or took without needing one."""
        ...

    def ready(self, queue: str) -> int:
        """How many messages wait for a consumer; 0 when there is no such queue."""
        ...

    def unacked(self, queue: str) -> int:
        """How many deliveries are not settled; 0 when there is no such queue."""
        ...

    def consumers(self, queue: str) -> int:
        """How many consumers the queue has; 0 when there is no such queue."""
        ...

    def exists(self, queue: str) -> bool:
        """Whether there is such a queue."""
        ...

    def durable(self, queue: str) -> bool:
        """Whether the queue would survive a restart of the broker; False when there is none."""
        ...

    def messages(self, queue: str) -> list[Message]:
        """The ready messages, oldest first; the queue keeps them."""
        ...

    def connections(self) -> list[str]:
        """The names of the exercise's processes that are connected, one per connection."""
        ...

    def restart(self) -> None:
        """Stop and start it in good order: durable queues and their persistent messages are kept.

        Raises `NotImplementedError` where the server is not the run's own.
        """
        ...

    def kill(self) -> None:
        """End it at once and leave it down. Raises as `restart`."""
        ...

    def start(self) -> None:
        """Start it after `kill`. Raises as `restart`."""
        ...

    def events(self, kind: str) -> list[Mapping[str, Any]]:
        """Trace events of a kind.

        Raises `NotImplementedError` where the stack keeps no trace.
        """
        ...


@dataclass(frozen=True)
class KafkaRecord:
    """A record of a topic. `timestamp_ms` counts from 1970, as Kafka's do."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()
    timestamp_ms: int = 0


@dataclass(frozen=True)
class KafkaMember:
    """A member of a consumer group and what it was assigned.

    `process` is the exercise's process, "" where the stack cannot tell whose connection it is.
    """

    member_id: str
    client_id: str
    process: str
    partitions: tuple[tuple[str, int], ...]
    instance_id: str | None = None


class KafkaObserver(Protocol):
    """The checks' own administrator of the run's Kafka."""

    def create_topic(
        self,
        topic: str,
        *,
        partitions: int = 1,
        replication_factor: int = 1,
        configs: Mapping[str, str] | None = None,
    ) -> None:
        """Create a topic; return when producers can use it.

        Raises:
            ValueError: Kafka refuses it; has Kafka's words.
        """
        ...

    def topics(self) -> list[str]:
        """The topics there are, by name, without internal ones."""
        ...

    def configs(self, topic: str) -> dict[str, str]:
        """The settings of a topic that are its own, not defaults; empty when there is no topic."""
        ...

    def produce(
        self,
        topic: str,
        values: Sequence[bytes | None],
        *,
        keys: Sequence[bytes | None] | None = None,
        partition: int | None = None,
        headers: Sequence[tuple[str, bytes]] = (),
    ) -> None:
        """Write records in this order; return when all in-sync replicas have them.

        Creates the topic, with one partition, if nobody has. Without `partition` a record with a
        key goes where Kafka's default partitioner (murmur2) puts it, and the nth without a key to
        partition n modulo their number.
        """
        ...

    def records(self, topic: str, *, committed: bool = True) -> list[KafkaRecord]:
        """What a consumer could read now, from the start, partition after partition.

        As with `isolation.level=read_committed`; without `committed`, as with `read_uncommitted`.
        Empty when there is no such topic.
        """
        ...

    def start_offsets(self, topic: str) -> dict[int, int]:
        """The offset of the oldest record, by partition."""
        ...

    def end_offsets(self, topic: str) -> dict[int, int]:
        """The offset that the next record will have (the high watermark), by partition.

        As long as a topic has partitions; empty when there is no such topic.
        """
        ...

    def groups(self) -> list[str]:
        """The names of consumer groups that have members or committed offsets."""
        ...

    def state(self, group: str) -> str:
        """In Kafka's words: "Stable", "Empty", "PreparingRebalance", "CompletingRebalance".

        "Dead" when there is no such group.
        """
        ...

    def members(self, group: str) -> list[KafkaMember]:
        """Its members, by member id."""
        ...

    def committed(self, group: str, topic: str) -> dict[int, int]:
        """The committed offset, of those partitions of the topic that have one."""
        ...

    def nodes(self) -> list[int]:
        """The ids of the brokers that run."""
        ...

    def leader(self, topic: str, partition: int) -> int | None:
        """The broker that leads a partition; None when nobody does, or there is no partition."""
        ...

    def in_sync(self, topic: str, partition: int) -> list[int]:
        """The brokers that have all that is committed of a partition."""
        ...

    def kill(self, node: int | None = None) -> None:
        """End a broker at once, as SIGKILL does; None is all of them.

        Raises `NotImplementedError` where the server is not the run's own.
        """
        ...

    def start(self, node: int | None = None) -> None:
        """Start a broker that was killed; None is all of them. Raises as `kill`."""
        ...

    def events(self, kind: str) -> list[Mapping[str, Any]]:
        """Trace events of a kind that Kafka reported. Simulated only."""
        ...


class RedisObserver(Protocol):
    """The checks' own administrator of the run's Redis."""

    def execute(self, *words: str | bytes | int | float, database: int = 0) -> Any:
        """Do any command that does not wait and return its reply, as RESP3 has it.

        Status replies and bulk strings are bytes, maps dicts, sets lists, doubles floats.

        Raises:
            ValueError: Redis answered with an error; has its text.
        """
        ...

    def clients(self) -> list[str]:
        """The names of the exercise's processes that are connected, one per connection.

        "" where the stack cannot tell whose connection it is.
        """
        ...

    def restart(self, *, crash: bool = False) -> None:
        """Stop and start it: in good order, or with `crash` as if it was killed (SIGKILL).

        What is kept depends on its settings (`CONFIG SET appendonly`, `CONFIG SET save`). Raises
        `NotImplementedError` where the server is not the run's own.
        """
        ...

    def kill(self) -> None:
        """End it at once and leave it down. Raises as `restart`."""
        ...

    def start(self) -> None:
        """Start it after `kill`. Raises as `restart`."""
        ...

    def events(self, kind: str) -> list[Mapping[str, Any]]:
        """Trace events of a kind that Redis reported. Simulated only."""
        ...


@dataclass(frozen=True)
class MQTTMessage:
    """An application message. `properties` are MQTT 5's, named as in the specification, snake case.

    "content_type", "response_topic", "correlation_data", "message_expiry_interval",
    "payload_format_indicator" and "user_property", a list of pairs.
    """

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class MQTTSession:
    """What the server keeps for a client: subscriptions (filter, QoS) and messages not yet settled.

    `queued` counts messages that wait for the client or for its acknowledgement. `process` is the
    exercise's process, "" while not connected or where the stack cannot tell.
    """

    client_id: str
    process: str
    connected: bool
    subscriptions: tuple[tuple[str, int], ...]
    queued: int = 0


class MQTTObserver(Protocol):
    """The checks' own administrator of the run's MQTT server."""

    def publish(
        self,
        topic: str,
        payloads: Sequence[bytes],
        *,
        qos: int = 0,
        retain: bool = False,
        properties: Mapping[str, Any] | None = None,
    ) -> None:
        """Publish messages in this order; return when the server has them."""
        ...

    def published(self, topic_filter: str) -> list[MQTTMessage]:
        """Messages that anybody published since the run began, in order, wills too.

        Those whose topic matches the filter; topics that begin with "$" are never among them.
        """
        ...

    def retained(self, topic_filter: str = "#") -> list[MQTTMessage]:
        """The retained messages whose topic matches, by topic; none of "$SYS"."""
        ...

    def clients(self) -> list[str]:
        """The names of the exercise's processes that are connected, one per connection.

        "" where the stack cannot tell whose connection it is.
        """
        ...

    def sessions(self) -> list[MQTTSession]:
        """The sessions there are, by client id, without the observer's own.

        Raises `NotImplementedError` where the server does not tell (Mosquitto).
        """
        ...

    def restart(self) -> None:
        """Stop and start it in good order: persistent sessions and retained messages are kept.

        Raises `NotImplementedError` where the server is not the run's own.
        """
        ...

    def kill(self) -> None:
        """End it at once and leave it down. Raises as `restart`."""
        ...

    def start(self) -> None:
        """Start it after `kill`. Raises as `restart`."""
        ...

    def events(self, kind: str) -> list[Mapping[str, Any]]:
        """Trace events of a kind that the MQTT server reported. Simulated only."""
        ...
