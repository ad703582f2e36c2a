"""Redis, Mosquitto and Kafka of our own: they serve, keep what they should, and go."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import kafka
import pytest
import redis
from kafka.admin import KafkaAdminClient, NewTopic

from sandbox.holders import holder
from sandbox.native.errors import ServerUnavailable
from sandbox.native.kafka import Kafka
from sandbox.native.mosquitto import Mosquitto
from sandbox.native.ports import answers
from sandbox.native.redis import Redis
from sandbox.native.server import Server
from tests.support.servers import running
from tests.support.waiting import until

pytestmark = pytest.mark.live


@pytest.mark.parametrize("make", [Redis, Mosquitto])
def test_a_server_without_a_folder_leaves_nothing(make: Callable[[], Server]) -> None:
    with running(make()) as server:
        assert answers(server.port)
        assert server.version()[0].isdigit()
        folder, children = server.folder, list(server.children)
    assert not folder.exists()
    assert not any(child.alive for child in children)


def test_a_redis_with_a_folder_keeps_its_data(tmp_path: Path) -> None:
    for turn in ("write", "read"):
        with running(Redis(tmp_path)) as server, redis.Redis(port=server.port) as client:
            if turn == "write":
                client.rpush("jobs", "a", "b")
            assert client.lrange("jobs", 0, -1) == [b"a", b"b"]


def test_a_port_that_is_taken_is_named_with_who_has_it(redis_server: Redis) -> None:
    second = Redis(ports={"redis": redis_server.port})
    with pytest.raises(ServerUnavailable, match=rf"port {redis_server.port}") as refused:
        second.start()
    assert holder(redis_server.port) in str(refused.value)
    assert "redis" in holder(redis_server.port)


def test_one_kafka_broker_takes_and_gives_records(kafka_server: Kafka) -> None:
    producer = kafka.KafkaProducer(bootstrap_servers=kafka_server.bootstrap)
    sent = producer.send("native-one", b"hello", key=b"k")
    assert sent.get(60).offset == 0
    producer.close()
    consumer = kafka.KafkaConsumer(
        "native-one", bootstrap_servers=kafka_server.bootstrap, auto_offset_reset="earliest"
    )
    assert next(consumer).value == b"hello"
    consumer.close()


@pytest.mark.xdist_group("kafka cluster")
def test_a_cluster_of_three_loses_nothing_when_a_leader_is_killed(kafka_cluster: Kafka) -> None:
    admin = KafkaAdminClient(bootstrap_servers=kafka_cluster.bootstrap)
    topic = NewTopic("native-three", 1, 3, topic_configs={"min.insync.replicas": "2"})
    admin.create_topics([topic])
    leader = until(lambda: _leader(admin, "native-three"), "a leader of the new topic")
    producer = kafka.KafkaProducer(
        bootstrap_servers=kafka_cluster.bootstrap, acks="all", retries=1000
    )
    sent = [producer.send("native-three", str(n).encode()) for n in range(100)]
    sent[-1].get(60)
    kafka_cluster.kill(leader)
    try:
        sent += [producer.send("native-three", str(n).encode()) for n in range(100, 200)]
        assert all(future.get(120) for future in sent)
        producer.close()
        consumer = kafka.KafkaConsumer(
            "native-three",
            bootstrap_servers=kafka_cluster.bootstrap,
            auto_offset_reset="earliest",
        )
        read = {int(next(consumer).value) for _ in range(200)}
        consumer.close()
        assert read == set(range(200))
    finally:
        kafka_cluster.start_node(leader)
        admin.close()


def _leader(admin: KafkaAdminClient, topic: str) -> int | None:
    """The leader once every copy is in sync: what is killed before that takes data with it."""
    for partition in admin.describe_topics([topic])[0].get("partitions", []):
        if len(partition["isr_nodes"]) == 3 and partition["leader_id"] > 0:
            leader: int = partition["leader_id"]
            return leader
    return None
