"""The embedded server's ports against the real servers', through the same Python clients.

Every row is one client doing one thing one after the other, as programs do; both servers do it in
turns, several times, and the medians count. Where the client is the limit the rates are close.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from time import perf_counter
from typing import Any
from uuid import uuid4

RUNS = 3
BODY = bytes(100)

#: Does something so many times at an address, and returns the seconds that took.
Work = Callable[[str], "Taken"]


@dataclass(frozen=True)
class Taken:
    """How often something was done, and how long that took."""

    times: int
    seconds: float

    @property
    def rate(self) -> float:
        """Times a second."""
        return self.times / self.seconds


def timed(times: int, act: Callable[[], object]) -> Taken:
    """Do something once, which is `times` things, and time it."""
    began = perf_counter()
    act()
    return Taken(times, perf_counter() - began)


# -- RabbitMQ, with pika ---------------------------------------------------------------------------


@contextmanager
def _amqp(url: str) -> Iterator[tuple[Any, str]]:
    import pika

    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        queue = f"bench-{uuid4().hex}"
        channel.queue_declare(queue, durable=True)
        yield channel, queue
        channel.queue_delete(queue)


def _publish_all(channel: Any, queue: str, times: int) -> None:
    for _ in range(times):
        channel.basic_publish("", queue, BODY)
    # Whatever is answered next says that all has arrived.
    channel.queue_declare(queue, durable=True, passive=True)


def amqp_publish(url: str) -> Taken:
    """Publish without confirms."""
    with _amqp(url) as (channel, queue):
        return timed(10_000, lambda: _publish_all(channel, queue, 10_000))


def amqp_consume(url: str) -> Taken:
    """Consume with a prefetch of 100, acknowledging each."""
    times = 10_000
    with _amqp(url) as (channel, queue):
        _publish_all(channel, queue, times)
        channel.basic_qos(prefetch_count=100)

        def consume() -> None:
            for number, (method, _, _) in enumerate(channel.consume(queue), 1):
                channel.basic_ack(method.delivery_tag)
                if number == times:
                    break
            channel.cancel()

        return timed(times, consume)


def amqp_confirm(url: str) -> Taken:
    """Publish persistent messages, waiting for each confirm."""
    import pika

    times = 2_000
    persistent = pika.BasicProperties(delivery_mode=2)
    with _amqp(url) as (channel, queue):
        channel.confirm_delivery()

        def publish() -> None:
            for _ in range(times):
                channel.basic_publish("", queue, BODY, persistent)

        return timed(times, publish)


# -- Redis, with redis-py --------------------------------------------------------------------------


def redis_xadd(url: str) -> Taken:
    """XADD, one after the other."""
    import redis

    with redis.Redis.from_url(url) as client:
        stream = f"bench-{uuid4().hex}"
        client.ping()
        times = 5_000
        taken = timed(times, lambda: [client.xadd(stream, {"body": BODY}) for _ in range(times)])
        client.delete(stream)
        return taken


def redis_group(url: str) -> Taken:
    """XREADGROUP of ten and an XACK for each."""
    import redis

    with redis.Redis.from_url(url) as client:
        stream = f"bench-{uuid4().hex}"
        client.xgroup_create(stream, "g", id="0", mkstream=True)
        times = 5_000
        with client.pipeline() as pipeline:
            for _ in range(times):
                pipeline.xadd(stream, {"body": BODY})
            pipeline.execute()

        def read() -> None:
            while found := client.xreadgroup("g", "c", {stream: ">"}, count=10):
                for entry, _ in found[0][1]:
                    client.xack(stream, "g", entry)

        taken = timed(times, read)
        client.delete(stream)
        return taken


# -- Kafka, with kafka-python and aiokafka ---------------------------------------------------------


def kafka_produce(address: str) -> Taken:
    """Produce with acks=all, batched as kafka-python does by itself."""
    from kafka import KafkaProducer

    times = 20_000
    producer = KafkaProducer(bootstrap_servers=address, acks="all")
    topic = f"bench-{uuid4().hex}"
    producer.send(topic, BODY).get(60)

    def produce() -> None:
        for _ in range(times):
            producer.send(topic, BODY)
        producer.flush()

    taken = timed(times, produce)
    producer.close()
    return taken


def kafka_consume(address: str) -> Taken:
    """Consume from the beginning with kafka-python."""
    from kafka import KafkaConsumer, KafkaProducer

    times = 20_000
    topic = f"bench-{uuid4().hex}"
    producer = KafkaProducer(bootstrap_servers=address, acks="all")
    for _ in range(times + 1):
        producer.send(topic, BODY)
    producer.flush()
    producer.close()
    consumer = KafkaConsumer(topic, bootstrap_servers=address, auto_offset_reset="earliest")
    next(consumer)
    taken = timed(times, lambda: [next(consumer) for _ in range(times)])
    consumer.close()
    return taken


def aiokafka_produce(address: str) -> Taken:
    """Produce with aiokafka, waiting for each."""
    import asyncio

    from aiokafka import AIOKafkaProducer

    times = 2_000

    async def produce() -> Taken:
        async with AIOKafkaProducer(bootstrap_servers=address, acks="all") as producer:
            topic = f"bench-{uuid4().hex}"
            await producer.send_and_wait(topic, BODY)
            began = perf_counter()
            for _ in range(times):
                await producer.send_and_wait(topic, BODY)
            return Taken(times, perf_counter() - began)

    return asyncio.run(produce())


# -- MQTT, with paho -------------------------------------------------------------------------------


def mqtt_round_trip(address: str) -> Taken:
    """Publish with QoS 1 and hear it oneself, one after the other."""
    import queue
    import socket
    from urllib.parse import urlsplit

    from paho.mqtt import client as paho

    times = 2_000
    parts = urlsplit(address)
    heard: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    subscribed: queue.SimpleQueue[bool] = queue.SimpleQueue()
    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    client.on_message = lambda _c, _u, message: heard.put(message.payload)
    client.on_subscribe = lambda *_: subscribed.put(True)
    client.connect(parts.hostname or "", parts.port or 1883)
    # Else a publish waits until the server's system confirms the acknowledgement before it: 40 ms.
    client.socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client.loop_start()
    topic = f"bench/{uuid4().hex}"
    client.subscribe(topic, qos=1)
    subscribed.get(timeout=60)

    def publish() -> None:
        for _ in range(times):
            client.publish(topic, BODY, qos=1)
            heard.get(timeout=60)

    taken = timed(times, publish)
    client.disconnect()
    client.loop_stop()
    return taken


ROWS: dict[str, list[tuple[str, Work]]] = {
    "rabbitmq": [
        ("pika: publish", amqp_publish),
        ("pika: consume and ack", amqp_consume),
        ("pika: confirmed publish", amqp_confirm),
    ],
    "redis": [
        ("redis-py: XADD", redis_xadd),
        ("redis-py: XREADGROUP, XACK", redis_group),
    ],
    "kafka": [
        ("kafka-python: produce", kafka_produce),
        ("kafka-python: consume", kafka_consume),
        ("aiokafka: produce, each awaited", aiokafka_produce),
    ],
    "mqtt": [("paho: QoS 1 round trip", mqtt_round_trip)],
}


def real_servers(stack: ExitStack) -> dict[str, str]:
    """Start what real servers can be had here; their addresses by broker."""
    from sandbox.native.errors import ServerUnavailable
    from sandbox.native.kafka import Kafka
    from sandbox.native.mosquitto import Mosquitto
    from sandbox.native.rabbitmq import RabbitMQ
    from sandbox.native.redis import Redis

    found = {}
    try:
        found["rabbitmq"] = stack.enter_context(RabbitMQ()).amqp_url
    except ServerUnavailable as reason:
        print(f"  no real RabbitMQ: {reason}")
    for name, make, form in (
        ("redis", Redis, "redis://{}/0"),
        ("kafka", Kafka, "{}"),
        ("mqtt", Mosquitto, "mqtt://{}"),
    ):
        try:
            found[name] = form.format(stack.enter_context(make()).address)
        except ServerUnavailable as reason:
            print(f"  no real {make.title}: {reason}")
    return found


def main() -> None:
    """Print a line for each thing that was done: both rates, and ours divided by theirs."""
    from sandbox.embedded import ServerProcess

    with ExitStack() as stack:
        real = real_servers(stack)
        began = perf_counter()
        embedded = stack.enter_context(ServerProcess())
        print(f"  embedded: listening after {perf_counter() - began:.2f} s (at most 1)", end="")
        with suppress(OSError):
            print(f", {_memory_mb(embedded.pid):.0f} MB idle (at most 100)", end="")
        print("\n  things a second                       embedded      real    ratio (at least 1)")
        for name, rows in ROWS.items():
            for title, work in rows:
                _compare(title, work, embedded.url(name), real.get(name))
        with suppress(OSError):
            print(f"  embedded: {_memory_mb(embedded.pid):.0f} MB afterwards")


def _compare(title: str, work: Work, ours: str, theirs: str | None) -> None:
    our_rates, their_rates = [], []
    for _ in range(RUNS):
        our_rates.append(work(ours).rate)
        if theirs is not None:
            their_rates.append(work(theirs).rate)
    our_rate = statistics.median(our_rates)
    line = f"  {title:<34} {our_rate:10.0f}"
    if their_rates:
        their_rate = statistics.median(their_rates)
        line += f" {their_rate:9.0f} {our_rate / their_rate:8.2f}"
    print(line, flush=True)


def _memory_mb(pid: int) -> float:
    import psutil

    return float(psutil.Process(pid).memory_info().rss) / 1e6
