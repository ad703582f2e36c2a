"""What worlds know of client libraries' insides is there, in the versions installed."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.sim.standins import libraries_
from sandbox.stack.simulated import SimulatedStack
from sandbox.stack.simulated.imports import LATER

PLACES = [
    *((place, name) for place, names in libraries_.OWN.items() for name in names),
    *((place, name) for place, names in libraries_.CONTENTS.items() for name in names),
    *((place, "__del__") for place in libraries_.DESTRUCTORS),
    *((place, "time") for place in libraries_.POLLERS),
    ("aiokafka.producer.message_accumulator:BatchBuilder", "append"),
    ("celery.result:ResultSet", "_iter_meta"),
]


@pytest.mark.parametrize(("place", "name"), PLACES)
def test_every_name_in_the_tables_exists(place: str, name: str) -> None:
    module, _, owner = place.partition(":")
    found = importlib.import_module(module)
    assert hasattr(getattr(found, owner) if owner else found, name)


@pytest.mark.parametrize(
    "module", [*libraries_.NAMES, *(m for each in LATER.values() for m in each)]
)
def test_every_module_that_is_named_can_be_imported(module: str) -> None:
    importlib.import_module(module)


COUNTER = """
from kafka import KafkaProducer
from sandbox import record

def name():
    with KafkaProducer(bootstrap_servers="localhost:9092") as producer:
        record("name", producer.config["client_id"])
"""


def test_producers_are_numbered_by_their_process(tmp_path: Path) -> None:
    file = tmp_path / "exercise.py"
    file.write_text(COUNTER, encoding="utf-8")
    stack = SimulatedStack(seed=1, brokers=("kafka",))
    for _ in range(2):
        stack.start_function(file, "name")
    stack.run_until_idle(60)
    assert stack.recorded("name") == ["kafka-python-producer-1", "kafka-python-producer-1"]


POOLS = """
from kombu import Connection
from kombu.pools import connections
from sandbox import record

def work(name):
    with connections[Connection("amqp://localhost")].acquire(block=True) as connection:
        connection.connect()
        record(name, connection.connection.sock.fileno() >= 0)
        connection.SimpleQueue("jobs").put(name)
"""


def test_a_pool_of_connections_is_no_other_processs(tmp_path: Path) -> None:
    file = tmp_path / "exercise.py"
    file.write_text(POOLS, encoding="utf-8")
    stack = SimulatedStack(seed=1, brokers=("rabbitmq",))
    one = stack.start_function(file, "work", ["one"])
    assert one.wait(60)
    two = stack.start_function(file, "work", ["two"])
    assert two.wait(60)
    assert [one.traceback, two.traceback] == ["", ""]
    stack.sleep(1)
    assert stack.rabbitmq.published("jobs") == [b"one", b"two"]
    connects = [event["to"] for event in stack.events("net.connect")]
    assert connects == ["rabbitmq", "rabbitmq"]


OTHER_VERSION = """
import sys, types

for name in ("kafka", "kafka.producer"):
    sys.modules[name] = types.ModuleType(name)
module = types.ModuleType("kafka.producer.kafka")
sys.modules[module.__name__] = module
sys.modules["celery.utils.timer2"] = types.ModuleType("celery.utils.timer2")

from sandbox.sim import standins
from sandbox.sim.world import World

world = World(seed=1)
process = world.start_function(lambda: 3)
world.run()
assert process.result == 3
"""


def test_a_library_that_lacks_a_name_is_passed_over() -> None:
    subprocess.run([sys.executable, "-c", OTHER_VERSION], check=True, timeout=60)
