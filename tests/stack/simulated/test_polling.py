"""A program that keeps asking for messages waits for them: it neither works nor is it stuck."""

from __future__ import annotations

from pathlib import Path

from sandbox.course.fixture import Lab
from sandbox.stack.simulated import SimulatedStack

POLLER = """
import pika
from sandbox import record

def worker():
    connection = pika.BlockingConnection(pika.ConnectionParameters("localhost"))
    channel = connection.channel()
    while True:
        method, properties, body = channel.basic_get("orders", auto_ack=True)
        if method is None:
            connection.sleep(0.5)
        else:
            record("shipped", body.decode())
"""


def test_a_worker_that_polls_an_empty_queue_is_idle(tmp_path: Path) -> None:
    file = tmp_path / "poller.py"
    file.write_text(POLLER, encoding="utf-8")
    lab = Lab(SimulatedStack(seed=1), file)
    lab.rabbitmq.publish("orders", ["order-1"])
    worker = lab.start("worker")

    last = lab.run_until_idle()

    assert lab.recorded("shipped") == ["order-1"]
    assert last < 1
    assert worker.alive


def test_a_worker_that_polls_still_takes_what_comes_later(tmp_path: Path) -> None:
    file = tmp_path / "poller.py"
    file.write_text(POLLER, encoding="utf-8")
    lab = Lab(SimulatedStack(seed=1), file)
    lab.rabbitmq.declare("orders")
    lab.start("worker")
    lab.run_until_idle()

    lab.rabbitmq.publish("orders", ["order-2"])
    lab.run_until_idle()

    assert lab.recorded("shipped") == ["order-2"]
