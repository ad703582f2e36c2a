"""Direct reply-to: answers that go straight to the channel that asked, through no queue.

A client consumes from a name that is no queue, `amq.rabbitmq.reply-to`, and publishes its questions
with that name in `reply_to`, on the same channel. The broker writes a name of the channel's own
there instead; whatever is published to it is delivered at once, or lost when the channel is gone.
[RabbitMQ: "Direct Reply-to"]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pamqp import commands

from sandbox.brokers.amqp import edit
from sandbox.brokers.amqp.codec import blank, deliver_prefix, method_frame, pack_tag, short_string
from sandbox.brokers.amqp.errors import PRECONDITION_FAILED, AmqpError
from sandbox.brokers.amqp.framing import content_frames

if TYPE_CHECKING:
    from sandbox.brokers.amqp.broker import Broker
    from sandbox.brokers.amqp.channel import Channel
    from sandbox.brokers.amqp.message import Message

DIRECT_REPLY_TO: Final = "amq.rabbitmq.reply-to"
PREFIX: Final = DIRECT_REPLY_TO + "."


def consume(channel: Channel, method: commands.Basic.Consume, tag: str) -> None:
    """Start the one consumer of answers a channel may have.

    Raises:
        AmqpError: 406, it wants to acknowledge, or there is one already.
    """
    if not method.no_ack:
        raise AmqpError(PRECONDITION_FAILED, "reply consumer cannot acknowledge")
    if channel.reply_key:
        raise AmqpError(PRECONDITION_FAILED, "reply consumer already set")
    broker = channel.connection.broker
    channel.reply_tag, channel.reply_key = tag, broker.new_name(PREFIX)
    broker.reply_channels[channel.reply_key] = channel
    if not method.nowait:
        reply = blank(commands.Basic.ConsumeOk)
        reply.consumer_tag = tag
        channel.send(reply)


def stop(channel: Channel) -> None:
    """The channel wants no more answers, or is over."""
    if channel.reply_key:
        del channel.connection.broker.reply_channels[channel.reply_key]
        channel.reply_tag = channel.reply_key = ""


def address(channel: Channel, header: bytes) -> bytes:
    """The header of a question, with where its answer shall go.

    Raises:
        AmqpError: 406, nobody waits for the answer.
    """
    if not channel.reply_key:
        raise AmqpError(PRECONDITION_FAILED, "fast reply consumer does not exist")
    parts = edit.split_properties(header)
    parts["reply_to"] = short_string(channel.reply_key)
    return edit.join_properties(parts, edit.body_size(header))


def deliver(broker: Broker, message: Message) -> None:
    """Hand an answer to the channel that waits for it, if there still is one."""
    channel = broker.reply_channels.get(message.routing_key)
    if channel is None:
        return
    tag = channel.unacked.next_tag()
    number, connection = channel.number, channel.connection
    method = deliver_prefix(channel.reply_tag) + pack_tag(tag, False) + message.route
    connection.write(
        method_frame(number, method)
        + content_frames(number, message.header, message.body, connection.frame_max)
    )
    if channel.observe is not None:
        channel.emit(
            "basic.deliver",
            queue=message.routing_key,
            message=message.number,
            tag=tag,
            consumer_tag=channel.reply_tag,
            redelivered=False,
            no_ack=True,
        )
