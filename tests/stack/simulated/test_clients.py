"""Unmodified client libraries as programs of a world: they work, and every run is the same.

The same within an interpreter, and in another one whose hashes of texts differ.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
PLAY = HERE / "programs" / "play.py"


def play(brokers: str, *programs: str) -> list[str]:
    """What the programs printed, the same in four worlds of two interpreters."""
    root = str(HERE.parents[2])
    running = [
        subprocess.Popen(
            [sys.executable, str(PLAY), brokers, *programs],
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": root},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for seed in ("7", "8")
    ]
    worlds: list[dict[str, Any]] = []
    for process in running:
        out, err = process.communicate(timeout=300)
        assert process.returncode == 0, err
        worlds += json.loads(out)
    first = worlds[0]
    for world in worlds[1:]:
        assert world["outputs"] == first["outputs"]
        assert world["trace"] == first["trace"], "the same output, but another trace"
    return list(first["outputs"])


def test_kafka_python_creates_topics_produces_and_consumes_in_two_members_of_a_group() -> None:
    admin, one, two, producer = play(
        "kafka", "kafka_admin.py", "kafka_consumer.py", "kafka_consumer.py", "kafka_producer.py"
    )
    assert admin == "['audit', 'billing', 'mails', 'orders']\n"
    assert producer == "sent\n"
    lines = [line.split() for line in (one + two).splitlines()]
    topics = ("orders", "mails", "audit", "billing")
    assert sorted((topic, value) for topic, _, _, value in lines) == sorted(
        (topic, str(number)) for topic in topics for number in range(4)
    )
    places = {value: partition for topic, partition, _, value in lines if topic == "orders"}
    assert all(places[value] == partition for _, partition, _, value in lines)
    assert {line.split()[1] for line in one.splitlines()}.isdisjoint(
        {line.split()[1] for line in two.splitlines()}
    )


def test_aiokafka_produces_and_consumes() -> None:
    _, both = play("kafka", "kafka_admin.py", "aiokafka_both.py")
    assert sorted(line.split()[::2] for line in both.splitlines()) == sorted(
        [topic, str(number)]
        for topic in ("orders", "mails", "audit", "billing")
        for number in range(4)
    )


def test_redis_py_subscribes_waits_locks_and_shares_a_stream_in_threads_and_tasks() -> None:
    threads, tasks = play("redis", "redis_threads.py", "redis_tasks.py")
    assert threads.splitlines() == [
        "heard subscribe 1",
        "heard message hello",
        "heard message stop",
        "['0', '1', '2', '3', '4']",
        "['1', '2', '3', '4']",
        "[True, 2]",
        "locked",
        "('jobs', 'job-1') 2",
    ]
    assert sorted(line.split()[1] for line in tasks.splitlines()) == list("012345")


def test_paho_publishes_and_subscribes_with_a_thread_of_its_own() -> None:
    (both,) = play("mqtt", "paho_both.py")
    assert both.splitlines() == [
        "('orders/0', 'order-0', 0)",
        "('orders/1', 'order-1', 1)",
        "('orders/2', 'order-2', 1)",
        "('orders/3', 'order-3', 0)",
    ]


def test_aiomqtt_receives_what_another_task_publishes_with_qos_2() -> None:
    (both,) = play("mqtt", "aiomqtt_both.py")
    topic = "rooms/kitchen/temperature"
    assert both == f"{[(topic, 20, 2), (topic, 21, 2), (topic, 22, 2)]}\n"


def test_aio_pika_and_kombu_publish_and_consume() -> None:
    aio_pika, kombu = play("rabbitmq,redis", "aio_pika_both.py", "kombu_both.py")
    assert aio_pika.split() == ["0", "1", "2"]
    assert kombu == "[0, 1, 2] [0, 1, 2]\n"


def test_celery_works_over_rabbitmq_with_results_in_redis() -> None:
    worker, client = play("rabbitmq,redis", "celery_worker.py", "celery_client.py")
    assert client.splitlines() == [
        "PENDING 8 SUCCESS",
        "[7, 2]",
        "3 30",
        "13",
        "[0, 2, 4, 6]",
    ]
    assert worker.count("retry: Retry in 5s") == 2


def test_celery_works_over_redis_alone_with_a_pool_of_threads() -> None:
    _, client = play("redis", "redis_celery_worker.py", "redis_celery_client.py")
    assert client.splitlines() == ["[1, 2, 3]", "3 30"]


@pytest.mark.parametrize("library", ["kafka", "aiokafka", "redis", "celery"])
def test_a_library_is_not_changed_for_programs_outside_worlds(library: str) -> None:
    program = f"""
import sys
from sandbox.stack.simulated.imports import import_before
import_before("import {library}", None)
assert {library!r} in sys.modules
if {library!r} == "kafka":
    from kafka.producer.kafka import PRODUCER_CLIENT_ID_SEQUENCE as numbers
    assert [numbers.increment(), numbers.increment()] == [1, 2]
if {library!r} == "celery":
    from celery import signals
    called = []
    receiver = lambda **_: called.append(1)
    signals.task_prerun.connect(receiver, weak=False)
    signals.task_prerun.send(None)
    assert called == [1]
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)
