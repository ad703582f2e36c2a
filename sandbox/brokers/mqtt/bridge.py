"""The same topics over AMQP: joins an MQTT broker and a RabbitMQ, as RabbitMQ's MQTT plugin does.

What is published to either reaches subscribers of both. What an MQTT client publishes goes to the
exchange `amq.topic` with the topic as routing key, `/` turned into `.`; what is published to
`amq.topic` and matches an MQTT subscription comes the other way, with `.` turned into `/`. A
subscription is a binding of `amq.topic`, with `*` for `+`, to one place that stands for the MQTT
side. [https://www.rabbitmq.com/docs/mqtt "How the MQTT plugin works"]

A carrier that holds both brokers makes a `Bridge`, and after a call into either takes what both
have to send. To change what travels with a message, change `_to_amqp` and `_to_mqtt`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from sandbox.brokers.amqp.queue import Queue
from sandbox.brokers.mqtt import topics, wire
from sandbox.brokers.mqtt.errors import MqttError

if TYPE_CHECKING:
    from sandbox.brokers import amqp, mqtt
    from sandbox.brokers.amqp.message import Message as AmqpMessage
    from sandbox.brokers.amqp.vhost import VirtualHost
    from sandbox.brokers.mqtt.message import Message

EXCHANGE: Final = "amq.topic"
#: What the binding of a subscription leads to, as the management sees it.
INLET: Final = "mqtt-subscriptions"
_MAX_ROUTING_KEY_BYTES: Final = 255
_QOS_HEADER: Final = "x-mqtt-publish-qos"


def routing_key(topic: str) -> str:
    """A topic or filter as RabbitMQ's plugin writes it for AMQP.

    A `.` stays as it is, so that `a.b` and `a/b` are one routing key, as they are there.
    """
    return topic.replace("/", ".").replace("+", "*")


def topic_name(key: str) -> str:
    """A routing key as the plugin writes it for MQTT."""
    return key.replace(".", "/")


class _Inlet(Queue):
    """Stands where a queue would, and keeps nothing."""

    def __init__(self, home: VirtualHost, arrived: Callable[[AmqpMessage], None]) -> None:
        super().__init__(INLET, home)
        self._arrived = arrived

    def publish(self, message: AmqpMessage) -> bool:
        """A message was published to a topic that somebody subscribed to over MQTT."""
        self._arrived(message)
        return True


class Bridge:
    """Joins two brokers that live on the same clock, at a virtual host of the RabbitMQ."""

    def __init__(self, rabbitmq: amqp.Broker, mosquitto: mqtt.Broker, *, vhost: str = "/") -> None:
        self._rabbitmq = rabbitmq
        self._mqtt = mosquitto
        self._vhost = vhost
        self._home = rabbitmq.vhosts[vhost]
        self._inlet = _Inlet(self._home, self._came_from_amqp)
        #: True while a message crosses, so that it does not cross back.
        self._crossing = False
        mosquitto.partner = self

    # -- from MQTT to AMQP ---------------------------------------------------------------------

    def published(self, message: Message, now_ns: int) -> None:
        """A message was published over MQTT."""
        key = routing_key(message.topic)
        if self._crossing or message.topic.startswith("$"):
            return
        if len(key.encode()) > _MAX_ROUTING_KEY_BYTES:
            self._mqtt.emit(
                "publish.refused",
                message.publisher,
                topic=message.topic,
                reason=0,
                text="the topic is too long for a routing key of AMQP",
            )
            return
        properties = _to_amqp(message)
        self._crossing = True
        try:
            self._rabbitmq.admin_publish(
                self._vhost, EXCHANGE, key, message.payload, properties, now_ns
            )
        finally:
            self._crossing = False

    # -- from AMQP to MQTT ---------------------------------------------------------------------

    def wanted(self, pattern: str) -> None:
        """The first MQTT subscription to a pattern came."""
        if not pattern.startswith("$"):
            self._home.exchanges[EXCHANGE].bind(self._inlet, routing_key(pattern), {})
            self._home.forget_routes()

    def unwanted(self, pattern: str) -> None:
        """The last one is gone."""
        key = routing_key(pattern)
        # Another pattern may be the same binding: "a.b" and "a/b".
        if not any(routing_key(each) == key for each in self._mqtt.wanted_patterns()):
            self._home.exchanges[EXCHANGE].unbind(self._inlet, key, {})
            self._home.forget_routes()

    def _came_from_amqp(self, message: AmqpMessage) -> None:
        topic = topic_name(message.routing_key)
        if self._crossing or topics.name_problem(topic) is not None or not _is_text(topic):
            return
        qos, properties = _to_mqtt(message.properties)
        self._crossing = True
        try:
            # The two live on one clock: whoever was called last knows the time.
            now_ns = max(self._rabbitmq.timers.now_ns, self._mqtt.now_ns)
            self._mqtt.publish(topic, message.body, qos=qos, properties=properties, now_ns=now_ns)
        finally:
            self._crossing = False


def _is_text(topic: str) -> bool:
    """Whether MQTT may carry it: AMQP's routing keys may hold any character."""
    try:
        wire.check_text(topic, "the topic")
    except MqttError:
        return False
    return not topic.startswith("$")


def _to_amqp(message: Message) -> dict[str, Any]:
    """Properties for AMQP, as the plugin does: persistent from QoS 1 on, QoS in a header."""
    known = message.properties
    headers: dict[str, Any] = dict(known.get("user_property", ()))
    headers[_QOS_HEADER] = message.qos
    headers["x-mqtt-dup"] = False
    properties: dict[str, Any] = {"headers": headers, "delivery_mode": 2 if message.qos else 1}
    if "content_type" in known:
        properties["content_type"] = known["content_type"][: _MAX_ROUTING_KEY_BYTES // 4]
    if "message_expiry_interval" in known:
        properties["expiration"] = str(known["message_expiry_interval"] * 1000)
    return properties


def _to_mqtt(properties: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
    """QoS and properties for MQTT: QoS 1 unless a header says less, as the plugin does."""
    found: dict[str, Any] = {}
    headers = properties.get("headers") or {}
    qos = headers.get(_QOS_HEADER, 1)
    pairs = [
        (name, value)
        for name, value in headers.items()
        if isinstance(value, str) and not name.startswith("x-")
    ]
    if pairs:
        found["user_property"] = pairs
    if properties.get("content_type"):
        found["content_type"] = properties["content_type"]
    expiration = str(properties.get("expiration", ""))
    if expiration.isdecimal():
        found["message_expiry_interval"] = min(-(-int(expiration) // 1000), 0xFFFFFFFF)
    return (min(qos, 1) if qos in (0, 1, 2) else 1), found
