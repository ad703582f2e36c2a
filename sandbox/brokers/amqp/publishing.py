"""Publishing: from a complete message to the queues, and what the publisher hears of it.

The order is RabbitMQ's: find the exchange, check the properties, route, queue, return what was
mandatory and reached nobody, confirm. [amqp-0-9-1 1.8.3.7 "basic.publish"]
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Final

from sandbox.brokers.amqp import direct_reply, firehose
from sandbox.brokers.amqp.arguments import MAX_TIME_MS
from sandbox.brokers.amqp.codec import (
    return_frame,
    short_string,
    split_route,
)
from sandbox.brokers.amqp.edit import without_header
from sandbox.brokers.amqp.errors import (
    NO_ROUTE,
    NOT_IMPLEMENTED,
    PRECONDITION_FAILED,
    AmqpError,
)
from sandbox.brokers.amqp.framing import content_frames
from sandbox.brokers.amqp.message import Message
from sandbox.brokers.amqp.permissions import WRITE
from sandbox.brokers.amqp.properties import HEADER_SIZE, Facts, examine

if TYPE_CHECKING:
    from sandbox.brokers.amqp.actor import Actor
    from sandbox.brokers.amqp.broker import Broker
    from sandbox.brokers.amqp.channel import Channel
    from sandbox.brokers.amqp.queue import Queue
    from sandbox.brokers.amqp.vhost import VirtualHost

_NUMBER: Final = re.compile(r"[+-]?[0-9]+")
MANDATORY: Final = 1
IMMEDIATE: Final = 2


def publish(channel: Channel, packed_route: bytes, bits: int, header: bytes, body: bytes) -> None:
    """Take a client's message.

    Raises:
        AmqpError: 404 no such exchange, 406 properties no message may have, 540 immediate.
    """
    if bits & IMMEDIATE:
        raise AmqpError(NOT_IMPLEMENTED, "immediate=true")
    if channel.actor.access is not None:
        channel.actor.may(WRITE, "exchange", split_route(packed_route)[0])
    facts = examine(header[HEADER_SIZE:])
    if facts.reply_to == direct_reply.DIRECT_REPLY_TO:
        header = direct_reply.address(channel, header)
    transaction = channel.transaction
    if transaction is None:
        _publish(channel, packed_route, bits, header, body, facts)
        return
    channel.vhost.route(packed_route)
    _check(facts, channel.connection.user)
    transaction.publish_later(partial(_publish, channel, packed_route, bits, header, body, facts))


def _publish(
    channel: Channel, packed_route: bytes, bits: int, header: bytes, body: bytes, facts: Facts
) -> None:
    message, queues, taken = accept(
        channel.connection.broker,
        channel.vhost,
        packed_route,
        header,
        body,
        actor=channel.actor,
        user=channel.connection.user,
        mandatory=bool(bits & MANDATORY),
        facts=facts,
    )
    if not queues:
        _unroutable(channel, message, bits)
    confirms = channel.confirms
    if confirms.selected:
        channel.confirm(taken)
        if channel.observe is not None:
            kind = "confirm.ack" if taken else "confirm.nack"
            channel.emit(kind, tag=confirms.last_tag, message=message.number)


def accept(
    broker: Broker,
    vhost: VirtualHost,
    packed_route: bytes,
    header: bytes,
    body: bytes,
    *,
    actor: Actor,
    user: str | None,
    mandatory: bool,
    facts: Facts | None = None,
) -> tuple[Message, tuple[Queue, ...], bool]:
    """Route a message and put it into its queues.

    Returns: the message, its queues, and whether all of them took it.

    `user` is who published, or None to let properties claim anybody; `facts` are the properties',
    if somebody has looked at them already.

    Raises:
        AmqpError: 404 no such exchange, 406 properties no message may have.
    """
    route = vhost.route(packed_route)
    if facts is None:
        facts = examine(header[HEADER_SIZE:])
    ttl_ns = None
    if facts.unusual:
        ttl_ns = _check(facts, user)
        if facts.bcc:
            header = without_header(header, "BCC")
    broker.last_message += 1
    message = Message(
        broker.last_message,
        route.exchange,
        route.routing_key,
        packed_route,
        header,
        body,
        facts.persistent,
        priority=facts.priority,
        ttl_ns=ttl_ns,
        more_keys=facts.cc + facts.bcc,
    )
    individual = route.by_headers or message.more_keys
    queues = vhost.queues_of(message) if individual else route.queues
    if broker.observe is not None:
        broker.observe(
            "basic.publish",
            {
                "vhost": vhost.name,
                "exchange": route.exchange,
                "routing_key": route.routing_key,
                "message": message.number,
                "body": body,
                "queues": [queue.name for queue in queues],
                "persistent": facts.persistent,
                "mandatory": mandatory,
                "properties": facts.properties,
                "connection": actor.peer,
                "channel": actor.channel,
            },
        )
    vhost.published += 1
    if vhost.tracing:
        who = (actor.peer or "", actor.channel or 0, user or "")
        firehose.copy_published(broker, vhost, message, queues, who)
    if not queues and not route.exchange and route.routing_key.startswith(direct_reply.PREFIX):
        direct_reply.deliver(broker, message)
    taken = True
    for queue in queues:
        taken = queue.publish(message) and taken
    return message, queues, taken


def _check(facts: Facts, user: str | None) -> int | None:
    """What is unusual must be right; returns the time to live in ns, if there is one."""
    if user is not None and facts.user_id not in (None, user):
        text = f"user_id property set to '{facts.user_id}' but authenticated user was '{user}'"
        raise AmqpError(PRECONDITION_FAILED, text)
    if facts.expiration is not None:
        problem = _expiration_problem(facts.expiration)
        if problem is not None:
            text = f"invalid expiration '{facts.expiration}': {problem}"
            raise AmqpError(PRECONDITION_FAILED, text)
    return None if facts.expiration is None else int(facts.expiration) * 1_000_000


def _expiration_problem(expiration: str) -> str | None:
    number = _NUMBER.match(expiration)
    if number is None:
        return "no_integer"
    if rest := expiration[number.end() :]:
        return f'{{leftover_string,"{rest}"}}'
    value = int(expiration)
    if value < 0:
        return f"{{value_negative,{value}}}"
    return f"{{value_too_large,{value}}}" if value > MAX_TIME_MS else None


def _unroutable(channel: Channel, message: Message, bits: int) -> None:
    if not bits & MANDATORY:
        channel.vhost.counts.drop_unroutable += 1
        # Nobody gets it and nobody is told: Celery's workers say so every two seconds that they
        # live. A world in which nothing else happens is idle. One frame each was counted before.
        channel.connection.broker.activity -= 3 if message.body else 2
        return
    channel.vhost.counts.return_unroutable += 1
    connection = channel.connection
    connection.write(
        return_frame(channel.number, NO_ROUTE, "NO_ROUTE", message.route)
        + content_frames(channel.number, message.header, message.body, connection.frame_max)
    )
    if channel.observe is not None:
        channel.emit(
            "basic.return",
            message=message.number,
            exchange=message.exchange,
            routing_key=message.routing_key,
            code=NO_ROUTE,
            text="NO_ROUTE",
        )


def pack_route(exchange: str, routing_key: str) -> bytes:
    """Make a route, as it stands in a publish, from two names."""
    return short_string(exchange) + short_string(routing_key)
