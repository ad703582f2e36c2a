"""The cluster: what its brokers agree on. Topics, who leads what, groups, transactions.

In Kafka the controller and the internal topics hold this; here it is one object that every `Broker`
of the cluster looks at. With one broker, that broker leads and coordinates everything.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sandbox.brokers.kafka.configs import BROKER_CONFIGS, check_topic_config
from sandbox.brokers.kafka.errors import Code, KafkaError
from sandbox.brokers.kafka.groups import Groups
from sandbox.brokers.kafka.topics import Partition, Topic, check_name
from sandbox.brokers.kafka.transactions import Transactions

if TYPE_CHECKING:
    from random import Random

    from sandbox.brokers.base import Observer
    from sandbox.brokers.kafka.broker import Broker

NO_ID = UUID(int=0)


class Cluster:
    """Some brokers and what they share.

    `random` makes ids. `observe` gets an event for everything worth tracing. `configs` are broker
    settings (`configs.BROKER_CONFIGS`). `wall_epoch_ns` is the time of day at which `now_ns` is 0.
    """

    def __init__(
        self,
        *,
        random: Random,
        observe: Observer | None = None,
        configs: Mapping[str, str] | None = None,
        wall_epoch_ns: int = 0,
    ) -> None:
        self.observe = observe
        self.random = random
        self.wall_epoch_ns = wall_epoch_ns
        self.configs = {name: value for name, (value, _) in BROKER_CONFIGS.items()}
        for name, value in (configs or {}).items():
            if name not in BROKER_CONFIGS:
                raise ValueError(
                    f"a broker has no setting {name!r}; it has {', '.join(sorted(BROKER_CONFIGS))}"
                )
            self.configs[name] = value
        self.brokers: dict[int, Broker] = {}
        self.cluster_id = self.new_id()
        self.topics: dict[str, Topic] = {}
        self.topics_by_id: dict[UUID, Topic] = {}
        self.groups = Groups(self)
        self.transactions = Transactions(self)
        self._last_producer_id = -1

    # -- small things --------------------------------------------------------------------------

    def config(self, name: str) -> int:
        """A broker setting that is a number."""
        return int(self.configs[name])

    def now_ms(self, now_ns: int) -> int:
        """The time of day, as records carry it."""
        return (self.wall_epoch_ns + now_ns) // 1_000_000

    def new_id(self) -> str:
        """An id such as Kafka makes: 16 bytes in base 64."""
        return urlsafe_b64encode(self.random.randbytes(16)).decode().rstrip("=")

    def new_uuid(self) -> UUID:
        """An id of 16 bytes that looks like any other UUID."""
        return UUID(bytes=self.random.randbytes(16), version=4)

    def new_producer_id(self) -> int:
        """Producer ids count from 0."""
        self._last_producer_id += 1
        return self._last_producer_id

    def emit(self, kind: str, **fields: Any) -> None:
        """Trace something, if anybody looks."""
        if self.observe is not None:
            self.observe(kind, {"connection": None, **fields})

    # -- topics --------------------------------------------------------------------------------

    def topic(self, name: str) -> Topic:
        """A topic by name.

        Raises:
            KafkaError: 3.
        """
        topic = self.topics.get(name)
        if topic is None:
            raise KafkaError(Code.UNKNOWN_TOPIC_OR_PARTITION, f"there is no topic {name!r}")
        return topic

    def topic_for(self, name: str | None, topic_id: UUID | None) -> Topic:
        """A topic by name or, in newer requests, by id.

        Raises:
            KafkaError: 3 or 100.
        """
        if topic_id is None or topic_id == NO_ID:
            return self.topic(name or "")
        topic = self.topics_by_id.get(topic_id)
        if topic is None:
            raise KafkaError(Code.UNKNOWN_TOPIC_ID, f"there is no topic with id {topic_id}")
        return topic

    def create_topic(
        self,
        name: str,
        partitions: int = -1,
        replication_factor: int = -1,
        configs: Mapping[str, str | None] | None = None,
        *,
        assignments: Mapping[int, list[int]] | None = None,
        validate_only: bool = False,
        connection: str | None = None,
    ) -> Topic:
        """Create a topic; -1 leaves a number to the broker's settings.

        Raises:
            KafkaError: 17 bad name, 36 exists, 37, 38, 39 impossible numbers, 40 a setting.
        """
        check_name(name)
        if name in self.topics:
            raise KafkaError(Code.TOPIC_ALREADY_EXISTS, f"Topic '{name}' already exists.")
        collision = name.replace(".", "_")
        for other in self.topics:
            if other.replace(".", "_") == collision:
                raise KafkaError(
                    Code.INVALID_TOPIC, f"Topic '{name}' collides with existing topic: {other}"
                )
        checked = {key: check_topic_config(key, value) for key, value in (configs or {}).items()}
        placement = self._placement(partitions, replication_factor, assignments or {})
        topic = Topic(name, self.new_uuid(), checked)
        topic.partitions = [
            Partition(topic, index, replicas) for index, replicas in enumerate(placement)
        ]
        if not validate_only:
            self.topics[name] = topic
            self.topics_by_id[topic.topic_id] = topic
            self.emit(
                "topic.create",
                topic=name,
                partitions=len(placement),
                configs=dict(checked),
                connection=connection,
            )
        return topic

    def _placement(
        self, partitions: int, replication_factor: int, assignments: Mapping[int, list[int]]
    ) -> list[list[int]]:
        if assignments:
            if sorted(assignments) != list(range(len(assignments))):
                raise KafkaError(
                    Code.INVALID_REPLICA_ASSIGNMENT,
                    "partitions must be numbered from 0 without gaps",
                )
            for replicas in assignments.values():
                self._check_replicas(replicas)
            return [list(assignments[index]) for index in range(len(assignments))]
        count = self.config("num.partitions") if partitions == -1 else partitions
        factor = (
            self.config("default.replication.factor")
            if replication_factor == -1
            else replication_factor
        )
        if count < 1:
            raise KafkaError(
                Code.INVALID_PARTITIONS,
                "Number of partitions was set to an invalid non-positive value.",
            )
        if factor < 1:
            raise KafkaError(
                Code.INVALID_REPLICATION_FACTOR,
                "Replication factor must be larger than 0, or -1 to use the default value.",
            )
        return self.place(range(count), factor)

    def place(self, indexes: range, factor: int) -> list[list[int]]:
        """Spread replicas over the brokers, leaders in turn.

        Raises:
            KafkaError: 38, there are fewer brokers than replicas.
        """
        ids = sorted(self.brokers)
        if factor > len(ids):
            raise KafkaError(
                Code.INVALID_REPLICATION_FACTOR,
                f"Unable to replicate the partition {factor} time(s): The target replication factor"
                f" of {factor} cannot be reached because only {len(ids)} broker(s) are registered.",
            )
        return [[ids[(index + n) % len(ids)] for n in range(factor)] for index in indexes]

    def _check_replicas(self, replicas: list[int]) -> None:
        known = [broker for broker in replicas if broker in self.brokers]
        if not replicas or known != replicas or len(set(replicas)) != len(replicas):
            raise KafkaError(
                Code.INVALID_REPLICA_ASSIGNMENT,
                f"{replicas} does not name different brokers we have",
            )

    def add_partitions(
        self,
        topic: Topic,
        count: int,
        assignments: list[list[int]] | None = None,
        *,
        validate_only: bool = False,
    ) -> None:
        """Let a topic have `count` partitions.

        Raises:
            KafkaError: 37, it has as many or more already; 39.
        """
        have = len(topic.partitions)
        if count <= have:
            raise KafkaError(
                Code.INVALID_PARTITIONS,
                f"The topic {topic.name} currently has {have} partition(s); {count} would not be an"
                " increase.",
            )
        if assignments is not None:
            if len(assignments) != count - have:
                raise KafkaError(
                    Code.INVALID_REPLICA_ASSIGNMENT,
                    f"{count - have} partitions are new, {len(assignments)} were assigned",
                )
            for replicas in assignments:
                self._check_replicas(replicas)
        placement = assignments or self.place(range(have, count), len(topic.partitions[0].replicas))
        if not validate_only:
            for offset, replicas in enumerate(placement):
                topic.partitions.append(Partition(topic, have + offset, list(replicas)))
            self.emit("topic.partitions", topic=topic.name, partitions=count)

    def delete_topic(self, topic: Topic, connection: str | None = None) -> None:
        """Delete a topic with all its records and what groups committed for it."""
        del self.topics[topic.name]
        del self.topics_by_id[topic.topic_id]
        self.groups.forget_topic(topic.name)
        self.emit("topic.delete", topic=topic.name, connection=connection)
        for partition in topic:
            partition.wake()

    def leads(self, partition: Partition) -> Broker | None:
        """The broker that leads a partition, if one does."""
        return self.brokers.get(partition.leader)

    def coordinator(self, key: str) -> Broker:
        """The broker that looks after a group or a transactional id."""
        ids = sorted(self.brokers)
        return self.brokers[ids[sum(key.encode()) % len(ids)]]
