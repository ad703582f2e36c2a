"""A consumer: a client's standing wish for a queue's messages, and how many it may hold.

Two limits can apply. `prefetch_count` set before `basic.consume` counts this consumer's own
unacknowledged deliveries; the channel's global one (`basic.qos` with `global`) counts those of all
its consumers. A consumer at a limit is *parked*: the queue stops offering it messages until one is
settled. Without acknowledgements (`no_ack`) nothing is ever outstanding, so its own prefetch has no
effect. [RabbitMQ: "Consumer Prefetch"] A client that does not read what it was sent gets no more
either (`base.Paced`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sandbox.brokers.amqp import edit
from sandbox.brokers.amqp.codec import deliver_prefix

if TYPE_CHECKING:
    from sandbox.brokers.amqp.channel import Channel
    from sandbox.brokers.amqp.message import Entry
    from sandbox.brokers.amqp.queue import Queue


class Consumer:
    """One consumer tag on one channel."""

    __slots__ = (
        "arguments",
        "channel",
        "deliver_prefix",
        "exclusive",
        "no_ack",
        "prefetch_count",
        "priority",
        "queue",
        "tag",
        "unacked_count",
    )

    def __init__(
        self,
        tag: str,
        channel: Channel,
        queue: Queue,
        *,
        no_ack: bool,
        exclusive: bool,
        prefetch_count: int,
        arguments: Mapping[str, Any],
    ) -> None:
        self.tag = tag
        self.channel = channel
        self.queue = queue
        self.no_ack = no_ack
        self.exclusive = exclusive
        self.prefetch_count = prefetch_count
        self.arguments = dict(arguments)
        self.priority = int(self.arguments.get("x-priority", 0))
        self.unacked_count = 0
        self.deliver_prefix = deliver_prefix(tag)

    def can_take(self) -> bool:
        """True if no limit forbids another delivery."""
        if self.prefetch_count and self.unacked_count >= self.prefetch_count:
            return False
        channel = self.channel
        return channel.unacked.has_room() and channel.connection.has_room()


def header_of(entry: Entry) -> bytes:
    """The content header to hand out: quorum queues say how often a message came back."""
    if entry.returns < 0:
        return entry.message.header
    return edit.with_header(entry.message.header, "x-delivery-count", edit.long(entry.returns))
