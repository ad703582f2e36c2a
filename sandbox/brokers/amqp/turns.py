"""Whose turn it is: the consumers of a queue.

Consumers stand in a ring; whoever got a message goes to the back, and one that may hold no more
leaves the ring (is *parked*) until it settles something. A higher `x-priority` goes first for as
long as it can take. With a single active consumer only one stands in the ring, and the others wait
until it leaves. [RabbitMQ: "Consumer Priorities", "Single Active Consumer"]
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.brokers.amqp.channel import Channel
    from sandbox.brokers.amqp.consumer import Consumer


class Turns:
    """Consumers in the order in which they get messages."""

    def __init__(self, *, single: bool) -> None:
        #: All of them, in order of arrival.
        self.consumers: dict[Consumer, None] = {}
        self.ring: deque[Consumer] = deque()
        #: Consumers at a limit, in the order they reached it.
        self._parked: dict[Consumer, None] = {}
        self._single = single
        self.active: Consumer | None = None
        self._ranked = False

    def add(self, consumer: Consumer) -> None:
        """Let a consumer take turns, as the last; or wait, if only one may be active."""
        self.consumers[consumer] = None
        self._ranked = self._ranked or consumer.priority != 0
        if self._single:
            self._choose()
        else:
            self.ring.append(consumer)

    def remove(self, consumer: Consumer) -> None:
        """Forget a consumer."""
        del self.consumers[consumer]
        if consumer in self._parked:
            del self._parked[consumer]
        elif consumer in self.ring:
            self.ring.remove(consumer)
        if consumer is self.active:
            self.active = None
            self._choose()

    def _choose(self) -> None:
        if self.active is None and self.consumers:
            # The first of those with the highest priority.
            self.active = max(self.consumers, key=_priority)
            self.ring.append(self.active)

    def next(self) -> Consumer | None:
        """Who gets the next message; goes to the back of the ring for it."""
        ring = self.ring
        while ring:
            consumer = max(ring, key=_priority) if self._ranked else ring[0]
            if consumer.can_take():
                if self._ranked:
                    ring.remove(consumer)
                    ring.append(consumer)
                else:
                    ring.rotate(-1)
                return consumer
            ring.remove(consumer)
            self._parked[consumer] = None
        return None

    def unpark(self, consumer: Consumer) -> bool:
        """A limit was lifted: if no other holds, the consumer takes turns again, as the last.

        Returns: True if it does.
        """
        if consumer not in self._parked or not consumer.can_take():
            return False
        del self._parked[consumer]
        self.ring.append(consumer)
        return True

    def unpark_channel(self, channel: Channel) -> None:
        """A channel's own limit was lifted: its consumers return in the order they left."""
        for consumer in [c for c in self._parked if c.channel is channel]:
            self.unpark(consumer)


def _priority(consumer: Consumer) -> int:
    return consumer.priority
