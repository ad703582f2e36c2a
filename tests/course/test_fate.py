"""What became of a message: every end it can meet, in words, with the line that did it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.course.fate import fate
from sandbox.course.fixture import Lab
from sandbox.stack.simulated import SimulatedStack

SOURCE = """import pika

def worker():
    connection = pika.BlockingConnection(pika.ConnectionParameters("localhost"))
    channel = connection.channel()
    channel.basic_consume("orders", on_message_callback=on_order{options})
    channel.start_consuming()

def on_order(channel, method, properties, body):
    if body == b"order-2":
        {reaction}
"""


def lab_after(tmp_path: Path, reaction: str, options: str = "") -> Lab:
    file = tmp_path / "ship.py"
    file.write_text(SOURCE.format(reaction=reaction, options=options), encoding="utf-8")
    lab = Lab(SimulatedStack(seed=1), file)
    lab.rabbitmq.publish("orders", ["order-1", "order-2"])
    lab.start("worker")
    lab.run_until_idle()
    return lab


@pytest.mark.parametrize(
    ("reaction", "sentence", "line"),
    [
        (
            "channel.basic_ack(method.delivery_tag)",
            r"`worker` acknowledged it at t = 0\.\d{3} s",
            11,
        ),
        (
            "channel.basic_ack(2, multiple=True)",
            r"`worker` acknowledged it at t = 0\.\d{3} s, with everything up to delivery tag 2 "
            r"\(multiple=True\)",
            11,
        ),
        (
            "channel.basic_nack(method.delivery_tag, requeue=False)",
            r"`worker` refused it at t = 0\.\d{3} s with requeue=False, which throws it away",
            11,
        ),
    ],
)
def test_a_settled_message_names_who_settled_it_when_and_where(
    tmp_path: Path, reaction: str, sentence: str, line: int
) -> None:
    lab = lab_after(tmp_path, reaction)

    told, quoted = lab.rabbitmq.fate("orders", "order-2").splitlines()

    assert_matches(told, sentence)
    assert quoted == f"  ship.py:{line}  {reaction}"


def test_a_message_that_needed_no_acknowledgement_was_forgotten_on_its_way(tmp_path: Path) -> None:
    lab = lab_after(tmp_path, "pass", options=", auto_ack=True")

    told, quoted = lab.rabbitmq.fate("orders", "order-2").splitlines()

    assert_matches(
        told, r"RabbitMQ forgot it at t = 0\.\d{3} s, the moment it handed it to `worker`"
    )
    assert "ship.py:6" in quoted
    assert "auto_ack=True" in quoted


def test_an_outstanding_message_is_held_by_somebody(tmp_path: Path) -> None:
    lab = lab_after(tmp_path, "pass")

    assert_matches(
        lab.rabbitmq.fate("orders", "order-2"), r"`worker` has held it, unacknowledged, since t = 0"
    )


def test_a_message_whose_worker_died_waits_in_the_queue(tmp_path: Path) -> None:
    lab = lab_after(tmp_path, "raise SystemExit")

    assert_matches(
        lab.rabbitmq.fate("orders", "order-2"), r"it went back to the queue at t = 0\.\d{3} s"
    )


def test_a_message_nobody_consumes_and_one_nobody_published(tmp_path: Path) -> None:
    lab = lab_after(tmp_path, "pass")
    lab.rabbitmq.publish("returns", ["order-3"])

    assert lab.rabbitmq.fate("returns", "order-3") == "no worker was ever given it"
    assert lab.rabbitmq.fate("orders", "order-9") == "it was never published to `orders`"


def test_nothing_is_told_where_there_is_no_trace(tmp_path: Path) -> None:
    def no_trace(kind: str) -> list[dict[str, object]]:
        raise NotImplementedError

    assert fate(no_trace, tmp_path / "ship.py", "orders", b"order-1") == ""  # type: ignore[arg-type]


def assert_matches(text: str, pattern: str) -> None:
    import re

    assert re.match(pattern, text), text
