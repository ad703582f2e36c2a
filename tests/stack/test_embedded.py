"""The embedded stack: an exercise as a process, on a server that is started for it.

What the live stack promises is tested with `make test-live`, and holds here as the code is the
same; this is about the server.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.stack import open_stack
from sandbox.stack.base import Stack

PATIENCE_S = 60

EXERCISE = """
import pika, redis
from sandbox import record

def worker():
    seen = redis.Redis()
    channel = pika.BlockingConnection(pika.ConnectionParameters("localhost")).channel()
    channel.queue_declare("orders")

    def on_order(channel, method, properties, body):
        if seen.sadd("shipped", body):
            record("shipped", body.decode())
        channel.basic_ack(method.delivery_tag)

    channel.basic_consume("orders", on_order)
    channel.start_consuming()
"""


@pytest.fixture
def stack() -> Iterator[Stack]:
    stack = open_stack("embedded", seed=1, brokers=["rabbitmq", "redis"])
    yield stack
    stack.close()


def test_an_exercise_runs_on_the_sandboxs_own_brokers_over_tcp(
    stack: Stack, tmp_path: Path
) -> None:
    file = tmp_path / "shop.py"
    file.write_text(EXERCISE)
    orders = [b"order-%d" % number for number in range(5)]
    stack.rabbitmq.publish("orders", [*orders, orders[0]])
    worker = stack.start_function(file, "worker")
    assert stack.run_until(lambda: stack.rabbitmq.acked("orders") != [], PATIENCE_S), worker.output
    stack.run_until_idle(PATIENCE_S)
    assert stack.recorded("shipped") == [order.decode() for order in orders]
    assert stack.rabbitmq.acked("orders") == [*orders, orders[0]]
    assert stack.rabbitmq.published("orders") == [*orders, orders[0]]
    assert stack.redis.execute("SCARD", "shipped") == 5
    assert stack.name == "embedded"


def test_every_run_begins_with_empty_brokers(stack: Stack) -> None:
    stack.rabbitmq.publish("orders", [b"left over"])
    stack.redis.execute("SET", "left", "over")
    fresh = stack.fresh()
    try:
        assert not fresh.rabbitmq.exists("orders")
        assert fresh.redis.execute("DBSIZE") == 0
    finally:
        fresh.close()
