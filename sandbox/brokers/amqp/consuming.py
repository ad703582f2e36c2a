"""The methods of the classes basic and confirm, as clients call them, but for publishing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from pamqp import commands

from sandbox.brokers.amqp import direct_reply, firehose, settling
from sandbox.brokers.amqp.arguments import check_consumer_arguments
from sandbox.brokers.amqp.codec import MethodId, blank, get_ok_frame
from sandbox.brokers.amqp.consumer import Consumer, header_of
from sandbox.brokers.amqp.declarations import queue_name
from sandbox.brokers.amqp.errors import (
    ACCESS_REFUSED,
    NOT_ALLOWED,
    NOT_IMPLEMENTED,
    PRECONDITION_FAILED,
    AmqpError,
)
from sandbox.brokers.amqp.framing import content_frames
from sandbox.brokers.amqp.permissions import READ

if TYPE_CHECKING:
    from sandbox.brokers.amqp.channel import Channel


def basic_qos(channel: Channel, method: commands.Basic.Qos) -> None:
    """Limit outstanding deliveries: for consumers to come, or with `global_` for the channel."""
    if method.prefetch_size:
        text = f"prefetch_size!=0 ({method.prefetch_size})"
        raise AmqpError(NOT_IMPLEMENTED, text)
    if method.global_:
        channel.unacked.global_prefetch_count = method.prefetch_count
    else:
        channel.prefetch_count = method.prefetch_count
    channel.send(commands.Basic.QosOk())
    if method.global_:
        for queue in settling.unpark_all(channel):
            queue.dispatch()


def basic_consume(channel: Channel, method: commands.Basic.Consume) -> None:
    """Start a consumer.

    Raises:
        AmqpError: 403 somebody consumes exclusively (or somebody consumes, and this one wants to
            exclusively), 404, 405, 530 the tag is taken, 540 an argument the sandbox lacks.
    """
    name = queue_name(channel, method.queue)
    if method.consumer_tag in channel.consumers:
        raise AmqpError(NOT_ALLOWED, f"attempt to reuse consumer tag '{method.consumer_tag}'")
    tag = method.consumer_tag or channel.connection.broker.new_name("amq.ctag-")
    if name == direct_reply.DIRECT_REPLY_TO:
        direct_reply.consume(channel, method, tag)
        return
    channel.actor.may(READ, "queue", name)
    queue = channel.vhost.queue(name, channel.actor)
    check_consumer_arguments(name, channel.vhost.name, method.arguments)
    if queue.options.quorum and channel.unacked.global_prefetch_count:
        where = f"queue '{name}' in vhost '{channel.vhost.name}'"
        raise AmqpError(NOT_IMPLEMENTED, f"{where} does not support global qos")
    alone = method.exclusive and (queue.consumers or queue.options.single_active_consumer)
    if queue.exclusive_consumer or alone:
        where = f"queue '{name}' in vhost '{channel.vhost.name}'"
        raise AmqpError(ACCESS_REFUSED, f"{where} in exclusive use")
    consumer = Consumer(
        tag,
        channel,
        queue,
        no_ack=method.no_ack,
        exclusive=method.exclusive,
        prefetch_count=channel.prefetch_count,
        arguments=method.arguments,
    )
    channel.consumers[tag] = consumer
    if channel.observe is not None:
        channel.emit(
            "consumer.add",
            queue=name,
            consumer_tag=tag,
            no_ack=method.no_ack,
            exclusive=method.exclusive,
            prefetch_count=channel.prefetch_count,
        )
    if not method.nowait:
        reply = blank(commands.Basic.ConsumeOk)
        reply.consumer_tag = tag
        channel.send(reply)
    queue.add_consumer(consumer)
    queue.dispatch()


def basic_cancel(channel: Channel, method: commands.Basic.Cancel) -> None:
    """Stop a consumer; what it holds stays outstanding. An unknown tag is fine."""
    consumer = channel.consumers.get(method.consumer_tag or "")
    if method.consumer_tag and method.consumer_tag == channel.reply_tag:
        direct_reply.stop(channel)
    if not method.nowait:
        reply = blank(commands.Basic.CancelOk)
        reply.consumer_tag = method.consumer_tag
        channel.send(reply)
    if consumer is not None:
        channel.stop_consumer(consumer, "client")
        channel.auto_delete(consumer.queue)


def basic_get(channel: Channel, method: commands.Basic.Get) -> None:
    """Hand out one message, or say that there is none."""
    name = queue_name(channel, method.queue)
    channel.actor.may(READ, "queue", name)
    queue = channel.vhost.queue(name, channel.actor)
    entry, left = queue.get()
    channel.connection.asks_in_vain = entry is None
    if entry is None:
        queue.counts.get_empty += 1
        # Asking and hearing "nothing new" is waiting: a world full of such questions is idle.
        channel.connection.broker.activity -= 1
        channel.send(commands.Basic.GetEmpty())
        return
    tag = channel.unacked.next_tag()
    if method.no_ack:
        queue.counts.get_no_ack += 1
    else:
        channel.hold(tag, entry, queue, None)
        queue.unacked_count += 1
        queue.counts.get += 1
    queue.counts.redeliver += entry.redelivered
    queue.handed_out(entry, no_ack=method.no_ack)
    message = entry.message
    connection = channel.connection
    connection.write(
        get_ok_frame(channel.number, tag, entry.redelivered, message.route, left)
        + content_frames(channel.number, header_of(entry), message.body, connection.frame_max)
    )
    if channel.observe is not None:
        channel.emit(
            "basic.get",
            queue=queue.name,
            message=message.number,
            tag=tag,
            redelivered=entry.redelivered,
            no_ack=method.no_ack,
        )
    if channel.vhost.tracing:
        firehose.copy_delivered(channel, queue, entry)


def basic_ack(channel: Channel, method: commands.Basic.Ack) -> None:
    """Settle deliveries."""
    settling.ack(channel, method.delivery_tag, multiple=method.multiple)


def basic_nack(channel: Channel, method: commands.Basic.Nack) -> None:
    """Refuse deliveries."""
    settling.refuse(
        channel,
        "basic.nack",
        method.delivery_tag or 0,
        multiple=method.multiple,
        requeue=method.requeue,
    )


def basic_reject(channel: Channel, method: commands.Basic.Reject) -> None:
    """Refuse one delivery."""
    settling.refuse(
        channel, "basic.reject", method.delivery_tag or 0, multiple=False, requeue=method.requeue
    )


def basic_recover_async(channel: Channel, method: commands.Basic.RecoverAsync) -> None:
    """Requeue everything outstanding on the channel, without a reply."""
    _recover(channel, method.requeue)


def basic_recover(channel: Channel, method: commands.Basic.Recover) -> None:
    """Requeue everything outstanding on the channel."""
    _recover(channel, method.requeue)
    channel.send(commands.Basic.RecoverOk())


def _recover(channel: Channel, requeue: bool) -> None:
    if not requeue:
        raise AmqpError(NOT_IMPLEMENTED, "requeue=false")
    settling.give_back(channel, channel.unacked.take_all(), "recover")


def confirm_select(channel: Channel, method: commands.Confirm.Select) -> None:
    """Confirm what is published from now on. Selecting twice is fine."""
    if channel.transaction is not None:
        raise AmqpError(PRECONDITION_FAILED, "cannot switch from tx to confirm mode")
    channel.confirms.selected = True
    if not method.nowait:
        channel.send(commands.Confirm.SelectOk())


HANDLERS: Final[Mapping[MethodId, Callable[[Channel, Any], None]]] = {
    (60, 10): basic_qos,
    (60, 20): basic_consume,
    (60, 30): basic_cancel,
    (60, 70): basic_get,
    (60, 80): basic_ack,
    (60, 90): basic_reject,
    (60, 100): basic_recover_async,
    (60, 110): basic_recover,
    (60, 120): basic_nack,
    (85, 10): confirm_select,
}
