"""The methods of the classes exchange and queue, as clients call them.

Each handler turns fields into a call on the virtual host and the result into a reply. Names are
stripped of carriage returns and line feeds, and an empty queue name means the one declared last on
the channel, as in RabbitMQ.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from pamqp import commands

from sandbox.brokers.amqp.checks import refuse_default_exchange
from sandbox.brokers.amqp.codec import MethodId, blank
from sandbox.brokers.amqp.direct_reply import DIRECT_REPLY_TO
from sandbox.brokers.amqp.errors import NOT_FOUND, AmqpError

if TYPE_CHECKING:
    from sandbox.brokers.amqp.channel import Channel


def exchange_declare(channel: Channel, method: commands.Exchange.Declare) -> None:
    """Create an exchange, or with `passive` only look whether it is there."""
    name = stripped(method.exchange)
    if method.passive:
        refuse_default_exchange(name)
        channel.vhost.exchange(name)
    else:
        channel.vhost.declare_exchange(
            name,
            method.exchange_type,
            durable=method.durable,
            auto_delete=method.auto_delete,
            internal=method.internal,
            arguments=method.arguments,
            actor=channel.actor,
        )
    if not method.nowait:
        channel.send(commands.Exchange.DeclareOk())


def exchange_delete(channel: Channel, method: commands.Exchange.Delete) -> None:
    """Delete an exchange."""
    channel.vhost.delete_exchange(
        stripped(method.exchange), if_unused=method.if_unused, actor=channel.actor
    )
    if not method.nowait:
        channel.send(commands.Exchange.DeleteOk())


def exchange_bind(channel: Channel, method: commands.Exchange.Bind) -> None:
    """Bind an exchange to another."""
    channel.vhost.bind_exchange(
        stripped(method.destination),
        stripped(method.source),
        method.routing_key,
        arguments=method.arguments,
        actor=channel.actor,
    )
    if not method.nowait:
        channel.send(commands.Exchange.BindOk())


def exchange_unbind(channel: Channel, method: commands.Exchange.Unbind) -> None:
    """Undo a binding between exchanges."""
    channel.vhost.unbind_exchange(
        stripped(method.destination),
        stripped(method.source),
        method.routing_key,
        arguments=method.arguments,
        actor=channel.actor,
    )
    if not method.nowait:
        channel.send(commands.Exchange.UnbindOk())


def queue_declare(channel: Channel, method: commands.Queue.Declare) -> None:
    """Create a queue, or with `passive` only look whether it is there."""
    name = stripped(method.queue)
    if name == DIRECT_REPLY_TO or name in channel.connection.broker.reply_channels:
        reply = blank(commands.Queue.DeclareOk)
        reply.queue, reply.message_count, reply.consumer_count = name, 0, 1
        channel.send(reply)
        return
    if method.passive:
        queue = channel.vhost.queue(name, channel.actor)
        if not queue.ready_count:
            # As a basic.get that finds nothing: only a question.
            channel.connection.broker.activity -= 1
    else:
        queue = channel.vhost.declare_queue(
            name,
            durable=method.durable,
            exclusive=method.exclusive,
            auto_delete=method.auto_delete,
            arguments=method.arguments,
            actor=channel.actor,
        )
    channel.last_queue_name = queue.name
    if not method.nowait:
        reply = blank(commands.Queue.DeclareOk)
        reply.queue = queue.name
        reply.message_count = queue.ready_count
        reply.consumer_count = queue.consumer_count
        channel.send(reply)


def queue_bind(channel: Channel, method: commands.Queue.Bind) -> None:
    """Bind a queue; with neither queue nor key named, the key is the queue's name."""
    name = queue_name(channel, method.queue)
    routing_key = method.routing_key
    if method.queue == "" and routing_key == "":
        routing_key = name
    channel.vhost.bind(
        name,
        stripped(method.exchange),
        routing_key,
        arguments=method.arguments,
        actor=channel.actor,
    )
    if not method.nowait:
        channel.send(commands.Queue.BindOk())


def queue_unbind(channel: Channel, method: commands.Queue.Unbind) -> None:
    """Undo a binding."""
    name = queue_name(channel, method.queue)
    routing_key = method.routing_key
    if method.queue == "" and routing_key == "":
        routing_key = name
    channel.vhost.unbind(
        name,
        stripped(method.exchange),
        routing_key,
        arguments=method.arguments,
        actor=channel.actor,
    )
    channel.send(commands.Queue.UnbindOk())


def queue_purge(channel: Channel, method: commands.Queue.Purge) -> None:
    """Remove a queue's ready messages."""
    name = queue_name(channel, method.queue)
    count = channel.vhost.purge_queue(name, actor=channel.actor)
    if not method.nowait:
        channel.send(commands.Queue.PurgeOk(count))


def queue_delete(channel: Channel, method: commands.Queue.Delete) -> None:
    """Delete a queue."""
    name = queue_name(channel, method.queue)
    count = channel.vhost.delete_queue(
        name, if_unused=method.if_unused, if_empty=method.if_empty, actor=channel.actor
    )
    if not method.nowait:
        channel.send(commands.Queue.DeleteOk(count))


def queue_name(channel: Channel, name: str) -> str:
    """Resolve a queue name in a method: empty means the last one declared on this channel.

    Raises:
        AmqpError: 404, none was.
    """
    name = stripped(name)
    if name:
        return name
    if not channel.last_queue_name:
        raise AmqpError(NOT_FOUND, "no previously declared queue")
    return channel.last_queue_name


def stripped(name: str) -> str:
    """A name without carriage returns and line feeds, which RabbitMQ removes."""
    return name.replace("\r", "").replace("\n", "")


HANDLERS: Final[Mapping[MethodId, Callable[[Channel, Any], None]]] = {
    (40, 10): exchange_declare,
    (40, 20): exchange_delete,
    (40, 30): exchange_bind,
    (40, 40): exchange_unbind,
    (50, 10): queue_declare,
    (50, 20): queue_bind,
    (50, 30): queue_purge,
    (50, 40): queue_delete,
    (50, 50): queue_unbind,
}
