"""A consumer: a client's standing wish for a queue's messages, and how many it may hold.

Two limits can apply. `prefetch_count` set before `basic.consume` counts this consumer's own
unacknowledged deliveries; the channel's global one (`basic.qos` with `global`) counts those of all
its consumers. A consumer at a limit is *parked*: the queue stops offering it messages until one is
settled. Without acknowledgements (`no_ack`) nothing is ever outstanding, so its own prefetch has no
effect. [RabbitMQ: "Consumer Prefetch"]
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sandbox.brokers.amqp.codec import deliver_prefix

if TYPE_CHECKING:
    from sandbox.brokers.amqp.channel import Channel
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
        self.unacked_count = 0
        self.deliver_prefix = deliver_prefix(tag)

    def can_take(self) -> bool:
        """True if no limit forbids another delivery."""
        if self.prefetch_count and self.unacked_count >= self.prefetch_count:
            return False
        return self.channel.unacked.has_room()
