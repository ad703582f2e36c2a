"""The firehose: what is published and delivered in a traced virtual host is copied."""

from __future__ import annotations

from pamqp.commands import Basic, Exchange, Queue

from sandbox.brokers.amqp import administration
from tests.brokers.amqp.client import Client, World, is_close


def trace(world: World, client: Client, pattern: str = "#") -> None:
    administration.set_vhost(world.broker, "/", tracing=True)
    client.declare("trace")
    bind = Queue.Bind(queue="trace", exchange="amq.rabbitmq.trace", routing_key=pattern)
    client.ask(bind)


def test_what_is_published_and_delivered_is_copied(world: World, client: Client) -> None:
    trace(world, client)
    client.ask(Exchange.Declare(exchange="e", exchange_type="fanout"))
    client.declare("q")
    client.ask(Queue.Bind(queue="q", exchange="e"))
    client.publish(b"x", exchange="e", queue="k", priority=3, headers={"CC": ["cc"]})
    client.get("q")
    published, delivered = client.get("trace"), client.get("trace")
    assert published is not None
    assert delivered is not None
    about = {
        "exchange_name": "e",
        "routing_keys": ["k", "cc"],
        "properties": {"headers": {"CC": ["cc"]}, "priority": 3},
        "node": "rabbit@sandbox",
        "vhost": "/",
        "connection": "client-1",
        "channel": 1,
        "user": "guest",
    }
    assert (published.body, published.method.routing_key) == (b"x", "publish.e")
    assert published.properties == {"headers": {**about, "routed_queues": ["q"]}}
    assert (delivered.body, delivered.method.routing_key) == (b"x", "deliver.q")
    assert delivered.properties == {"headers": {**about, "redelivered": 0}}


def test_copies_are_not_copied(world: World, client: Client) -> None:
    trace(world, client)
    client.consume("trace", "c")
    client.publish(b"once", queue="nowhere")
    copies = client.received()
    assert [copy.method.routing_key for copy in copies] == ["publish."]
    assert copies[0].properties["headers"]["routed_queues"] == ["nowhere"]


def test_a_redelivery_is_told_as_one(world: World, client: Client) -> None:
    trace(world, client, "deliver.#")
    client.declare("q")
    client.publish(queue="q")
    client.consume("q", "c")
    client.send(Basic.Nack(1))
    seen = [client.get("trace") for _ in range(2)]
    marks = [copy.properties["headers"]["redelivered"] for copy in seen if copy is not None]
    assert marks == [0, 1]


def test_without_tracing_nothing_is_copied_and_nobody_publishes_there(
    world: World, client: Client
) -> None:
    trace(world, client)
    administration.set_vhost(world.broker, "/", tracing=False)
    client.publish(queue="q")
    assert client.get("trace") is None
    client.publish(exchange="amq.rabbitmq.trace")
    (close,) = client.received()
    text = "cannot publish to internal exchange 'amq.rabbitmq.trace' in vhost '/'"
    is_close(close, 403, f"ACCESS_REFUSED - {text}")
