"""Celery in a lab: idle when its work is done, killed at every moment, cleaned up by itself."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from sandbox.course.fixture import Lab
from sandbox.stack.simulated import SimulatedStack

EXERCISE = """
import time
from celery import Celery
from sandbox import record

app = Celery("shop", broker="amqp://localhost", backend="redis://localhost")
app.conf.broker_connection_retry_on_startup = True

@app.task(acks_late=True)
def ship(order):
    time.sleep(1)
    record("shipped", order)

def worker():
    # Workers that gossip hear one another's heartbeats every two seconds and are never idle.
    app.worker_main(["worker", "--pool", "solo", "--loglevel", "ERROR", "--without-gossip"])

def place(orders):
    for order in orders:
        ship.delay(order)
"""


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    file = tmp_path / "exercise.py"
    file.write_text(EXERCISE, encoding="utf-8")
    return Lab(SimulatedStack(seed=1, brokers=("rabbitmq", "redis")), file)


def test_a_world_is_idle_when_its_workers_have_nothing_to_do_but_say_that_they_live(
    lab: Lab,
) -> None:
    lab.start("worker")
    lab.sleep(1)
    lab.call("place", ["a", "b", "c"])
    assert lab.run_until_idle() == pytest.approx(4.1, abs=0.3)
    assert lab.recorded("shipped") == ["a", "b", "c"]
    lab.close()


def test_one_worker_told_to_stop_stops_alone(lab: Lab) -> None:
    one, two = lab.start("worker", name="one"), lab.start("worker", name="two")
    lab.sleep(1)
    one.signal(15)
    assert one.wait(20)
    lab.call("place", ["a", "b"])
    lab.run_until_idle()
    assert two.alive
    assert lab.recorded("shipped") == ["a", "b"]
    lab.close()


def test_a_task_acknowledged_late_survives_every_crash_of_its_worker(lab: Lab) -> None:
    def scenario(lab: Lab) -> None:
        worker = lab.start("worker", name="first")
        lab.call("place", ["a", "b"])

        def shipped() -> bool:
            return set(lab.recorded("shipped")) == {"a", "b"}

        lab.wait_until(lambda: shipped() or not worker.alive, timeout_s=20)
        if not worker.alive:
            lab.start("worker", name="second")
        assert lab.wait_until(shipped, timeout_s=60), lab.recorded("shipped")

    lab.crash_everywhere("first", scenario)
    assert int(lab.tried.split()[0]) > 10
    lab.close()


def test_what_a_dead_process_leaves_behind_is_collected_in_silence(
    lab: Lab, capfd: pytest.CaptureFixture[str]
) -> None:
    """Celery's results unsubscribe when they are destroyed: not through anybody else's socket."""
    lab.start("worker")
    lab.call("place", ["a"])
    lab.run_until_idle()
    lab.close()
    del lab
    gc.collect()
    assert "Exception ignored" not in capfd.readouterr().err
