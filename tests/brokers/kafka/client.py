"""A client of the broker that needs no socket: requests by name, answers as objects."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from sandbox.brokers.kafka import Broker
from sandbox.brokers.kafka.cluster import Cluster
from sandbox.brokers.kafka.codec import APIS, _fill
from sandbox.brokers.kafka.records import Batch, Record, build_batch, parse_batches
from sandbox.brokers.kafka.topics import Partition

MS = 1_000_000
_BY_NAME = {api.name: api for api in APIS.values()}


class World:
    """Brokers, a clock, and a carrier between the brokers and their clients."""

    def __init__(self, nodes: int = 1, **options: Any) -> None:
        self.events: list[tuple[str, Mapping[str, Any]]] = []
        self.now_ns = 0
        options.setdefault("random", Random(1))
        options["observe"] = lambda kind, fields: self.events.append((kind, fields))
        if nodes == 1:
            self.broker = Broker(**options)
        else:
            cluster = Cluster(**options)
            made = [
                Broker(cluster=cluster, node_id=n, host=f"kafka-{n}") for n in range(1, nodes + 1)
            ]
            self.broker = made[0]
        self.clients: list[Client] = []

    @property
    def cluster(self) -> Cluster:
        return self.broker.cluster

    def node(self, number: int) -> Broker:
        return self.cluster.brokers[number]

    def connect(self, name: str = "client", *, node: int = 1) -> Client:
        client = Client(self, name, self.node(node))
        self.clients.append(client)
        return client

    def settle(self) -> None:
        for broker in self.broker.nodes:
            for connection in broker.take_writable():
                for client in self.clients:
                    if client.side is connection:
                        client.incoming += connection.data_to_send()

    def stop(self, number: int, *, clean: bool = False) -> None:
        self.node(number).stop(self.now_ns, clean=clean)
        self.settle()

    def start(self, number: int) -> None:
        self.node(number).start(self.now_ns)
        self.settle()

    def partition(self, topic: str, index: int = 0) -> Partition:
        return self.cluster.topics[topic].partitions[index]

    def advance(self, seconds: float) -> None:
        """Let time pass, timer by timer."""
        end = self.now_ns + int(seconds * 1e9)
        while True:
            due = self.broker.next_timer()
            if due is None or due > end:
                break
            self.now_ns = max(self.now_ns, due)
            self.broker.handle_timer(self.now_ns)
            self.settle()
        self.now_ns = end

    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.events]


class Client:
    """One connection."""

    def __init__(self, world: World, name: str, broker: Broker) -> None:
        self.world = world
        self.name = name
        self.side = broker.connect(f"{name}:1", world.now_ns)
        self.incoming = b""
        self._correlation_id = 0
        self._sent: dict[int, tuple[Any, int]] = {}

    def feed(self, data: bytes) -> None:
        self.side.receive_data(data, self.world.now_ns)
        self.world.settle()

    def send(self, name: str, values: Mapping[str, Any], version: int | None = None) -> int:
        api = _BY_NAME[name]
        version = api.highest if version is None else version
        request = _fill(api.request, values, version)
        request.API_VERSION = version
        self._correlation_id += 1
        request.with_header(correlation_id=self._correlation_id, client_id=self.name)
        self._sent[self._correlation_id] = (api, version)
        self.feed(request.encode(header=True, framed=True))
        return self._correlation_id

    def answer(self) -> Any:
        """The next answer, or None if there is none yet."""
        if not self.incoming:
            return None
        (length,) = struct.unpack_from(">i", self.incoming)
        frame, self.incoming = self.incoming[4 : 4 + length], self.incoming[4 + length :]
        (correlation_id,) = struct.unpack_from(">i", frame)
        api, version = self._sent.pop(correlation_id)
        return api.response.decode(frame, version=version, header=True)

    def call(self, name: str, values: Mapping[str, Any], version: int | None = None) -> Any:
        self.send(name, values, version)
        answer = self.answer()
        assert answer is not None, f"{name} was not answered at once"
        return answer

    # -- common requests -----------------------------------------------------------------------

    def create_topic(
        self, name: str, partitions: int = 1, *, replicas: int = 1, **configs: str
    ) -> Any:
        answer = self.call(
            "CreateTopics",
            {
                "topics": [
                    {
                        "name": name,
                        "num_partitions": partitions,
                        "replication_factor": replicas,
                        "assignments": [],
                        "configs": [
                            {"name": key.replace("_", "."), "value": value}
                            for key, value in configs.items()
                        ],
                    }
                ],
                "timeout_ms": 1000,
                "validate_only": False,
            },
        )
        return answer.topics[0]

    def produce(
        self, topic: str, data: Batch | bytes | Sequence[bytes], partition: int = 0, **options: Any
    ) -> Any:
        self.send_produce(topic, data, partition, **options)
        return self.answer().responses[0].partition_responses[0]

    def send_produce(
        self,
        topic: str,
        data: Batch | bytes | Sequence[bytes],
        partition: int = 0,
        *,
        acks: int = -1,
        timeout_ms: int = 1000,
        transactional_id: str | None = None,
    ) -> None:
        if isinstance(data, Batch):
            records = data.data
        elif isinstance(data, bytes):
            records = data
        else:
            records = batch(*data).data
        self.send(
            "Produce",
            {
                "transactional_id": transactional_id,
                "acks": acks,
                "timeout_ms": timeout_ms,
                "topic_data": [
                    {"name": topic, "partition_data": [{"index": partition, "records": records}]}
                ],
            },
            version=12,
        )

    def send_fetch(
        self,
        topic: str,
        offset: int,
        partition: int = 0,
        *,
        max_wait_ms: int = 0,
        min_bytes: int = 1,
        max_bytes: int = 1_000_000,
        isolation_level: int = 0,
        epoch: int = -1,
        session_id: int = 0,
    ) -> None:
        self.send(
            "Fetch",
            {
                "replica_id": -1,
                "max_wait_ms": max_wait_ms,
                "min_bytes": min_bytes,
                "max_bytes": max_bytes,
                "isolation_level": isolation_level,
                "session_id": session_id,
                "session_epoch": -1,
                "topics": [
                    {
                        "topic": topic,
                        "partitions": [
                            {
                                "partition": partition,
                                "current_leader_epoch": epoch,
                                "fetch_offset": offset,
                                "last_fetched_epoch": -1,
                                "log_start_offset": -1,
                                "partition_max_bytes": max_bytes,
                            }
                        ],
                    }
                ],
                "forgotten_topics_data": [],
                "rack_id": "",
            },
            version=12,
        )

    def fetch(self, topic: str, offset: int, partition: int = 0, **options: Any) -> Any:
        self.send_fetch(topic, offset, partition, **options)
        return self.answer().responses[0].partitions[0]

    def join(self, group: str, member_id: str = "", **options: Any) -> int:
        return self.send(
            "JoinGroup",
            {
                "group_id": group,
                "session_timeout_ms": options.get("session_ms", 10_000),
                "rebalance_timeout_ms": options.get("rebalance_ms", 60_000),
                "member_id": member_id,
                "group_instance_id": options.get("instance_id"),
                "protocol_type": "consumer",
                "protocols": [
                    {"name": name, "metadata": options.get("metadata", b"\0\1\0\0\0\0")}
                    for name in options.get("protocols", ["range"])
                ],
                "reason": None,
            },
        )

    def enter(self, group: str, **options: Any) -> str:
        """Ask for a member id, then join with it. Returns: the id."""
        self.join(group, **options)
        member_id: str = self.answer().member_id
        self.join(group, member_id, **options)
        return member_id

    def sync(
        self, group: str, member_id: str, generation: int, given: Mapping[str, bytes] | None = None
    ) -> None:
        self.send(
            "SyncGroup",
            {
                "group_id": group,
                "generation_id": generation,
                "member_id": member_id,
                "group_instance_id": None,
                "protocol_type": "consumer",
                "protocol_name": "range",
                "assignments": [
                    {"member_id": member, "assignment": what}
                    for member, what in (given or {}).items()
                ],
            },
        )

    def heartbeat(self, group: str, member_id: str, generation: int) -> int:
        code: int = self.call(
            "Heartbeat",
            {
                "group_id": group,
                "generation_id": generation,
                "member_id": member_id,
                "group_instance_id": None,
            },
        ).error_code
        return code

    def commit(
        self, group: str, topic: str, offset: int, member_id: str = "", generation: int = -1
    ) -> int:
        answer = self.call(
            "OffsetCommit",
            {
                "group_id": group,
                "generation_id_or_member_epoch": generation,
                "member_id": member_id,
                "group_instance_id": None,
                "topics": [
                    {
                        "name": topic,
                        "partitions": [
                            {
                                "partition_index": 0,
                                "committed_offset": offset,
                                "committed_leader_epoch": -1,
                                "committed_metadata": "",
                            }
                        ],
                    }
                ],
            },
        )
        code: int = answer.topics[0].partitions[0].error_code
        return code

    def committed(self, group: str, topic: str, *, require_stable: bool = False) -> tuple[int, int]:
        """Returns: the offset and the error code."""
        answer = self.call(
            "OffsetFetch",
            {
                "groups": [
                    {
                        "group_id": group,
                        "member_id": None,
                        "member_epoch": -1,
                        "topics": [{"name": topic, "partition_indexes": [0]}],
                    }
                ],
                "require_stable": require_stable,
            },
        )
        found = answer.groups[0].topics[0].partitions[0]
        return found.committed_offset, found.error_code

    def init_producer(self, transactional_id: str | None = None, **options: int) -> Any:
        return self.call(
            "InitProducerId",
            {
                "transactional_id": transactional_id,
                "transaction_timeout_ms": options.get("timeout_ms", 60_000),
                "producer_id": options.get("producer_id", -1),
                "producer_epoch": options.get("epoch", -1),
            },
        )


def batch(
    *values: bytes, producer: tuple[int, int] = (-1, -1), sequence: int = -1, attributes: int = 0
) -> Batch:
    """A batch as a producer sends it."""
    return build_batch(
        [Record(n, 1000 + n, None, value) for n, value in enumerate(values)],
        attributes=attributes,
        producer_id=producer[0],
        producer_epoch=producer[1],
        base_sequence=sequence,
    )


def values(fetched: Any) -> list[tuple[int, bytes | None]]:
    """Offsets and values of fetched records."""
    return [
        (record.offset, record.value)
        for each in parse_batches(bytes(fetched.records or b""))
        for record in each.records()
    ]
