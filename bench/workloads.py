"""What the brokers are measured with: small programs that run anywhere, unchanged.

Each is an ordinary client program. It calls `mark()` twice, around what counts; its name and how
many messages that is are the table's. Addresses come from the environment, so that the same text
runs against a real server, against the embedded one, and in a simulated world, where they are the
usual ones.
"""

from __future__ import annotations

from dataclasses import dataclass

PRELUDE = """
import os, sys, time

def mark():
    print("mark", time.perf_counter(), flush=True)

AMQP = os.environ.get("BENCH_AMQP", "amqp://guest:guest@localhost:5672/")
KAFKA = os.environ.get("BENCH_KAFKA", "localhost:9092")
REDIS = os.environ.get("BENCH_REDIS", "redis://localhost:6379/0")
MQTT_PORT = int(os.environ.get("BENCH_MQTT", "1883"))
NAME = f"bench-{os.getpid()}"
"""

PIKA = """
import pika
channel = pika.BlockingConnection(pika.URLParameters(AMQP)).channel()
channel.queue_declare(NAME, auto_delete=True)
"""

PUBLISH = """
mark()
for number in range({n}):
    channel.basic_publish("", NAME, b"order-%d" % number)
channel.queue_declare(NAME, passive=True)
mark()
"""

CONSUME = """
for number in range({n}):
    channel.basic_publish("", NAME, b"order-%d" % number)
channel.queue_declare(NAME, passive=True)
channel.basic_qos(prefetch_count=100)
mark()
for done, (method, _, _) in enumerate(channel.consume(NAME), 1):
    channel.basic_ack(method.delivery_tag)
    if done == {n}:
        break
mark()
"""

CONFIRMED = """
channel.confirm_delivery()
mark()
for number in range({n}):
    channel.basic_publish("", NAME, b"order-%d" % number)
mark()
"""

KAFKA_PRODUCE = """
from kafka import KafkaProducer
producer = KafkaProducer(bootstrap_servers=KAFKA)
producer.send(NAME, b"first").get(30)
mark()
for number in range({n}):
    producer.send(NAME, b"order-%d" % number)
producer.flush()
mark()
producer.close()
"""

KAFKA_CONSUME = """
from kafka import KafkaConsumer, KafkaProducer
producer = KafkaProducer(bootstrap_servers=KAFKA)
for number in range({n}):
    producer.send(NAME, b"order-%d" % number)
producer.flush()
producer.close()
consumer = KafkaConsumer(NAME, bootstrap_servers=KAFKA, auto_offset_reset="earliest")
next(consumer)
mark()
for _ in range({n} - 1):
    next(consumer)
mark()
consumer.close()
"""

AIOKAFKA_PRODUCE = """
import asyncio
from aiokafka import AIOKafkaProducer

async def main():
    producer = AIOKafkaProducer(bootstrap_servers=KAFKA)
    await producer.start()
    await producer.send_and_wait(NAME, b"first")
    mark()
    for number in range({n}):
        await producer.send(NAME, b"order-%d" % number)
    await producer.flush()
    mark()
    await producer.stop()

asyncio.run(main())
"""

AIOKAFKA_CONSUME = """
import asyncio
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

async def main():
    producer = AIOKafkaProducer(bootstrap_servers=KAFKA)
    await producer.start()
    for number in range({n}):
        await producer.send(NAME, b"order-%d" % number)
    await producer.flush()
    await producer.stop()
    consumer = AIOKafkaConsumer(NAME, bootstrap_servers=KAFKA, auto_offset_reset="earliest")
    await consumer.start()
    await consumer.getone()
    mark()
    for _ in range({n} - 1):
        await consumer.getone()
    mark()
    await consumer.stop()

asyncio.run(main())
"""

REDIS_CLIENT = """
import redis
client = redis.Redis.from_url(REDIS)
"""

XADD = """
client.ping()
mark()
for number in range({n}):
    client.xadd(NAME, {{"order": number}})
mark()
client.delete(NAME)
"""

XREADGROUP = """
pipe = client.pipeline(transaction=False)
for number in range({n}):
    pipe.xadd(NAME, {{"order": number}})
pipe.execute()
client.xgroup_create(NAME, "workers", id="0")
mark()
done = 0
while done < {n}:
    for _, entries in client.xreadgroup("workers", "one", {{NAME: ">"}}, count=10):
        for id, _ in entries:
            client.xack(NAME, "workers", id)
            done += 1
mark()
client.delete(NAME)
"""

MQTT = """
import queue
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

arrived = queue.Queue()
client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=NAME)
client.on_message = lambda client, data, message: arrived.put(message)
client.on_subscribe = lambda *about: arrived.put(None)
client.connect("localhost", MQTT_PORT)
client.loop_start()
client.subscribe(NAME, qos=1)
arrived.get()
mark()
for number in range({n}):
    client.publish(NAME, b"order-%d" % number, qos=1)
    arrived.get()
mark()
client.disconnect()
client.loop_stop()
"""


@dataclass(frozen=True)
class Workload:
    """One program, the broker it talks to, and how many messages it counts."""

    name: str
    broker: str
    source: str
    messages: int

    @property
    def program(self) -> str:
        """Its text, ready to run."""
        return PRELUDE + self.source.format(n=self.messages)


WORKLOADS = (
    Workload("pika: publish", "rabbitmq", PIKA + PUBLISH, 10_000),
    Workload("pika: consume and ack", "rabbitmq", PIKA + CONSUME, 10_000),
    Workload("pika: publish, confirmed", "rabbitmq", PIKA + CONFIRMED, 3_000),
    Workload("kafka-python: produce", "kafka", KAFKA_PRODUCE, 10_000),
    Workload("kafka-python: consume", "kafka", KAFKA_CONSUME, 10_000),
    Workload("aiokafka: produce", "kafka", AIOKAFKA_PRODUCE, 10_000),
    Workload("aiokafka: consume", "kafka", AIOKAFKA_CONSUME, 10_000),
    Workload("redis-py: XADD", "redis", REDIS_CLIENT + XADD, 5_000),
    Workload("redis-py: XREADGROUP, XACK", "redis", REDIS_CLIENT + XREADGROUP, 5_000),
    Workload("paho: QoS 1 round trip", "mqtt", MQTT, 2_000),
)
