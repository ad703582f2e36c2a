"""`lab.kafka`, `lab.redis`, `lab.mqtt` on the simulated stack: they act, and tell what is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pika.exceptions
import pytest

from sandbox.course.fixture import Lab
from sandbox.stack.base import BrokerNotNeeded
from sandbox.stack.simulated import SimulatedStack

Open = Callable[..., Lab]


@pytest.fixture
def lab_for(tmp_path: Path) -> Iterator[Open]:
    """A lab on some brokers, of which the exercise is a given text."""
    labs: list[Lab] = []

    def open_lab(*brokers: str, exercise: str = "") -> Lab:
        file = tmp_path / "exercise.py"
        file.write_text(exercise, encoding="utf-8")
        labs.append(Lab(SimulatedStack(seed=1, brokers=brokers), file))
        return labs[-1]

    yield open_lab
    for lab in labs:
        lab.close()


def test_a_broker_that_the_lab_does_not_need_is_an_error_that_says_what_to_write(
    lab_for: Open,
) -> None:
    lab = lab_for("redis")
    with pytest.raises(BrokerNotNeeded, match=r"has redis, not kafka. Add 'kafka' to `needs`"):
        _ = lab.kafka
    with pytest.raises(BrokerNotNeeded, match="'rabbitmq'"):
        _ = lab.rabbitmq


# -- RabbitMQ

DURABLE = """
import pika

def place(durable, persistent):
    channel = pika.BlockingConnection().channel()
    name = "durable" if durable else "transient"
    channel.queue_declare(name, durable=durable)
    properties = pika.BasicProperties(delivery_mode=2 if persistent else 1)
    channel.basic_publish("", name, b"%d" % persistent, properties)
"""


@pytest.mark.parametrize("how", ["restart", "kill"])
def test_a_restart_of_rabbitmq_keeps_persistent_messages_in_durable_queues(
    lab_for: Open, how: str
) -> None:
    lab = lab_for("rabbitmq", exercise=DURABLE)
    for durable in (True, False):
        for persistent in (True, False):
            lab.call("place", durable, persistent)
    if how == "restart":
        lab.rabbitmq.restart()
    else:
        lab.rabbitmq.kill()
        with pytest.raises(pika.exceptions.AMQPConnectionError):
            lab.call("place", True, True)
        lab.rabbitmq.start()
    assert [message.body for message in lab.rabbitmq.messages("durable")] == [b"1"]
    assert not lab.rabbitmq.exists("transient")


# -- Kafka

CONSUMER = """
from kafka import KafkaConsumer
from sandbox import record

def worker():
    consumer = KafkaConsumer(
        "orders", bootstrap_servers="localhost:9092", group_id="billing",
        auto_offset_reset="earliest", enable_auto_commit=False,
    )
    for order in consumer:
        if order.value == b"poison":
            continue
        record("billed", order.value.decode())
        consumer.commit()

def place(numbers):
    from kafka import KafkaProducer
    with KafkaProducer(bootstrap_servers="localhost:9092") as producer:
        for number in numbers:
            producer.send("orders", b"%d" % number, key=b"customer-%d" % number)
"""


def test_topics_are_created_with_their_settings_and_refused_in_kafkas_words(lab_for: Open) -> None:
    kafka = lab_for("kafka").kafka
    kafka.create_topic("orders", 3, retention_ms=60_000, cleanup_policy="delete")
    assert kafka.topics() == ["orders"]
    assert kafka.exists("orders")
    assert not kafka.exists("mails")
    assert kafka.partitions("orders") == 3
    assert kafka.partitions("mails") == 0
    assert kafka.configs("orders") == {"retention.ms": "60000", "cleanup.policy": "delete"}
    with pytest.raises(ValueError, match="already exists"):
        kafka.create_topic("orders")
    with pytest.raises(ValueError, match="replication factor"):
        kafka.create_topic("mails", replication_factor=3)


def test_records_are_read_back_as_text_with_keys_headers_and_places(lab_for: Open) -> None:
    kafka = lab_for("kafka").kafka
    kafka.create_topic("orders", 2)
    kafka.produce("orders", ["a", None, b"\xff"], key="k", partition=1, headers={"by": "shop"})
    one, two, three = kafka.records("orders", 1)
    assert (one.key, one.value, one.offset, one.headers) == ("k", "a", 0, {"by": "shop"})
    assert two.value is None
    assert three.value == "\\xff"
    assert one.timestamp_s == pytest.approx(1_767_603_600, abs=1)
    assert kafka.values("orders", 0) == []
    assert kafka.end_offsets("orders") == {0: 0, 1: 3}
    assert kafka.start_offsets("orders") == {0: 0, 1: 0}
    assert kafka.records("mails") == []
    with pytest.raises(ValueError, match="2 values, but 1 keys"):
        kafka.produce("orders", ["a", "b"], keys=["k"])


def test_a_key_goes_where_clients_put_it_and_records_without_one_to_partitions_in_turn(
    lab_for: Open,
) -> None:
    lab = lab_for("kafka", exercise=CONSUMER)
    lab.kafka.create_topic("orders", 5)
    numbers = list(range(12))
    lab.kafka.produce("orders", [str(n) for n in numbers], keys=[f"customer-{n}" for n in numbers])
    lab.call("place", numbers)
    for number in numbers:
        places = {r.partition for r in lab.kafka.records("orders") if r.value == str(number)}
        assert len(places) == 1
    lab.kafka.create_topic("mails", 3)
    lab.kafka.produce("mails", list("abcd"))
    assert [lab.kafka.values("mails", n) for n in range(3)] == [["a", "d"], ["b"], ["c"]]


def test_a_group_is_seen_with_members_assignment_offsets_and_lag(lab_for: Open) -> None:
    lab = lab_for("kafka", exercise=CONSUMER)
    kafka = lab.kafka
    kafka.create_topic("orders", 2)
    assert kafka.state("billing") == "Dead"
    assert kafka.members("billing") == []
    one, two = lab.start("worker", name="one"), lab.start("worker", name="two")
    assert lab.wait_until(lambda: len(kafka.assignment("billing", "orders")) == 2)
    lab.run_until_idle()
    assert kafka.state("billing") == "Stable"
    assert sorted(kafka.assignment("billing", "orders").values()) == [[0], [1]]
    kafka.produce("orders", ["1", "2", "3", "poison"])
    lab.run_until_idle()
    assert kafka.groups() == ["billing"]
    assert lab.recorded("billed").counts() == {"1": 1, "2": 1, "3": 1}
    assert kafka.committed("billing", "orders") == {0: 2, 1: 1}
    assert kafka.lags("billing", "orders") == {0: 0, 1: 1}
    assert kafka.lag("billing", "orders") == 1
    assert kafka.lag("mailing", "orders") == 4
    one.kill()
    assert lab.wait_until(lambda: kafka.assignment("billing", "orders") == {"two": [0, 1]})
    two.kill()
    assert lab.wait_until(lambda: kafka.state("billing") == "Empty")


def test_a_member_that_waits_for_partitions_leaves_the_world_idle(lab_for: Open) -> None:
    lab = lab_for("kafka", exercise=CONSUMER)
    lab.kafka.produce("orders", ["1"])
    one, two = lab.start("worker", name="one"), lab.start("worker", name="two")
    lab.run_until_idle()
    assert one.alive
    assert two.alive
    assert sorted(lab.kafka.assignment("billing", "orders").values()) == [[], [0]]


TRANSACTIONS = """
from kafka import KafkaProducer

def transfer(end):
    producer = KafkaProducer(bootstrap_servers="localhost:9092", transactional_id="bank")
    producer.init_transactions()
    producer.begin_transaction()
    producer.send("orders", end.encode()).get()
    if end == "commit":
        producer.commit_transaction()
    elif end == "abort":
        producer.abort_transaction()
"""


def test_what_a_transaction_has_not_committed_is_told_apart(lab_for: Open) -> None:
    lab = lab_for("kafka", exercise=TRANSACTIONS)
    lab.kafka.produce("orders", ["before"])
    for end in ("commit", "abort", "leave"):
        process = lab.start("transfer", end)
        assert lab.wait_until(lambda end=end: end in lab.kafka.values("orders", committed=False))
        process.wait(30)
    assert lab.kafka.values("orders") == ["before", "commit"]
    assert lab.kafka.values("orders", committed=False) == ["before", "commit", "abort", "leave"]


def test_kafka_is_killed_and_started_and_a_worker_goes_on(lab_for: Open) -> None:
    lab = lab_for("kafka", exercise=CONSUMER)
    lab.kafka.produce("orders", ["1"])
    lab.start("worker")
    lab.run_until_idle()
    assert (lab.kafka.nodes(), lab.kafka.leader("orders"), lab.kafka.in_sync("orders")) == (
        [1], 1, [1],
    )  # fmt: skip
    lab.kafka.kill()
    assert (lab.kafka.nodes(), lab.kafka.leader("orders")) == ([], None)
    lab.sleep(5)
    lab.kafka.start()
    lab.kafka.produce("orders", ["2"])
    lab.run_until_idle()
    lab.kafka.restart()
    lab.kafka.produce("orders", ["3"])
    lab.run_until_idle()
    assert lab.recorded("billed") - ["1", "2", "3"] == []
    assert set(lab.recorded("billed")) == {"1", "2", "3"}
    with pytest.raises(ValueError, match="no Kafka broker 7"):
        lab.kafka.kill(7)


CLUSTER = """
from kafka import KafkaConsumer, KafkaProducer
from sandbox import record

SERVERS = ["localhost:9092", "localhost:9093", "localhost:9094"]

def place(count):
    producer = KafkaProducer(bootstrap_servers=SERVERS, acks="all", retries=100)
    for number in range(count):
        producer.send("orders", b"%d" % number).get(60)
        record("confirmed", str(number))

def worker():
    for order in KafkaConsumer(
        "orders", bootstrap_servers=SERVERS, group_id="billing", auto_offset_reset="earliest"
    ):
        record("billed", order.value.decode())
"""


def test_a_cluster_loses_nothing_confirmed_when_the_leader_is_killed(lab_for: Open) -> None:
    lab = lab_for("kafka-cluster", exercise=CLUSTER)
    kafka = lab.kafka
    kafka.create_topic("orders", replication_factor=3, min_insync_replicas=2)
    kafka.produce("orders", ["before"])
    assert kafka.values("orders") == ["before"]
    leader = kafka.leader("orders")
    assert leader is not None
    assert sorted(kafka.in_sync("orders")) == kafka.nodes() == [1, 2, 3]
    lab.start("worker")
    producer = lab.start("place", 50)
    assert lab.wait_until(lambda: len(lab.recorded("confirmed")) > 10)
    kafka.kill(leader)
    assert kafka.nodes() == [node for node in (1, 2, 3) if node != leader]
    assert kafka.leader("orders") is None
    assert producer.wait(300)
    assert kafka.leader("orders") in kafka.nodes()
    assert lab.recorded("confirmed") - kafka.values("orders") == []
    lab.run_until_idle()
    assert set(lab.recorded("billed")) == {"before", *map(str, range(50))}
    kafka.start(leader)
    assert lab.wait_until(lambda: sorted(kafka.in_sync("orders")) == [1, 2, 3])


def test_checks_write_to_a_cluster_that_has_to_elect_a_leader_first(lab_for: Open) -> None:
    kafka = lab_for("kafka-cluster").kafka
    kafka.create_topic("orders", replication_factor=3)
    first = kafka.leader("orders")
    kafka.kill(first)
    kafka.produce("orders", ["after"])
    assert kafka.values("orders") == ["after"]
    assert kafka.leader("orders") != first


def test_only_kafkas_events_are_kafkas(lab_for: Open) -> None:
    lab = lab_for("kafka", "redis")
    lab.kafka.produce("orders", ["1"])
    lab.redis.execute("SET", "a", 1)
    assert [event["topic"] for event in lab.kafka.events("produce")] == ["orders"]
    assert lab.redis.events("produce") == []
    assert [event["process"] for event in lab.events("command")] == ["redis"]


# -- Redis

STREAM_WORKER = """
import redis
from sandbox import record

def worker(name):
    r = redis.Redis(decode_responses=True, socket_timeout=None)
    while True:
        for _, entries in r.xreadgroup("billing", name, {"orders": ">"}, count=1, block=5000):
            for number, fields in entries:
                record("billed", fields["order"])
                if fields["order"] != "poison":
                    r.xack("orders", "billing", number)

def wait():
    redis.Redis(socket_timeout=None).brpop("jobs")
"""


def test_every_kind_of_value_is_read_as_text(lab_for: Open) -> None:
    redis = lab_for("redis").redis
    redis.execute("SET", "name", "Ada", "EX", 60)
    redis.execute("RPUSH", "jobs", "a", "b")
    redis.execute("SADD", "tags", "new", "gift")
    redis.execute("ZADD", "due", 2.5, "later", 1, "soon")
    redis.execute("HSET", "order", "id", 7, "state", "paid")
    assert redis.keys() == ["due", "jobs", "name", "order", "tags"]
    assert redis.keys("j*") == ["jobs"]
    assert (redis.get("name"), redis.get("nobody")) == ("Ada", None)
    assert redis.ttl_s("name") == pytest.approx(60, abs=1)
    assert redis.ttl_s("jobs") is None
    assert redis.ttl_s("nobody") is None
    assert redis.elements("jobs") - ["a"] == ["b"]
    assert redis.members("tags") == ["gift", "new"]
    assert redis.scores("due") == {"soon": 1.0, "later": 2.5}
    assert redis.fields("order") == {"id": "7", "state": "paid"}
    assert redis.exists("order")
    assert redis.stream("nobody") == []
    with pytest.raises(ValueError, match="WRONGTYPE"):
        redis.get("jobs")
    redis.execute("SET", "there", "yes", database=3)
    assert not redis.exists("there")


def test_a_stream_is_seen_with_groups_pending_entries_and_lag(lab_for: Open) -> None:
    lab = lab_for("redis", exercise=STREAM_WORKER)
    redis = lab.redis
    assert redis.groups("orders") == {}
    assert redis.pending("orders", "billing") == []
    redis.execute("XGROUP", "CREATE", "orders", "billing", "0", "MKSTREAM")
    for order in ("1", "poison", "3"):
        redis.execute("XADD", "orders", "*", "order", order)
    assert redis.lag("orders", "billing") == 3
    worker = lab.start("worker", "one")
    lab.run_until_idle()
    assert lab.recorded("billed") == ["1", "poison", "3"]
    assert redis.values("orders", "order") == ["1", "poison", "3"]
    assert redis.stream("orders")[0].fields == {"order": "1"}
    (left,) = redis.pending("orders", "billing")
    assert (left.consumer, left.deliveries) == ("one", 1)
    assert left.id == redis.stream("orders")[1].id
    assert left.idle_s >= 5
    assert redis.lag("orders", "billing") == 0
    assert redis.groups("orders")["billing"]["pending"] == 1
    assert redis.clients() == ["worker"]
    worker.kill()
    lab.sleep(1)
    assert redis.clients() == []


def test_clients_that_wait_are_counted_and_served(lab_for: Open) -> None:
    lab = lab_for("redis", exercise=STREAM_WORKER)
    lab.start("wait")
    lab.run_until_idle()
    assert lab.redis.blocked() == 1
    lab.redis.execute("LPUSH", "jobs", "a")
    lab.run_until_idle()
    assert lab.redis.blocked() == 0
    assert lab.redis.elements("jobs") == []


def test_what_a_restart_keeps_depends_on_how_it_ends_and_on_the_settings(lab_for: Open) -> None:
    redis = lab_for("redis").redis
    redis.configure(save="3600 1")
    redis.execute("SET", "saved", 1)
    redis.restart()
    assert redis.keys() == ["saved"]
    redis.execute("SET", "unsaved", 1)
    redis.restart(crash=True)
    assert redis.keys() == ["saved"]
    redis.configure(appendonly="yes")
    redis.execute("SET", "logged", 1)
    redis.kill()
    redis.start()
    assert redis.keys() == ["logged", "saved"]


def test_a_crash_before_a_pop_is_acknowledged_is_found_everywhere(lab_for: Open) -> None:
    lab = lab_for(
        "redis",
        exercise="""
import redis
from sandbox import record

def worker():
    r = redis.Redis(decode_responses=True, socket_timeout=None)
    while True:
        _, order = r.brpop("orders")
        record("shipped", order)
""",
    )

    def scenario(lab: Lab) -> None:
        lab.redis.execute("LPUSH", "orders", "1", "2")
        lab.start("worker")
        lab.run_until_idle()
        lab.start("worker")
        lab.run_until_idle()
        lost = {"1", "2"} - set(lab.recorded("shipped"))
        assert not lost, f"lost: {sorted(lost)}"

    with pytest.raises(AssertionError, match=r"(?s)lost: \['1'\].*worker killed just before"):
        lab.crash_everywhere("worker", scenario)


# -- MQTT

PANEL = """
import asyncio, aiomqtt
from sandbox import record

def panel():
    async def main():
        will = aiomqtt.Will("panels/hall", "gone", retain=True)
        async with aiomqtt.Client(
            "localhost", identifier="hall", will=will, clean_session=False
        ) as client:
            await client.subscribe("rooms/#", qos=1)
            await client.publish("panels/hall", "here", retain=True)
            async for message in client.messages:
                record("shown", f"{message.topic} {message.payload.decode()}")
    asyncio.run(main())
"""


def test_messages_are_published_seen_and_retained(lab_for: Open) -> None:
    lab = lab_for("mqtt", exercise=PANEL)
    mqtt = lab.mqtt
    panel = lab.start("panel")
    lab.run_until_idle()
    assert mqtt.clients() == ["panel"]
    mqtt.publish("rooms/kitchen", ["20", "21"], qos=1, content_type="text/plain")
    mqtt.publish("rooms/bath", "25", qos=1, retain=True)
    lab.run_until_idle()
    assert lab.recorded("shown") == ["rooms/kitchen 20", "rooms/kitchen 21", "rooms/bath 25"]
    assert mqtt.published() == ["here", "20", "21", "25"]
    assert mqtt.published("rooms/+") - lab.recorded("shown") == ["20", "21", "25"]
    first = mqtt.messages("rooms/kitchen")[0]
    assert (first.payload, first.qos, first.retain) == ("20", 1, False)
    assert first.properties["content_type"] == "text/plain"
    assert mqtt.retained() == {"panels/hall": "here", "rooms/bath": "25"}
    panel.kill()
    lab.sleep(1)
    assert mqtt.retained("panels/#") == {"panels/hall": "gone"}
    with pytest.raises(ValueError, match="wildcard"):
        mqtt.publish("rooms/#", "x")


def test_a_session_waits_for_its_client_also_over_a_restart(lab_for: Open) -> None:
    lab = lab_for("mqtt", exercise=PANEL)
    mqtt = lab.mqtt
    panel = lab.start("panel")
    lab.run_until_idle()
    assert mqtt.subscriptions() == {"hall": {"rooms/#": 1}}
    assert mqtt.sessions()["hall"].process == "panel"
    panel.kill()
    lab.sleep(1)
    mqtt.publish("rooms/kitchen", ["20", "21"], qos=1)
    mqtt.restart()
    session = mqtt.sessions()["hall"]
    assert (session.connected, session.process, session.queued) == (False, "", 2)
    mqtt.kill()
    mqtt.start()
    lab.start("panel")
    lab.run_until_idle()
    assert lab.recorded("shown") == ["rooms/kitchen 20", "rooms/kitchen 21"]
    assert [event["process"] for event in mqtt.events("broker.restart")] == ["mqtt", "mqtt"]
