"""`lab.kafka` on a real Kafka: the checks' own administrator, with kafka-python.

See `sandbox.stack.observers.KafkaObserver` for what each method promises.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, NoReturn

import kafka
import kafka.admin
import kafka.errors
from kafka.partitioner.default import murmur2

from sandbox.stack.base import KafkaMember, KafkaRecord, StackUnavailable
from sandbox.stack.live.places import Place
from sandbox.stack.live.process import LiveProcess
from sandbox.stack.live.tapped import TappedConnection

# kafka-python has no types.
_clients: Any = kafka
_hash: Callable[[bytes], int] = murmur2

#: How long Kafka may take for what it does at once; used up only when something is wrong.
_PATIENCE_S = 60.0
_LOOK_EVERY_S = 0.05
_OWN_SETTING = "DYNAMIC_TOPIC_CONFIG"
_MESSAGE = re.compile(r"error_message=(['\"])(.*?)\1,")
_BROKER_GONE = (
    kafka.errors.KafkaConnectionError,
    kafka.errors.NodeNotReadyError,
    kafka.errors.KafkaTimeoutError,
    kafka.errors.CoordinatorNotAvailableError,
    kafka.errors.CoordinatorLoadInProgressError,
    kafka.errors.NotCoordinatorError,
)
_UNKNOWN = (
    kafka.errors.UnknownTopicOrPartitionError,
    kafka.errors.GroupIdNotFoundError,
)


class LiveKafka:
    """Acts and observes as one more client."""

    def __init__(
        self, place: Place, changed: threading.Condition, processes: Sequence[LiveProcess]
    ) -> None:
        self._place = place
        self._changed = changed
        self._processes = processes
        self._servers = [f"{host}:{port}" for host, port in place.addresses]
        self._admin: Any = None
        self._producer: Any = None
        there = [*self.topics(), *self.groups()]
        if there:
            self._leave()
            raise StackUnavailable(
                f"The Kafka at {self._servers[0]} has topics or groups ({', '.join(there[:5])}), "
                "and a live run removes all of them at its end. Name an empty one in "
                "KAFKA_BOOTSTRAP_SERVERS, or none, so that one is started."
            )

    # topics and records

    def create_topic(
        self,
        topic: str,
        *,
        partitions: int = 1,
        replication_factor: int = 1,
        configs: Mapping[str, str] | None = None,
    ) -> None:
        """Create a topic; return when producers can use it."""
        new = _clients.admin.NewTopic(
            topic, partitions, replication_factor, topic_configs=dict(configs or {})
        )
        try:
            self._ask("create_topics", [new])
        except kafka.errors.KafkaError as refusal:
            said = _MESSAGE.search(str(refusal))
            raise ValueError(said[2] if said else str(refusal)) from refusal
        self._until(lambda: self._led(topic, partitions), f"leaders of {topic}")

    def topics(self) -> list[str]:
        """The topics there are, without internal ones."""
        return sorted(name for name in self._ask("list_topics") if not name.startswith("__"))

    def configs(self, topic: str) -> dict[str, str]:
        """The settings of a topic that are its own."""
        asked = [_clients.admin.ConfigResource(_clients.admin.ConfigResourceType.TOPIC, topic)]
        try:
            found = self._ask("describe_configs", asked)["topic"][topic]
        except _UNKNOWN:
            return {}
        return {
            name: entry["value"]
            for name, entry in found.items()
            if entry["config_source"] == _OWN_SETTING
        }

    def produce(
        self,
        topic: str,
        values: Sequence[bytes | None],
        *,
        keys: Sequence[bytes | None] | None = None,
        partition: int | None = None,
        headers: Sequence[tuple[str, bytes]] = (),
    ) -> None:
        """Write records in this order; return when all in-sync replicas have them."""
        count = len(self._partitions(topic))
        if not count:
            self.create_topic(topic)
            count = 1
        if self._producer is None:
            self._producer = _clients.KafkaProducer(bootstrap_servers=self._servers, acks="all")
        sent = []
        for position, value in enumerate(values):
            key = None if keys is None else keys[position]
            place = partition
            if place is None:
                place = position % count if key is None else (_hash(key) & 0x7FFFFFFF) % count
            sent.append(
                self._producer.send(
                    topic, value, key=key, partition=place, headers=list(headers) or None
                )
            )
        try:
            for each in sent:
                each.get(_PATIENCE_S)
        except kafka.errors.KafkaError as refusal:
            raise ValueError(str(refusal)) from refusal

    def records(self, topic: str, *, committed: bool = True) -> list[KafkaRecord]:
        """What a consumer could read now, from the start, partition after partition."""
        found: dict[int, list[KafkaRecord]] = {}

        def read(consumer: Any, places: list[Any]) -> None:
            ends = consumer.end_offsets(places)
            consumer.assign(places)
            consumer.seek_to_beginning(*places)
            deadline = time.monotonic() + _PATIENCE_S
            while any(consumer.position(place) < ends[place] for place in places):
                if time.monotonic() > deadline:
                    raise TimeoutError(f"Kafka did not give all of {topic} in {_PATIENCE_S:g} s.")
                for place, records in consumer.poll(200).items():
                    found.setdefault(place.partition, []).extend(_record(r) for r in records)

        level = "read_committed" if committed else "read_uncommitted"
        self._with_consumer(topic, read, isolation_level=level)
        return [record for partition in sorted(found) for record in found[partition]]

    def start_offsets(self, topic: str) -> dict[int, int]:
        """The offset of the oldest record, by partition."""
        return self._offsets(topic, "beginning_offsets")

    def end_offsets(self, topic: str) -> dict[int, int]:
        """The offset that the next record will have, by partition."""
        return self._offsets(topic, "end_offsets")

    # groups

    def groups(self) -> list[str]:
        """The names of consumer groups that have members or committed offsets."""
        return sorted(each["group_id"] for each in self._ask("list_groups"))

    def state(self, group: str) -> str:
        """In Kafka's words; "Dead" when there is no such group."""
        state: str = self._group(group)["group_state"]
        return state

    def members(self, group: str) -> list[KafkaMember]:
        """Its members, by member id."""
        found = [
            KafkaMember(
                member["member_id"],
                member["client_id"],
                self._process_of(member["member_id"]),
                _assigned(member["member_assignment"]),
                member["group_instance_id"],
            )
            for member in self._group(group)["members"]
        ]
        return sorted(found, key=lambda member: member.member_id)

    def committed(self, group: str, topic: str) -> dict[int, int]:
        """The committed offset, of those partitions of the topic that have one."""
        try:
            found = self._ask("list_group_offsets", {group: None})[group]
        except _UNKNOWN:
            return {}
        offsets = {
            place.partition: committed.offset
            for place, committed in found.items()
            if place.topic == topic and committed.offset >= 0
        }
        return dict(sorted(offsets.items()))

    # brokers

    def nodes(self) -> list[int]:
        """The ids of the brokers that run."""
        known = {each["broker_id"] for each in self._ask("describe_cluster")["brokers"]}
        running = self._place.nodes
        # A broker that was killed a moment ago is still known to the others.
        return sorted(known if len(known) > len(self._servers) else known & set(running))

    def leader(self, topic: str, partition: int) -> int | None:
        """The broker that leads a partition, or None."""
        found = self._partitions(topic).get(partition)
        leader: int = found["leader_id"] if found else -1
        return leader if leader in self._place.nodes or leader > len(self._servers) else None

    def in_sync(self, topic: str, partition: int) -> list[int]:
        """The brokers that have all that is committed of a partition."""
        found = self._partitions(topic).get(partition)
        return sorted(found["isr_nodes"]) if found else []

    def kill(self, node: int | None = None) -> None:
        """End a broker at once; None is all of them."""
        self._place.halt(node)

    def start(self, node: int | None = None) -> None:
        """Start a broker that was killed; return when every partition is led by somebody."""
        self._place.resume(node)
        for topic in self.topics():
            self._until(partial(self._led, topic), f"leaders of {topic}")

    def events(self, kind: str) -> NoReturn:
        """Raise: a real Kafka keeps no trace. Raises: NotImplementedError."""
        raise NotImplementedError(
            "A real Kafka keeps no trace. Ask for records and offsets instead, or mark the check "
            'with @pytest.mark.stack("simulated").'
        )

    def close(self) -> None:
        """Remove the run's groups and topics, and leave. The run's processes have ended."""
        with suppress(NotImplementedError):
            self._place.resume()
        if self._producer is not None:
            self._producer.close()
        try:
            self._until(self._removed, "the end of its topics and groups")
        finally:
            self._leave()

    # inside

    def _ask(self, method: str, *arguments: Any) -> Any:
        """Call a method of the administrator, on another connection if a broker has gone."""
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            try:
                if self._admin is None:
                    self._admin = _clients.admin.KafkaAdminClient(bootstrap_servers=self._servers)
                return getattr(self._admin, method)(*arguments)
            except _BROKER_GONE:
                self._leave()
                if time.monotonic() > deadline:
                    raise
                time.sleep(_LOOK_EVERY_S)

    def _leave(self) -> None:
        if self._admin is not None:
            self._admin.close()
            self._admin = None

    def _removed(self) -> bool:
        """Remove what there is; say whether nothing is left."""
        groups, topics = self.groups(), self.topics()
        for group in groups:
            with suppress(kafka.errors.KafkaError):
                # Those that were killed would be missed for their session's time only later.
                members = [
                    _clients.admin.MemberToRemove(member_id=member["member_id"])
                    for member in self._group(group)["members"]
                ]
                if members:
                    self._ask("remove_group_members", group, members)
                self._ask("delete_groups", [group])
        if topics:
            with suppress(kafka.errors.KafkaError):
                self._ask("delete_topics", topics)
        return not groups and not topics

    def _group(self, group: str) -> dict[str, Any]:
        try:
            found: dict[str, Any] = self._ask("describe_groups", [group])[group]
        except _UNKNOWN:
            return {"group_state": "Dead", "members": []}
        return found

    def _process_of(self, member_id: str) -> str:
        with self._changed:
            for process in self._processes:
                for connection in process.connections:
                    if isinstance(connection, TappedConnection) and connection.tap.knows(member_id):
                        return process.name
        return ""

    def _partitions(self, topic: str) -> dict[int, dict[str, Any]]:
        (found,) = self._ask("describe_topics", [topic])
        return {each["partition_index"]: each for each in found["partitions"]}

    def _led(self, topic: str, partitions: int = 1) -> bool:
        """Whether there are so many partitions, and a broker that runs leads each of them."""
        leaders = [self.leader(topic, number) for number in self._partitions(topic)]
        return len(leaders) >= partitions and None not in leaders

    def _offsets(self, topic: str, which: str) -> dict[int, int]:
        found: dict[int, int] = {}

        def ask(consumer: Any, places: list[Any]) -> None:
            offsets = getattr(consumer, which)(places)
            found.update((place.partition, offset) for place, offset in offsets.items())

        self._with_consumer(topic, ask)
        return dict(sorted(found.items()))

    def _with_consumer(
        self, topic: str, act: Callable[[Any, list[Any]], None], **options: Any
    ) -> None:
        places = [
            _clients.TopicPartition(topic, number) for number in sorted(self._partitions(topic))
        ]
        if not places:
            return
        consumer: Any = _clients.KafkaConsumer(
            bootstrap_servers=self._servers, group_id=None, enable_auto_commit=False, **options
        )
        try:
            act(consumer, places)
        finally:
            consumer.close()

    def _until(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError(f"Kafka did not come to {what} in {_PATIENCE_S:g} s.")
            time.sleep(_LOOK_EVERY_S)


def _record(record: Any) -> KafkaRecord:
    return KafkaRecord(
        record.topic,
        record.partition,
        record.offset,
        record.key,
        record.value,
        tuple((name, value) for name, value in record.headers or ()),
        record.timestamp,
    )


def _assigned(assignment: Any) -> tuple[tuple[str, int], ...]:
    if not assignment:
        return ()
    return tuple(
        sorted(
            (each["topic"], partition)
            for each in assignment["assigned_partitions"]
            for partition in each["partitions"]
        )
    )
