"""Clients as released, over TCP, against three brokers of which one dies."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.brokers.kafka.tcp import Carrier, carried

COUNT = 30
#: Far longer than anything here takes; only a failure waits so long.
PATIENCE_S = 120


@pytest.fixture
def carrier() -> Iterator[Carrier]:
    with carried(3, configs={"broker.session.timeout.ms": "1000"}) as carrier:
        first = carrier.cluster.brokers[1]
        carrier.do(lambda: first.admin_create_topic("orders", 3, 3))
        yield carrier


def kill_the_leader(carrier: Carrier) -> None:
    carrier.crash(carrier.cluster.topics["orders"].partitions[0].leader)


def with_kafka_python(carrier: Carrier, kill: Callable[[], None]) -> set[int]:
    from kafka import KafkaConsumer, KafkaProducer

    producer = KafkaProducer(bootstrap_servers=carrier.addresses, acks="all")
    for n in range(COUNT):
        producer.send("orders", b"%d" % n, partition=n % 3).get(PATIENCE_S)
        if n == COUNT // 2:
            kill()
    producer.close()
    consumer = KafkaConsumer(
        "orders",
        bootstrap_servers=carrier.addresses,
        group_id="billing",
        auto_offset_reset="earliest",
    )
    seen: set[int] = set()
    end = time.monotonic() + PATIENCE_S
    while len(seen) < COUNT and time.monotonic() < end:
        for records in consumer.poll(timeout_ms=1000).values():
            seen |= {int(record.value) for record in records}
    consumer.close()
    return seen


def with_aiokafka(carrier: Carrier, kill: Callable[[], None]) -> set[int]:
    from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

    async def main() -> set[int]:
        producer = AIOKafkaProducer(
            bootstrap_servers=carrier.addresses, acks="all", enable_idempotence=True
        )
        await producer.start()
        for n in range(COUNT):
            await producer.send_and_wait("orders", b"%d" % n, partition=n % 3)
            if n == COUNT // 2:
                kill()
        await producer.stop()
        consumer = AIOKafkaConsumer(
            "orders",
            bootstrap_servers=carrier.addresses,
            group_id="billing",
            auto_offset_reset="earliest",
        )
        await consumer.start()
        seen: set[int] = set()
        while len(seen) < COUNT:
            seen.add(int((await consumer.getone()).value))
        await consumer.stop()
        return seen

    return asyncio.run(asyncio.wait_for(main(), PATIENCE_S))


def with_librdkafka(carrier: Carrier, kill: Callable[[], None]) -> set[int]:
    from confluent_kafka import Consumer, Producer

    servers = ",".join(carrier.addresses)
    quiet = {"bootstrap.servers": servers, "log_level": 0}
    producer = Producer({**quiet, "acks": "all", "enable.idempotence": True})
    refused: list[Any] = []
    for n in range(COUNT):
        producer.produce(
            "orders",
            b"%d" % n,
            partition=n % 3,
            on_delivery=lambda error, _: refused.append(error) if error else None,
        )
        producer.flush(PATIENCE_S)
        if n == COUNT // 2:
            kill()
    assert not refused
    consumer = Consumer({**quiet, "group.id": "billing", "auto.offset.reset": "earliest"})
    consumer.subscribe(["orders"])
    seen: set[int] = set()
    end = time.monotonic() + PATIENCE_S
    while len(seen) < COUNT and time.monotonic() < end:
        message = consumer.poll(1)
        if message is not None and message.error() is None:
            seen.add(int(message.value()))
    consumer.close()
    return seen


LIBRARIES = {
    "kafka": with_kafka_python,
    "aiokafka": with_aiokafka,
    "confluent_kafka": with_librdkafka,
}


@pytest.mark.needs_os
@pytest.mark.parametrize("library", LIBRARIES)
def test_a_client_loses_nothing_when_the_leader_dies(carrier: Carrier, library: str) -> None:
    pytest.importorskip(library)
    seen = LIBRARIES[library](carrier, lambda: kill_the_leader(carrier))
    assert seen == set(range(COUNT))
    assert carrier.cluster.topics["orders"].partitions[0].leader_epoch > 0


@pytest.mark.needs_os
def test_librdkafka_commits_and_aborts_transactions_on_three_brokers(carrier: Carrier) -> None:
    confluent = pytest.importorskip("confluent_kafka")
    settings = {"bootstrap.servers": ",".join(carrier.addresses), "log_level": 0}
    producer = confluent.Producer({**settings, "transactional.id": "shop"})
    producer.init_transactions(PATIENCE_S)
    for name in (b"first", b"aborted", b"second"):
        producer.begin_transaction()
        for partition in range(3):
            producer.produce("orders", name, partition=partition)
        if name == b"aborted":
            producer.flush(PATIENCE_S)
            producer.abort_transaction(PATIENCE_S)
        else:
            producer.commit_transaction(PATIENCE_S)
    consumer = confluent.Consumer(
        {**settings, "group.id": "billing", "auto.offset.reset": "earliest"}
    )
    consumer.subscribe(["orders"])
    seen: list[bytes] = []
    end = time.monotonic() + PATIENCE_S
    while len(seen) < 6 and time.monotonic() < end:
        message = consumer.poll(1)
        if message is not None and message.error() is None:
            seen.append(message.value())
    consumer.close()
    assert sorted(seen) == [b"first"] * 3 + [b"second"] * 3
