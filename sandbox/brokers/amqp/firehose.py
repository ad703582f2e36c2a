"""The firehose: a copy of every message that is published in a virtual host, and delivered there.

While a virtual host is traced, copies go to its exchange `amq.rabbitmq.trace`, with the routing key
`publish.` and the exchange's name, or `deliver.` and the queue's. The copy's body is the message's;
where it came from and what properties it had is in the copy's headers. Copies are not copied.
[RabbitMQ: "Firehose Tracer"]
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sandbox.brokers.amqp.codec import short_string
from sandbox.brokers.amqp.exchange import TRACE_EXCHANGE
from sandbox.brokers.amqp.handshake import NODE
from sandbox.brokers.amqp.message import Message
from sandbox.brokers.amqp.properties import encode_header

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.brokers.amqp.broker import Broker
    from sandbox.brokers.amqp.channel import Channel
    from sandbox.brokers.amqp.message import Entry
    from sandbox.brokers.amqp.queue import Queue
    from sandbox.brokers.amqp.vhost import VirtualHost


def copy_published(
    broker: Broker,
    vhost: VirtualHost,
    message: Message,
    queues: Iterable[Queue],
    who: tuple[str, int, str],
) -> None:
    """Tell of a message that somebody (connection, channel, user) publishes."""
    peer, channel, user = who
    if message.exchange == "":
        # To the default exchange every key is the name of a queue, whether there is one or not.
        routed = [message.routing_key, *message.more_keys]
    else:
        routed = [queue.name for queue in queues]
    headers = _about(message) | {
        "vhost": vhost.name,
        "connection": peer,
        "channel": channel,
        "user": user,
        "routed_queues": routed,
    }
    _publish(broker, vhost, message, f"publish.{message.exchange}", headers)


def copy_delivered(channel: Channel, queue: Queue, entry: Entry) -> None:
    """Tell of a message that is handed to a client."""
    connection, message = channel.connection, entry.message
    headers = _about(message) | {
        "redelivered": int(entry.redelivered),
        "vhost": channel.vhost.name,
        "connection": connection.peer,
        "channel": channel.number,
        "user": connection.user or "",
    }
    _publish(connection.broker, channel.vhost, message, f"deliver.{queue.name}", headers)


def _about(message: Message) -> dict[str, Any]:
    return {
        "exchange_name": message.exchange,
        "routing_keys": [message.routing_key, *message.more_keys],
        "properties": message.properties,
        "node": NODE,
    }


def _publish(
    broker: Broker,
    vhost: VirtualHost,
    message: Message,
    routing_key: str,
    headers: Mapping[str, Any],
) -> None:
    if message.exchange == TRACE_EXCHANGE:
        return
    queues = vhost.lead(TRACE_EXCHANGE, routing_key)
    if not queues:
        return
    header = encode_header({"headers": headers}, len(message.body))
    broker.last_message += 1
    copy = Message(
        broker.last_message,
        TRACE_EXCHANGE,
        routing_key,
        short_string(TRACE_EXCHANGE) + short_string(routing_key),
        header,
        message.body,
        persistent=False,
    )
    if broker.observe is not None:
        broker.observe(
            "basic.publish",
            {
                "vhost": vhost.name,
                "exchange": TRACE_EXCHANGE,
                "routing_key": routing_key,
                "message": copy.number,
                "body": copy.body,
                "queues": [queue.name for queue in queues],
                "persistent": False,
                "mandatory": False,
                "properties": copy.properties,
                "connection": None,
                "channel": None,
            },
        )
    for queue in queues:
        queue.publish(copy)
