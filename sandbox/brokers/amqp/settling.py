"""Settling deliveries: ack, nack, reject, recover, and what happens to a holder's messages.

Settling frees room under the prefetch limits, so it is followed by handing out more. Messages that
are requeued are back in their queues before anything is handed out: a consumer that rejects one
with `requeue` may well get it again at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sandbox.brokers.amqp.channel import Channel
    from sandbox.brokers.amqp.message import Entry
    from sandbox.brokers.amqp.queue import Queue
    from sandbox.brokers.amqp.unacked import Delivery


#: Requeued because a client asked for it, and not because it left.
_ASKED: Final = frozenset({"nack", "reject", "recover"})


def ack(channel: Channel, tag: int, *, multiple: bool) -> None:
    """Settle deliveries for good.

    Raises:
        AmqpError: 406, unknown delivery tag.
    """
    settled = channel.unacked.take(tag, multiple=multiple)
    if channel.transaction is not None:
        act = partial(_ack, channel, settled, multiple=multiple)
        channel.transaction.settle_later(settled, act)
    else:
        _ack(channel, settled, multiple=multiple)


def _ack(channel: Channel, settled: Sequence[Delivery], *, multiple: bool) -> None:
    if channel.observe is not None:
        _trace(channel, "basic.ack", settled, multiple=multiple)
    for delivery in settled:
        delivery.queue.settled(delivery.entry)
    for queue in release(channel, settled):
        queue.dispatch()


def refuse(channel: Channel, kind: str, tag: int, *, multiple: bool, requeue: bool) -> None:
    """Settle deliveries that were not handled: put them back, or drop them.

    `kind` is "basic.nack" or "basic.reject".

    Raises:
        AmqpError: 406, unknown delivery tag.
    """
    settled = channel.unacked.take(tag, multiple=multiple)
    act = partial(_refuse, channel, kind, settled, multiple=multiple, requeue=requeue)
    if channel.transaction is not None:
        channel.transaction.settle_later(settled, act)
    else:
        act()


def _refuse(
    channel: Channel, kind: str, settled: Sequence[Delivery], *, multiple: bool, requeue: bool
) -> None:
    if channel.observe is not None:
        _trace(channel, kind, settled, multiple=multiple, requeue=requeue)
    if requeue:
        give_back(channel, settled, kind.removeprefix("basic."))
    else:
        woken = release(channel, settled)
        for delivery in settled:
            delivery.queue.counts.ack += 1
            delivery.queue.reject(delivery.entry)
        for queue in woken:
            queue.dispatch()


def give_back(channel: Channel, settled: Sequence[Delivery], reason: str) -> None:
    """Requeue deliveries where they were, then hand out again."""
    queues = dict.fromkeys(release(channel, settled))
    queues.update(dict.fromkeys(requeue_only(channel, settled, reason)))
    for queue in queues:
        queue.dispatch()


def requeue_only(channel: Channel, settled: Iterable[Delivery], reason: str) -> list[Queue]:
    """Requeue deliveries and return the queues they went to, without handing anything out."""
    returning: dict[Queue, list[Entry]] = {}
    for delivery in settled:
        if not delivery.queue.deleted:
            returning.setdefault(delivery.queue, []).append(delivery.entry)
    for queue, entries in returning.items():
        queue.requeue(entries, asked=reason in _ASKED)
        if channel.observe is not None:
            channel.emit(
                "requeue",
                queue=queue.name,
                messages=[entry.message.number for entry in entries],
                reason=reason,
            )
    return list(returning)


def release(channel: Channel, settled: Iterable[Delivery]) -> list[Queue]:
    """Give room back under the limits; returns queues whose consumers may take more."""
    woken: dict[Queue, None] = {}
    shared_limit = channel.unacked.global_prefetch_count
    for _, _, queue, consumer, _ in settled:
        queue.unacked_count -= 1
        if consumer is not None:
            consumer.unacked_count -= 1
            if not shared_limit and queue.unpark(consumer):
                woken[queue] = None
    if shared_limit:
        woken.update(unpark_all(channel))
    return list(woken)


def unpark_all(channel: Channel) -> dict[Queue, None]:
    """Let all consumers of a channel take turns again; returns their queues."""
    queues = dict.fromkeys(consumer.queue for consumer in channel.consumers.values())
    for queue in queues:
        queue.unpark_channel(channel)
    return queues


def _trace(channel: Channel, kind: str, settled: Sequence[Delivery], **fields: bool) -> None:
    channel.emit(
        kind,
        tags=[delivery.tag for delivery in settled],
        messages=[delivery.entry.message.number for delivery in settled],
        queues=[delivery.queue.name for delivery in settled],
        **fields,
    )
