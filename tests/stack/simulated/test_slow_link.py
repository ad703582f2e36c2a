"""A slow link delays processes of one name, each way, and nobody else."""

from __future__ import annotations

from pathlib import Path

from sandbox.course.fixture import Lab
from sandbox.stack.simulated import SimulatedStack

ASKER = """
import time
import pika

def ask():
    connection = pika.BlockingConnection(pika.ConnectionParameters("localhost"))
    began = time.monotonic()
    connection.channel().queue_declare("orders")
    return time.monotonic() - began
"""


def test_a_question_over_a_slow_link_takes_its_latency_twice(tmp_path: Path) -> None:
    file = tmp_path / "asker.py"
    file.write_text(ASKER, encoding="utf-8")
    lab = Lab(SimulatedStack(seed=1), file)
    near = lab.call("ask")

    lab.slow_link("ask", latency_s=0.25)
    far = lab.call("ask")

    assert near < 0.01
    assert 1.0 <= far < 1.01  # two questions: open a channel, declare a queue
