"""Programs written for the real servers, with their client libraries as released."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import pika
import pika.exceptions
import pytest
import redis

from sandbox.embedded import Server, ServerProcess

PATIENCE_S = 60


@pytest.fixture
def name() -> str:
    """A name that no other test uses."""
    return f"t-{uuid.uuid4().hex[:12]}"


def test_pika_publishes_with_confirms_and_consumes(server: ServerProcess, name: str) -> None:
    with pika.BlockingConnection(pika.URLParameters(server.url("rabbitmq"))) as connection:
        channel = connection.channel()
        channel.queue_declare(name)
        channel.confirm_delivery()
        for number in range(200):
            channel.basic_publish("", name, b"%d" % number)
        seen = []
        for method, _, body in channel.consume(name, inactivity_timeout=PATIENCE_S):
            assert body is not None
            seen.append(int(body))
            channel.basic_ack(method.delivery_tag)
            if len(seen) == 200:
                break
        channel.queue_delete(name)
    assert seen == list(range(200))


def test_aio_pika_works_as_documented(server: ServerProcess, name: str) -> None:
    import aio_pika

    async def conversation() -> list[bytes]:
        connection = await aio_pika.connect_robust(server.url("rabbitmq"))
        async with connection:
            channel = await connection.channel()
            await channel.set_qos(prefetch_count=10)
            queue = await channel.declare_queue(name, auto_delete=True)
            exchange = await channel.declare_exchange(f"{name}-x", "topic", auto_delete=True)
            await queue.bind(exchange, "orders.#")
            for number in range(20):
                await exchange.publish(aio_pika.Message(b"%d" % number), f"orders.{number}")
            seen = []
            async with queue.iterator(timeout=PATIENCE_S) as messages:
                async for message in messages:
                    async with message.process():
                        seen.append(message.body)
                    if len(seen) == 20:
                        break
            return seen

    assert asyncio.run(conversation()) == [b"%d" % number for number in range(20)]


def test_kombu_produces_consumes_and_requeues(server: ServerProcess, name: str) -> None:
    from kombu import Connection

    with Connection(server.url("rabbitmq")) as connection:
        queue = connection.SimpleQueue(name)
        for number in range(10):
            queue.put({"n": number})
        first = queue.get(timeout=PATIENCE_S)
        assert first.payload == {"n": 0}
        first.requeue()
        seen = []
        while len(seen) < 10:
            message = queue.get(timeout=PATIENCE_S)
            seen.append(message.payload["n"])
            message.ack()
        queue.close()
    assert sorted(seen) == list(range(10))


def test_redis_py_pipelines_blocks_subscribes_and_reads_groups(
    server: ServerProcess, name: str
) -> None:
    client = redis.Redis.from_url(server.url("redis"), decode_responses=True)
    with client.pipeline() as pipeline:
        for number in range(500):
            pipeline.rpush(name, number)
        assert pipeline.execute()[-1] == 500
    assert client.blpop([name], timeout=5) == (name, "0")
    subscription = client.pubsub()
    subscription.subscribe(name)
    subscribed = subscription.get_message(timeout=PATIENCE_S)
    assert subscribed is not None
    assert subscribed["type"] == "subscribe"
    assert client.publish(name, "hello") == 1
    told = subscription.get_message(timeout=PATIENCE_S)
    assert told is not None
    assert told["data"] == "hello"
    subscription.close()
    stream = f"{name}-s"
    client.xgroup_create(stream, "g", id="0", mkstream=True)
    client.xadd(stream, {"n": 1})
    [[_, [(entry, fields)]]] = client.xreadgroup("g", "c", {stream: ">"}, block=5000)
    assert fields == {"n": "1"}
    assert client.xack(stream, "g", entry) == 1
    client.delete(name, stream)
    client.close()


def test_redis_py_asyncio_waits_for_what_another_client_sends(
    server: ServerProcess, name: str
) -> None:
    import redis.asyncio

    async def conversation() -> object:
        url = server.url("redis")
        async with redis.asyncio.from_url(url) as waiting, redis.asyncio.from_url(url) as sending:
            popped = asyncio.ensure_future(waiting.blpop([name], timeout=PATIENCE_S / 2))
            await sending.ping()
            await sending.rpush(name, "late")
            return await popped

    assert asyncio.run(conversation()) == (name.encode(), b"late")


def test_kafka_python_produces_and_consumes_in_a_group(server: ServerProcess, name: str) -> None:
    from kafka import KafkaConsumer, KafkaProducer

    address = server.url("kafka")
    producer = KafkaProducer(bootstrap_servers=address, acks="all")
    for number in range(50):
        producer.send(name, b"%d" % number)
    producer.flush(PATIENCE_S)
    producer.close()
    consumer = KafkaConsumer(
        name,
        bootstrap_servers=address,
        group_id=name,
        auto_offset_reset="earliest",
        consumer_timeout_ms=PATIENCE_S * 1000,
    )
    seen = [next(consumer).value for _ in range(50)]
    consumer.commit()
    consumer.close()
    assert seen == [b"%d" % number for number in range(50)]


def test_aiokafka_produces_and_consumes(server: ServerProcess, name: str) -> None:
    from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

    async def conversation() -> list[bytes]:
        address = server.url("kafka")
        async with AIOKafkaProducer(bootstrap_servers=address) as producer:
            for number in range(20):
                await producer.send_and_wait(name, b"%d" % number)
        async with AIOKafkaConsumer(
            name, bootstrap_servers=address, auto_offset_reset="earliest"
        ) as consumer:
            return [
                (await asyncio.wait_for(consumer.getone(), PATIENCE_S)).value for _ in range(20)
            ]

    assert asyncio.run(conversation()) == [b"%d" % number for number in range(20)]


def test_paho_publishes_and_subscribes_with_every_quality_of_service(
    server: ServerProcess, name: str
) -> None:
    import queue

    from paho.mqtt import client as paho

    heard: queue.Queue[tuple[int, bytes, bool]] = queue.Queue()
    subscribed = queue.Queue[bool]()
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.on_message = lambda _c, _u, m: heard.put((m.qos, m.payload, m.retain))
    client.on_subscribe = lambda *_: subscribed.put(True)
    client.connect(server.options.host, server.ports["mqtt"])
    client.loop_start()
    try:
        client.publish(f"{name}/kept", b"retained", qos=1, retain=True).wait_for_publish(PATIENCE_S)
        client.subscribe(f"{name}/#", qos=2)
        subscribed.get(timeout=PATIENCE_S)
        assert heard.get(timeout=PATIENCE_S) == (1, b"retained", True)
        for qos in (0, 1, 2):
            client.publish(f"{name}/new", b"%d" % qos, qos=qos)
        assert [heard.get(timeout=PATIENCE_S) for _ in range(3)] == [
            (qos, b"%d" % qos, False) for qos in (0, 1, 2)
        ]
    finally:
        client.disconnect()
        client.loop_stop()


CELERY = """
import os
from celery import Celery

app = Celery("shop", broker=os.environ["BROKER"], backend=os.environ["BACKEND"])
app.conf.task_default_queue = os.environ["QUEUE"]
app.conf.broker_connection_retry_on_startup = False
app.conf.worker_hijack_root_logger = False


@app.task
def add(a, b):
    return a + b


@app.task(bind=True, max_retries=3)
def third_time_lucky(self):
    if self.request.retries < 2:
        raise self.retry(countdown=0.1)
    return self.request.retries
"""


@pytest.mark.parametrize("broker", ["rabbitmq", "redis"])
def test_a_celery_worker_does_tasks_retries_and_returns_results(
    server: ServerProcess, name: str, tmp_path: Path, broker: str
) -> None:
    (tmp_path / "shop.py").write_text(CELERY)
    environment = os.environ | {
        "BROKER": server.url(broker),
        "BACKEND": server.url("redis"),
        "QUEUE": name,
        "PYTHONPATH": str(tmp_path),
    }
    worker = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "shop", "worker", "-P", "solo", "-l", "warning",
         "--without-gossip", "--without-mingle"],
        env=environment, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        asked = (
            "from shop import add, third_time_lucky;"
            f"sums = [add.delay(n, 1) for n in range(10)]; lucky = third_time_lucky.delay();"
            f"print([s.get({PATIENCE_S}) for s in sums], lucky.get({PATIENCE_S}))"
        )
        client = subprocess.run(
            [sys.executable, "-c", asked], env=environment, cwd=tmp_path,
            capture_output=True, text=True, timeout=3 * PATIENCE_S, check=False,
        )  # fmt: skip
    finally:
        worker.terminate()
        worker.wait(PATIENCE_S)
    assert client.stdout == f"{list(range(1, 11))} 2\n", client.stderr


def test_users_are_known_to_every_broker(tmp_path: Path) -> None:
    users = tmp_path / "users.toml"
    users.write_text('[users.alice]\npassword = "wonderland"\n')
    with Server(users=users) as server:
        host = server.options.host
        with pytest.raises(pika.exceptions.ProbableAuthenticationError):
            pika.BlockingConnection(pika.ConnectionParameters(host, server.port("rabbitmq")))
        alice = pika.PlainCredentials("alice", "wonderland")
        pika.BlockingConnection(
            pika.ConnectionParameters(host, server.port("rabbitmq"), credentials=alice)
        ).close()
        nobody = redis.Redis(host, server.port("redis"))
        with pytest.raises(redis.AuthenticationError):
            nobody.ping()
        assert redis.Redis(
            host, server.port("redis"), username="alice", password="wonderland"
        ).ping()
        from kafka import KafkaAdminClient

        admin = KafkaAdminClient(
            bootstrap_servers=server.url("kafka"),
            security_protocol="SASL_PLAINTEXT",
            sasl_mechanism="PLAIN",
            sasl_plain_username="alice",
            sasl_plain_password="wonderland",
        )
        assert admin.list_topics() == []
        admin.close()
        from paho.mqtt import publish

        address = {"hostname": host, "port": server.port("mqtt")}
        login = {"username": "alice", "password": "wonderland"}
        publish.single("a", "b", qos=1, auth=login, **address)
        with pytest.raises(ConnectionError):
            _connected(address, "alice", "white rabbit")


def _connected(address: dict[str, Any], user: str, password: str) -> None:
    """Connect by MQTT, or raise as paho's loop does when the server refuses."""
    from paho.mqtt import client as paho

    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    client.username_pw_set(user, password)
    client.connect(address["hostname"], address["port"])
    refused: list[bool] = []
    client.on_connect = lambda _c, _u, _f, reason, _p: refused.append(reason.is_failure)
    deadline = time.monotonic() + PATIENCE_S
    while not refused and time.monotonic() < deadline:
        client.loop(0.1)
    client.disconnect()
    if refused == [True]:
        raise ConnectionRefusedError


def test_permissions_are_rabbitmqs(tmp_path: Path) -> None:
    users = tmp_path / "users.toml"
    users.write_text(
        '[users.bob]\npassword = "b"\n[users.bob.permissions."/"]\nconfigure = "^bob-"\n'
    )
    with Server(users=users, only=("rabbitmq",)) as server:
        bob = pika.PlainCredentials("bob", "b")
        parameters = pika.ConnectionParameters(
            server.options.host, server.port("rabbitmq"), credentials=bob
        )
        with pika.BlockingConnection(parameters) as connection:
            connection.channel().queue_declare("bob-1")
            with pytest.raises(pika.exceptions.ChannelClosedByBroker, match="ACCESS_REFUSED"):
                connection.channel().queue_declare("alice-1")


def test_stopping_tells_amqp_clients_as_rabbitmq_does() -> None:
    server = Server(only=("rabbitmq",)).start()
    connection = pika.BlockingConnection(pika.URLParameters(server.url("rabbitmq")))
    server.stop()
    with pytest.raises(pika.exceptions.ConnectionClosedByBroker) as told:
        connection.process_data_events(PATIENCE_S)
    assert told.value.reply_code == 320


def test_messages_expire_in_real_time(server: ServerProcess, name: str) -> None:
    with pika.BlockingConnection(pika.URLParameters(server.url("rabbitmq"))) as connection:
        channel = connection.channel()
        channel.queue_declare(
            name,
            arguments={
                "x-message-ttl": 50,
                "x-dead-letter-exchange": "",
                "x-dead-letter-routing-key": f"{name}-dead",
            },
        )
        channel.queue_declare(f"{name}-dead")
        began = time.monotonic()
        channel.basic_publish("", name, b"late")
        for method, _, body in channel.consume(f"{name}-dead", inactivity_timeout=PATIENCE_S):
            assert method is not None
            assert body == b"late"
            break
        assert time.monotonic() - began >= 0.05
        channel.cancel()
        channel.queue_delete(name)
        channel.queue_delete(f"{name}-dead")


def test_mqtt_and_amqp_share_topics_when_they_are_bridged() -> None:
    import queue

    from paho.mqtt import client as paho

    heard: queue.Queue[tuple[str, bytes]] = queue.Queue()
    subscribed = queue.Queue[bool]()
    with Server(only=("rabbitmq", "mqtt"), bridge=True) as server:
        client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        client.on_message = lambda _c, _u, m: heard.put((m.topic, m.payload))
        client.on_subscribe = lambda *_: subscribed.put(True)
        client.connect(server.options.host, server.port("mqtt"))
        client.loop_start()
        client.subscribe("orders/+", qos=1)
        subscribed.get(timeout=PATIENCE_S)
        with pika.BlockingConnection(pika.URLParameters(server.url("rabbitmq"))) as connection:
            channel = connection.channel()
            name = channel.queue_declare("", exclusive=True).method.queue
            channel.queue_bind(name, "amq.topic", "invoices.#")
            channel.basic_publish("amq.topic", "orders.new", b"from AMQP")
            assert heard.get(timeout=PATIENCE_S) == ("orders/new", b"from AMQP")
            client.publish("invoices/1", b"from MQTT", qos=1)
            for method, _, body in channel.consume(name, inactivity_timeout=PATIENCE_S):
                assert method is not None
                assert (method.routing_key, body) == ("invoices.1", b"from MQTT")
                break
            channel.cancel()
        client.disconnect()
        client.loop_stop()
