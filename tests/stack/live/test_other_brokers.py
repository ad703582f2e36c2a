"""Kafka, Redis and MQTT on stacks of real processes: what checks see, and what they may break.

The same on the real servers (live) and on the sandbox's own over TCP (embedded).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.stack import open_stack
from sandbox.stack.base import BrokerNotNeeded, Stack, StackUnavailable
from tests.support.servers import unavailable

pytestmark = [
    pytest.mark.needs_os,
    pytest.mark.parametrize(
        "stack_name", ["embedded", pytest.param("live", marks=pytest.mark.live)]
    ),
]
PATIENCE_S = 120.0

REDIS = """
import redis, sandbox

def worker():
    client = redis.Redis(host="localhost", decode_responses=True, socket_timeout=None)
    while True:
        _, job = client.blpop("jobs")
        sandbox.record("done", job)
        client.incr("count")

def reader():
    client = redis.Redis(decode_responses=True, socket_timeout=None)
    client.xgroup_create("events", "g", id="0", mkstream=True)
    while True:
        for _, entries in client.xreadgroup("g", "me", {"events": ">"}, block=500) or []:
            for number, fields in entries:
                sandbox.record("event", fields["v"])
                client.xack("events", "g", number)
"""
KAFKA = """
import kafka, sandbox

def worker():
    consumer = kafka.KafkaConsumer(
        "orders", bootstrap_servers="localhost:9092", group_id="shop",
        auto_offset_reset="earliest", enable_auto_commit=False,
    )
    for record in consumer:
        sandbox.record("got", record.value.decode())
        consumer.commit()

def producer(count):
    producer = kafka.KafkaProducer(bootstrap_servers="localhost:9092", acks="all")
    for number in range(count):
        producer.send("orders", str(number).encode(), key=b"k")
    producer.close()
"""
MQTT = """
import paho.mqtt.client as mqtt, sandbox

def listener():
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="listener")
    client.on_connect = lambda client, *_: client.subscribe("home/#", 1)
    client.on_message = lambda client, data, m: sandbox.record("got", m.payload.decode())
    client.connect("localhost")
    client.loop_forever()

def sensor():
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    client.connect("mqtt")
    client.loop_start()
    for number in range(3):
        sent = client.publish(f"home/{number}", str(number), qos=1, retain=number == 1)
        sent.wait_for_publish()
    client.disconnect()
    client.loop_stop()
"""

Open = Callable[..., Stack]


@pytest.fixture
def run(stack_name: str) -> Iterator[Open]:
    opened: list[Stack] = []

    def open_one(*brokers: str) -> Stack:
        try:
            opened.append(open_stack(stack_name, seed=1, brokers=brokers))
        except StackUnavailable as reason:
            unavailable(f"{brokers}: {reason}")
        return opened[-1]

    yield open_one
    for each in opened:
        each.close()


@pytest.fixture
def exercise(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        (tmp_path / "exercise.py").write_text(text)
        return tmp_path / "exercise.py"

    return write


def test_redis_jobs_are_done_and_seen(run: Open, exercise: Callable[[str], Path]) -> None:
    stack, file = run("redis"), exercise(REDIS)
    stack.start_function(file, "worker")
    stack.start_function(file, "reader")
    stack.run_until_idle(PATIENCE_S)
    stack.redis.execute("RPUSH", "jobs", "a", "b", "c")
    stack.redis.execute("XADD", "events", "*", "v", "1")
    stack.run_until_idle(PATIENCE_S)
    assert stack.recorded("done") == ["a", "b", "c"]
    assert stack.recorded("event") == ["1"]
    assert stack.redis.execute("GET", "count") == b"3"
    assert stack.redis.execute("XPENDING", "events", "g")[0] == 0
    assert sorted(stack.redis.clients()) == ["reader", "worker"]
    points = [str(point) for point in stack.crash_points("worker")]
    assert any("redis INCR" in point for point in points), points
    with pytest.raises(ValueError, match="WRONGTYPE"):
        stack.redis.execute("LLEN", "count")
    with pytest.raises(ValueError, match="ERR unknown command"):
        stack.redis.execute("NOPE")


def test_a_redis_that_is_killed_keeps_what_its_settings_say(run: Open) -> None:
    stack = run("redis")
    stack.redis.execute("CONFIG", "SET", "appendonly", "yes")
    stack.redis.execute("CONFIG", "SET", "appendfsync", "always")
    stack.redis.execute("SET", "kept", "yes")
    stack.redis.restart(crash=True)
    assert stack.redis.execute("GET", "kept") == b"yes"
    stack.redis.kill()
    stack.redis.start()
    assert stack.redis.execute("GET", "kept") == b"yes"


def test_runs_do_not_see_one_anothers_keys(run: Open) -> None:
    first, second = run("redis"), run("redis")
    first.redis.execute("SET", "mine", "1")
    assert second.redis.execute("EXISTS", "mine") == 0


def test_kafka_records_groups_and_offsets_are_seen(
    run: Open, exercise: Callable[[str], Path]
) -> None:
    stack, file = run("kafka"), exercise(KAFKA)
    stack.kafka.create_topic("orders", partitions=2, configs={"retention.ms": "100000"})
    worker = stack.start_function(file, "worker")
    stack.start_function(file, "producer", [5])
    stack.run_until_idle(PATIENCE_S)
    seen: Any = stack.kafka
    assert stack.recorded("got") == ["0", "1", "2", "3", "4"]
    assert seen.topics() == ["orders"]
    assert seen.configs("orders") == {"retention.ms": "100000"}
    assert seen.groups() == ["shop"]
    assert seen.state("shop") == "Stable"
    assert seen.state("nobody") == "Dead"
    (member,) = seen.members("shop")
    assert member.process == "worker"
    assert member.partitions == (("orders", 0), ("orders", 1))
    assert sum(seen.committed("shop", "orders").values()) == 5
    assert sum(seen.end_offsets("orders").values()) == 5
    assert seen.start_offsets("orders") == {0: 0, 1: 0}
    assert [record.value for record in seen.records("orders")] == [b"0", b"1", b"2", b"3", b"4"]
    assert {record.key for record in seen.records("orders")} == {b"k"}
    assert (seen.nodes(), seen.leader("orders", 0), seen.in_sync("orders", 0)) == ([1], 1, [1])
    assert any("OffsetCommit" in point.kind for point in stack.crash_points("worker"))
    seen.produce("orders", [b"x", b"y"], keys=[b"k", b"k"], headers=[("h", b"1")])
    stack.run_until_idle(PATIENCE_S)
    assert stack.recorded("got")[5:] == ["x", "y"]
    assert seen.records("orders")[-1].headers == (("h", b"1"),)
    with pytest.raises(ValueError, match="already exists"):
        seen.create_topic("orders")
    worker.kill()


def test_a_kafka_that_is_killed_comes_back_with_its_records(run: Open) -> None:
    stack = run("kafka")
    stack.kafka.produce("orders", [b"1", b"2"])
    stack.kafka.kill()
    stack.kafka.start()
    assert [record.value for record in stack.kafka.records("orders")] == [b"1", b"2"]


def test_a_run_begins_with_an_empty_kafka(run: Open) -> None:
    first = run("kafka")
    first.kafka.produce("left-behind", [b"1"])
    first.close()
    assert run("kafka").kafka.topics() == []


def test_mqtt_messages_are_seen_with_their_properties(
    run: Open, exercise: Callable[[str], Path]
) -> None:
    stack, file = run("mqtt"), exercise(MQTT)
    stack.start_function(file, "listener")
    stack.run_until_idle(PATIENCE_S)
    stack.start_function(file, "sensor")
    stack.run_until_idle(PATIENCE_S)
    assert stack.recorded("got") == ["0", "1", "2"]
    assert [m.topic for m in stack.mqtt.published("home/+")] == ["home/0", "home/1", "home/2"]
    (kept,) = stack.mqtt.retained()
    assert (kept.topic, kept.payload, kept.qos, kept.retain) == ("home/1", b"1", 1, True)
    assert stack.mqtt.clients() == ["listener"]
    properties = {"user_property": [["a", "b"]], "content_type": "text/plain"}
    stack.mqtt.publish("home/x", [b"hi"], qos=2, properties=properties)
    stack.run_until_idle(PATIENCE_S)
    assert stack.recorded("got")[-1] == "hi"
    (seen,) = stack.mqtt.published("home/x")
    assert dict(seen.properties) == properties
    assert any("PUBACK" in point.kind for point in stack.crash_points("listener"))
    with pytest.raises(NotImplementedError, match=r'stack\("simulated"\)'):
        stack.mqtt.sessions()


def test_an_mqtt_server_keeps_what_is_retained_over_a_restart(run: Open) -> None:
    stack = run("mqtt")
    stack.mqtt.publish("light", [b"on"], qos=1, retain=True)
    stack.mqtt.restart()
    assert [message.payload for message in stack.mqtt.retained("light")] == [b"on"]
    stack.mqtt.publish("light", [b"off"])
    assert [message.payload for message in stack.mqtt.published("light")] == [b"on", b"off"]


def test_a_broker_that_the_lab_does_not_need_is_named(run: Open) -> None:
    stack = run("redis")
    for name in ("rabbitmq", "kafka", "mqtt"):
        with pytest.raises(BrokerNotNeeded, match=f"not {name}"):
            getattr(stack, name)
