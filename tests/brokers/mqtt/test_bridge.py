"""An MQTT broker and a RabbitMQ that share their topics."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from sandbox.brokers import amqp
from sandbox.brokers.mqtt.bridge import Bridge, routing_key, topic_name
from tests.brokers.mqtt import packets
from tests.brokers.mqtt.client import World


@pytest.fixture
def rabbitmq() -> amqp.Broker:
    return amqp.Broker(random=Random(1))


@pytest.fixture
def bridge(world: World, rabbitmq: amqp.Broker) -> Bridge:
    return Bridge(rabbitmq, world.broker)


def queue_on(rabbitmq: amqp.Broker, pattern: str) -> Any:
    """A queue bound to `amq.topic`."""
    queue = rabbitmq.admin_declare_queue("/", "q")
    rabbitmq.vhosts["/"].bind("q", "amq.topic", pattern)
    return queue


def publish(
    rabbitmq: amqp.Broker, key: str, body: bytes = b"x", exchange: str = "amq.topic", **props: Any
) -> None:
    rabbitmq.admin_publish("/", exchange, key, body, props, 0)


@pytest.mark.parametrize(
    ("topic", "key"),
    [("a/b", "a.b"), ("a/+/c", "a.*.c"), ("a/#", "a.#"), ("/a", ".a"), ("a.b/c", "a.b.c")],
)
def test_topics_are_written_as_rabbitmqs_plugin_does(topic: str, key: str) -> None:
    assert routing_key(topic) == key


def test_a_routing_key_becomes_a_topic() -> None:
    assert topic_name("a.b") == "a/b"


@pytest.mark.usefixtures("bridge")
def test_what_is_published_over_mqtt_reaches_queues(world: World, rabbitmq: amqp.Broker) -> None:
    queue = queue_on(rabbitmq, "room.*.temperature")
    client = world.connect("c")
    client.publish("room/1/temperature", b"20", 1)
    client.publish("room/1/humidity", b"50", 1)
    client.publish("room/2/temperature", b"21", 0, content_type="n", user_property=[("k", "v")])
    first, second = queue.ready
    assert (first.body, first.message.routing_key) == (b"20", "room.1.temperature")
    assert first.properties["delivery_mode"] == 2
    assert first.properties["headers"]["x-mqtt-publish-qos"] == 1
    assert second.properties["delivery_mode"] == 1
    assert second.properties["content_type"] == "n"
    assert second.properties["headers"]["k"] == "v"


@pytest.mark.usefixtures("bridge")
def test_what_is_published_over_amqp_reaches_subscribers(
    world: World, rabbitmq: amqp.Broker
) -> None:
    client = world.connect("c")
    client.subscribe("room/+/temperature", qos=2)
    publish(rabbitmq, "room.1.temperature", b"20", content_type="n", headers={"k": "v"})
    publish(rabbitmq, "room.1.humidity", b"50")
    publish(rabbitmq, "room.2.temperature", b"21", headers={"x-mqtt-publish-qos": 0})
    publish(rabbitmq, "room.1.temperature", b"elsewhere", exchange="amq.fanout")
    world.carry()
    first, second = client.received()
    assert (first.topic, first.payload, first.qos) == ("room/1/temperature", b"20", 1)
    assert first.properties == {"content_type": "n", "user_property": [("k", "v")]}
    assert (second.payload, second.qos, second.retain) == (b"21", 0, False)


@pytest.mark.usefixtures("bridge")
def test_every_message_comes_once(world: World, rabbitmq: amqp.Broker) -> None:
    queue = queue_on(rabbitmq, "#")
    client = world.connect("c", 4)
    client.subscribe("#", "a/#", "a/b", qos=0)
    client.publish("a/b", b"over mqtt")
    publish(rabbitmq, "a.b", b"over amqp")
    world.carry()
    assert client.payloads() == [b"over mqtt", b"over amqp"]
    assert [each.body for each in queue.ready] == [b"over mqtt", b"over amqp"]


@pytest.mark.usefixtures("bridge")
def test_a_subscription_is_a_binding_as_long_as_anybody_has_it(
    world: World, rabbitmq: amqp.Broker
) -> None:
    def keys() -> list[str]:
        return [each.routing_key for each in rabbitmq.vhosts["/"].exchanges["amq.topic"].bindings]

    one, two = world.connect("1"), world.connect("2")
    one.subscribe("a/+", "$SYS/#")
    two.subscribe("a/+", "b")
    assert keys() == ["a.*", "b"]
    one.lose()
    two.send(packets.unsubscribe(1, ["b"]))
    assert keys() == ["a.*"]
    two.lose()
    assert keys() == []


def test_a_bridge_that_comes_late_finds_the_subscriptions(
    world: World, rabbitmq: amqp.Broker
) -> None:
    client = world.connect("c")
    client.subscribe("a", qos=0)
    Bridge(rabbitmq, world.broker)
    publish(rabbitmq, "a")
    world.carry()
    assert client.payloads() == [b"x"]


@pytest.mark.usefixtures("bridge")
def test_retained_messages_and_wills_cross_as_ordinary_ones(
    world: World, rabbitmq: amqp.Broker
) -> None:
    queue = queue_on(rabbitmq, "#")
    world.connect("c", will=("w", b"bye", 1, True)).lose()
    world.publish("r", b"kept", retain=True)
    assert [each.body for each in queue.ready] == [b"bye", b"kept"]


@pytest.mark.usefixtures("bridge")
def test_what_does_not_fit_stays_where_it_is(world: World, rabbitmq: amqp.Broker) -> None:
    queue = queue_on(rabbitmq, "#")
    client = world.connect("c")
    client.subscribe("#", qos=0)
    client.publish("t" * 300, b"too long a topic")
    publish(rabbitmq, "", b"no topic")
    publish(rabbitmq, "a.\x00", b"not mqtt's text")
    publish(rabbitmq, "a.#", b"a wildcard")
    world.carry()
    assert client.payloads() == [b"too long a topic"]
    assert len(list(queue.ready)) == 3
    assert world.of_kind("publish.refused")


@pytest.mark.usefixtures("bridge")
def test_a_restart_of_rabbitmq_keeps_the_bridge(world: World, rabbitmq: amqp.Broker) -> None:
    client = world.connect("c")
    client.subscribe("a", qos=0)
    rabbitmq.restart(0)
    publish(rabbitmq, "a")
    world.carry()
    assert client.payloads() == [b"x"]
    again = amqp.Broker(random=Random(1))
    again.restore(rabbitmq.snapshot(), 0)
    assert not again.vhosts["/"].exchanges["amq.topic"].bindings
