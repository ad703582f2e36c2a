"""The cluster: what its brokers agree on. Topics, who leads what, groups, transactions.

In Kafka the controller's log and the internal topics hold this, copied to all brokers; here it is
one object that every `Broker` of the cluster looks at. What may differ from broker to broker is in
`replica.py`, who may decide is in `controller.py`. With one broker, that broker leads and
coordinates everything.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sandbox.brokers.kafka import placement
from sandbox.brokers.kafka.compaction import Cleaner
from sandbox.brokers.kafka.configs import BROKER_CONFIGS, check_topic_config
from sandbox.brokers.kafka.controller import Controller
from sandbox.brokers.kafka.errors import Code, KafkaError
from sandbox.brokers.kafka.groups import Groups
from sandbox.brokers.kafka.membership import Membership
from sandbox.brokers.kafka.replica import NO_LEADER, Assignment, Replica
from sandbox.brokers.kafka.replication import Replication, converge
from sandbox.brokers.kafka.retention import Retention
from sandbox.brokers.kafka.topics import (
    GROUPS_TOPIC,
    TRANSACTIONS_TOPIC,
    Partition,
    Topic,
    check_name,
    topic_record,
)
from sandbox.brokers.kafka.transactions import Transactions
from sandbox.brokers.timers import Timers

if TYPE_CHECKING:
    from random import Random

    from sandbox.brokers.base import Observer, Record
    from sandbox.brokers.kafka.broker import Broker
    from sandbox.brokers.kafka.records import Batch

NO_ID = UUID(int=0)


class Cluster:
    """Some brokers and what they share.

    `random` makes ids. `observe` gets an event for everything worth tracing. `configs` are broker
    settings (`configs.BROKER_CONFIGS`). `wall_epoch_ns` is the time of day at which `now_ns` is 0.
    A record is at a follower `replication_delay_ms` after it is at the leader.
    """

    def __init__(
        self,
        *,
        random: Random,
        observe: Observer | None = None,
        configs: Mapping[str, str] | None = None,
        wall_epoch_ns: int = 0,
        replication_delay_ms: float = 1,
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
        self.replication_delay_ns = round(replication_delay_ms * 1_000_000)
        self.brokers: dict[int, Broker] = {}
        self.nodes: tuple[Broker, ...] = ()
        self.controller = Controller(self)
        self.replication = Replication(self)
        #: The broker that has a request in hand.
        self.acting: Broker | None = None
        #: The cluster has one clock, and one agenda.
        self.now_ns = 0
        self.timers = Timers()
        self.retention = Retention(self)
        self.cleaner = Cleaner(self)
        self.cluster_id = self.new_id()
        self.topics: dict[str, Topic] = {}
        self.topics_by_id: dict[UUID, Topic] = {}
        self.groups = Groups(self)
        self.transactions = Transactions(self)
        self.last_producer_id = -1
        #: Called with every change of what outlives the interpreter, if anybody keeps it.
        self.keep: Callable[[Record], None] | None = None

    def add(self, broker: Broker) -> None:
        """A broker joins."""
        if self.observe is None:
            self.observe = broker.observe
        self.brokers[broker.node_id] = broker
        self.nodes = tuple(node for _, node in sorted(self.brokers.items()))
        self.controller.register(broker.node_id)

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
        self.last_producer_id += 1
        self.record("producer.id", self.last_producer_id)
        return self.last_producer_id

    def time(self, now_ns: int) -> int:
        """Note what time it is."""
        self.now_ns = max(self.now_ns, now_ns)
        return self.now_ns

    def happened(self) -> None:
        """More than housekeeping happened; carriers look at all brokers, so any may say so."""
        self.nodes[0].activity += 1

    def emit(self, kind: str, **fields: Any) -> None:
        """Trace something, if anybody looks: as of the broker that answers a request just now."""
        observe = self.observe if self.acting is None else self.acting.observe
        if observe is not None:
            observe(kind, {"connection": None, **fields})

    def record(self, word: str, *values: Any) -> None:
        """Have a change kept, if anybody keeps them."""
        if self.keep is not None:
            self.keep([word, *values])

    # -- topics --------------------------------------------------------------------------------

    def topic(self, name: str) -> Topic:
        """A topic by name.

        Raises:
            KafkaError: 3.
        """
        topic = self.topics.get(name)
        if topic is None:
            raise KafkaError(
                Code.UNKNOWN_TOPIC_OR_PARTITION, "This server does not host this topic-partition."
            )
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
        replicas_of = self._placement(partitions, replication_factor, assignments or {})
        topic = Topic(name, self.new_uuid(), checked, self)
        topic.partitions = [
            self._new_partition(topic, index, replicas)
            for index, replicas in enumerate(replicas_of)
        ]
        if validate_only:
            return topic
        self.topics[name] = topic
        self.topics_by_id[topic.topic_id] = topic
        if self.keep is not None:
            self.keep(topic_record(topic))
        if not topic.internal:
            self.emit(
                "topic.create",
                topic=name,
                partitions=len(replicas_of),
                configs=dict(checked),
                connection=connection,
            )
        for partition in topic:
            self.controller.tell(partition)
        return topic

    def _new_partition(self, topic: Topic, index: int, replicas: list[int]) -> Partition:
        in_sync = [node for node in replicas if not self.controller.fenced[node]]
        leader = in_sync[0] if in_sync else NO_LEADER
        known = Assignment(leader, 0, tuple(in_sync or replicas), tuple(replicas))
        return Partition(topic, index, known)

    def _placement(
        self, partitions: int, replication_factor: int, assignments: Mapping[int, list[int]]
    ) -> list[list[int]]:
        if assignments:
            return placement.as_said(assignments, self.brokers)
        count = self.config("num.partitions") if partitions == -1 else partitions
        factor = replication_factor
        if factor == -1:
            factor = self.config("default.replication.factor")
        return placement.spread(range(count), factor, self.controller.alive())

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
                placement.check_replicas(replicas, self.brokers)
        replicas_of = assignments or placement.spread(
            range(have, count), len(topic.partitions[0].replicas), self.controller.alive()
        )
        if not validate_only:
            for offset, replicas in enumerate(replicas_of):
                partition = self._new_partition(topic, have + offset, replicas)
                topic.partitions.append(partition)
                self.record("topic.partitions", topic.name, [partition.record()[3:]])
                self.controller.tell(partition)
            self.emit("topic.partitions", topic=topic.name, partitions=count)

    def configure_topic(
        self, topic: Topic, configs: Mapping[str, str], connection: str | None = None
    ) -> None:
        """Replace a topic's settings by these, which were checked."""
        topic.configs = dict(configs)
        for partition in topic:
            if partition.log.batches:
                self.retention.watch(partition)
                self.cleaner.watch(partition)
        self.record("topic.configs", topic.name, dict(configs))
        self.emit("topic.configure", topic=topic.name, configs=dict(configs), connection=connection)

    def delete_topic(self, topic: Topic, connection: str | None = None) -> None:
        """Delete a topic with all its records and what groups committed for it."""
        self.forget_topic(topic)
        self.record("topic.delete", topic.name)
        self.emit("topic.delete", topic=topic.name, connection=connection)
        for partition in topic:
            partition.wake()

    def forget_topic(self, topic: Topic) -> None:
        """Take a topic out of everything."""
        del self.topics[topic.name]
        del self.topics_by_id[topic.topic_id]
        self.groups.forget_topic(topic.name)
        self.transactions.forget_topic(topic.name)

    def resume(self, now_ns: int) -> None:
        """Go on after everything was read back: sessions and time-outs begin anew."""
        self.time(now_ns)
        for topic in self.topics.values():
            for partition in topic:
                converge(partition)
                self.controller.tell(partition)
                if partition.log.batches:
                    self.retention.watch(partition)
                    self.cleaner.watch(partition)
        # Not now: restoring makes no records.
        self.timers.at(
            self.now_ns, lambda now_ns: self.controller.elect_missing(), housekeeping=False
        )
        for group in self.groups:
            Membership(self, group).resume()
        self.transactions.resume()

    def leader(self, partition: Partition) -> Replica | None:
        """The leader's copy of a partition, if the others reach it."""
        if not self.controller.connected(partition.leader):
            return None
        return partition.copies[partition.leader]

    def append(self, leader: Replica, batch: Batch) -> None:
        """Write a batch that has its place to a leader's log; the followers copy it."""
        leader.store(batch)
        self.replication.appended(leader)
        self.retention.watch(leader.partition)
        self.cleaner.watch(leader.partition)

    # -- coordinators --------------------------------------------------------------------------

    def coordinators_partition(self, key: str, topic_name: str = GROUPS_TOPIC) -> Partition | None:
        """The partition whose leader looks after a group or a transactional id.

        The internal topic is made when it is first needed; None: that is not possible now.
        """
        topic = self.topics.get(topic_name)
        if topic is None:
            if not self.controller.decides():
                return None
            setting = _INTERNAL_SETTINGS[topic_name]
            factor = min(self.config(f"{setting}.replication.factor"), len(self.controller.alive()))
            configs = {"cleanup.policy": "compact", "segment.bytes": "104857600"}
            if topic_name == TRANSACTIONS_TOPIC:
                enough = min(self.config("transaction.state.log.min.isr"), factor)
                configs["min.insync.replicas"] = str(enough)
            topic = self.create_topic(
                topic_name, self.config(f"{setting}.num.partitions"), factor, configs
            )
        return topic.partitions[_java_hash(key) % len(topic.partitions)]

    def coordinator(self, key: str, topic_name: str = GROUPS_TOPIC) -> Broker | None:
        """The broker that looks after a group or a transactional id, if one can."""
        partition = self.coordinators_partition(key, topic_name)
        if partition is None or not self.controller.connected(partition.leader):
            return None
        if len(partition.isr) < partition.leading.min_in_sync:
            return None
        return self.brokers[partition.leader]

    def check_coordinator(self, broker: Broker, key: str, topic_name: str = GROUPS_TOPIC) -> None:
        """Only the coordinator of a group or a transactional id answers for it.

        Raises:
            KafkaError: 15 there is none now; 16 that is another broker.
        """
        coordinator = self.coordinator(key, topic_name)
        if coordinator is None or not self.controller.connected(broker.node_id):
            raise KafkaError(Code.COORDINATOR_NOT_AVAILABLE, "no broker can look after it now")
        if coordinator is not broker:
            raise KafkaError(Code.NOT_COORDINATOR, f"broker {coordinator.node_id} looks after it")

    def coordinator_moved(self, partition: Partition) -> None:
        """Another broker looks after the groups of this partition, or none."""
        for group in self.groups:
            if self.coordinators_partition(group.group_id) is partition:
                Membership(self, group).moved()

    def leaders_changed(self) -> None:
        """Some partitions have other leaders: what could not be written may be possible now."""
        self.transactions.complete_all()


#: How the settings of internal topics begin.
_INTERNAL_SETTINGS = {GROUPS_TOPIC: "offsets.topic", TRANSACTIONS_TOPIC: "transaction.state.log"}


def _java_hash(text: str) -> int:
    """What Java's `String.hashCode` says, without its sign."""
    units = text.encode("utf-16-be", "surrogatepass")
    value = 0
    for at in range(0, len(units), 2):
        value = (31 * value + units[at] * 256 + units[at + 1]) & 0xFFFFFFFF
    return value & 0x7FFFFFFF
