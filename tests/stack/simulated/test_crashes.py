"""Crash points: those that leave the same world behind are one; none that matters is left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.course.fixture import Lab
from sandbox.stack.simulated import SimulatedStack

HEAD = """
import time
import pika
from sandbox import record

def worker():
    connection = pika.BlockingConnection(pika.ConnectionParameters("localhost"))
    channel = connection.channel()
    channel.basic_consume("orders", on_message_callback=on_order)
    channel.start_consuming()
"""

CAREFUL = (
    HEAD
    + """
def on_order(channel, method, properties, body):
    time.sleep(0.1)
    record("shipped", body.decode())
    channel.basic_ack(method.delivery_tag)
"""
)

ACK_FIRST = (
    HEAD
    + """
def on_order(channel, method, properties, body):
    channel.basic_ack(method.delivery_tag)
    record("shipped", body.decode())
"""
)

ACK_THEN_REPUBLISH = (
    HEAD
    + """
def on_order(channel, method, properties, body):
    channel.basic_ack(method.delivery_tag)
    if not properties.type:
        channel.basic_publish("", "orders", body, pika.BasicProperties(type="again"))
    else:
        record("shipped", body.decode())
"""
)


def run(tmp_path: Path, source: str) -> SimulatedStack:
    file = tmp_path / "exercise.py"
    file.write_text(source, encoding="utf-8")
    stack = SimulatedStack(seed=1)
    lab = Lab(stack, file)
    lab.rabbitmq.publish("orders", ["order-1", "order-2"])
    lab.start("worker")
    lab.run_until_idle()
    return stack


def test_a_handshake_is_one_crash_point_and_every_effect_begins_another(tmp_path: Path) -> None:
    stack = run(tmp_path, CAREFUL)
    every = len(stack.processes[0].handle.crash_points)

    points = [str(point) for point in stack.crash_points("worker")]

    assert len(points) < every / 2
    assert sum("pika.BlockingConnection" in point for point in points) == 1
    assert sum("channel.basic_ack" in point for point in points) == 2  # shipped, not acknowledged
    assert sum("time.sleep" in point for point in points) == 2  # delivered, not shipped


def test_killing_at_a_left_out_point_leaves_the_same_world_as_at_the_one_kept_for_it(
    tmp_path: Path,
) -> None:
    stack = run(tmp_path, CAREFUL)
    stack.crash_points("worker")
    kept = set(stack._numbers.values())

    def world_after(number: int) -> tuple[list[str], list[tuple[bytes, bool]]]:
        crashed = SimulatedStack(seed=1)
        again = Lab(crashed, tmp_path / "exercise.py")
        again.rabbitmq.publish("orders", ["order-1", "order-2"])
        again.start("worker").handle.crash_at(number)  # type: ignore[attr-defined]
        again.run_until_idle()
        left = [
            (message.body, message.redelivered) for message in again.rabbitmq.messages("orders")
        ]
        return list(again.recorded("shipped")), left

    stands_for = None
    for number in range(1, len(stack.processes[0].handle.crash_points) + 1):
        world = world_after(number)
        if number in kept:
            stands_for = world
        assert world == stands_for, f"crash point {number} is not the one that stands for it"


def test_what_was_on_its_way_when_the_run_ended_may_have_mattered(tmp_path: Path) -> None:
    file = tmp_path / "exercise.py"
    file.write_text(ACK_FIRST, encoding="utf-8")

    def scenario(lab: Lab) -> None:
        """Ends at the moment the order is shipped, before the ack has reached the broker."""
        lab.rabbitmq.publish("orders", ["order-1"])
        first = lab.start("worker")
        lab.wait_until(lambda: bool(lab.recorded("shipped")) or not first.alive)
        first.kill()
        lab.start("worker")
        lab.wait_until(lambda: bool(lab.recorded("shipped")))
        assert lab.recorded("shipped"), "order-1 is nowhere"

    with pytest.raises(AssertionError, match=r"(?s)nowhere.*just before `record"):
        Lab(SimulatedStack(seed=1), file).crash_everywhere("worker", scenario)


def test_an_order_between_two_lines_is_lost_at_exactly_one_kind_of_moment(tmp_path: Path) -> None:
    file = tmp_path / "exercise.py"
    file.write_text(ACK_THEN_REPUBLISH, encoding="utf-8")

    def scenario(lab: Lab) -> None:
        lab.rabbitmq.publish("orders", ["order-1"])
        lab.start("worker")
        lab.run_until_idle()
        waiting = [message.body.decode() for message in lab.rabbitmq.messages("orders")]
        assert waiting or lab.recorded("shipped"), "order-1 is nowhere"

    with pytest.raises(AssertionError, match=r"(?s)nowhere.*just before `channel.basic_publish"):
        Lab(SimulatedStack(seed=1), file).crash_everywhere("worker", scenario)


CONSUMERS = {
    "kafka": """
from kafka import KafkaConsumer
from sandbox import record

def worker():
    consumer = KafkaConsumer(
        "orders", bootstrap_servers="localhost:9092", group_id="billing",
        auto_offset_reset="earliest", enable_auto_commit=False,
    )
    for order in consumer:
        record("billed", order.value.decode())
        consumer.commit()
""",
    "redis": """
import redis
from sandbox import record

def worker():
    r = redis.Redis(decode_responses=True, socket_timeout=None)
    while True:
        order = r.blmove("orders", "doing", 0, "LEFT", "RIGHT")
        record("billed", order)
        r.lrem("doing", 1, order)
""",
    "mqtt": """
import asyncio, aiomqtt
from sandbox import record

def worker():
    async def main():
        async with aiomqtt.Client("localhost", identifier="w", clean_session=False) as client:
            await client.subscribe("orders", qos=1)
            async for message in client.messages:
                record("billed", message.payload.decode())
    asyncio.run(main())
""",
}


def consume(file: Path, broker: str, crash: int | None = None) -> tuple[Lab, object]:
    """Two orders and a worker, which may die; the lab, and what the world is like afterwards."""
    lab = Lab(SimulatedStack(seed=1, brokers=(broker,)), file)
    if broker == "kafka":
        lab.kafka.produce("orders", ["1", "2"])
    elif broker == "redis":
        lab.redis.execute("RPUSH", "orders", "1", "2")
    worker = lab.start("worker")
    if crash is not None:
        worker.handle.crash_at(crash)  # type: ignore[attr-defined]
    if broker == "mqtt":
        lab.sleep(0.5)
        lab.mqtt.publish("orders", ["1", "2"], qos=1)
    lab.sleep(13)
    left: object
    if broker == "kafka":
        left = lab.kafka.committed("billing", "orders")
    elif broker == "redis":
        left = lab.redis.elements("orders"), lab.redis.elements("doing")
    else:
        left = {name: each.queued for name, each in lab.mqtt.sessions().items()}
    return lab, (list(lab.recorded("billed")), left)


@pytest.mark.parametrize("broker", CONSUMERS)
def test_for_every_broker_the_points_kept_stand_for_those_left_out(
    tmp_path: Path, broker: str
) -> None:
    file = tmp_path / "exercise.py"
    file.write_text(CONSUMERS[broker], encoding="utf-8")
    lab, _ = consume(file, broker)
    stack = lab._stack
    assert isinstance(stack, SimulatedStack)
    points = stack.crash_points("worker")
    assert 5 <= len(points) <= 25, [str(point) for point in points]
    kept, stands_for = set(stack._numbers.values()), None
    for number in range(1, len(stack.processes[0].handle.crash_points) + 1):
        crashed, world = consume(file, broker, number)
        if number in kept:
            stands_for = world
        assert world == stands_for, f"crash point {number} is not the one that stands for it"
        crashed.close()
