"""A queue: messages in line, and consumers taking turns.

Every message has a position that never changes. Ready messages are kept in that order, so one that
comes back (requeued, or its holder died) is again where it was and not at the end: RabbitMQ's
classic queues do the same. Consumers stand in a ring; whoever got a message goes to the back, and
one that may hold no more leaves the ring (is *parked*) until it settles something.

This file decides who gets what and when. What goes over the wire is the channel's business.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sandbox.brokers.amqp.message import Entry, Message

if TYPE_CHECKING:
    from sandbox.brokers.amqp.channel import Channel
    from sandbox.brokers.amqp.consumer import Consumer


class Queue:
    """A queue and its consumers.

    `owner` is the connection of an exclusive queue: nobody else may touch it, and it goes away
    with that connection.
    """

    def __init__(
        self,
        name: str,
        *,
        durable: bool = False,
        auto_delete: bool = False,
        owner: object | None = None,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        self.name = name
        self.durable = durable
        self.auto_delete = auto_delete
        self.owner = owner
        self.arguments: Mapping[str, Any] = {} if arguments is None else arguments
        self.deleted = False
        self.unacked_count = 0
        self.consumers: dict[Consumer, None] = {}
        self._ready: deque[Entry] = deque()
        self._ring: deque[Consumer] = deque()
        #: Consumers at a limit, in the order they reached it.
        self._parked: dict[Consumer, None] = {}
        self._next_position = 0

    @property
    def exclusive(self) -> bool:
        """True if the queue belongs to one connection."""
        return self.owner is not None

    @property
    def ready_count(self) -> int:
        """How many messages wait for a consumer."""
        return len(self._ready)

    @property
    def consumer_count(self) -> int:
        """How many consumers there are, whatever they can take."""
        return len(self.consumers)

    @property
    def ready(self) -> Iterator[Entry]:
        """The waiting messages, oldest first."""
        return iter(self._ready)

    # -- messages ------------------------------------------------------------------------------

    def publish(self, message: Message) -> None:
        """Put a message at the end and hand out what can be handed out."""
        self._ready.append(Entry(message, self._next_position))
        self._next_position += 1
        if self._ring:
            self.dispatch()

    def get(self) -> Entry | None:
        """Take the oldest ready message out of the line."""
        return self._ready.popleft() if self._ready else None

    def purge(self) -> int:
        """Forget all ready messages; those handed out are not touched. Returns how many."""
        count = len(self._ready)
        self._ready.clear()
        return count

    def requeue(self, entries: Sequence[Entry]) -> None:
        """Put handed-out messages back where they were, and mark them as delivered before.

        Hands out nothing: the caller decides when (`dispatch`).
        """
        returning = sorted(entries, key=_position)
        for entry in returning:
            entry.redelivered = True
        # Usually the oldest messages come back, or none is older than the newest of them.
        newest = returning[-1].position
        ahead = []
        while self._ready and self._ready[0].position < newest:
            ahead.append(self._ready.popleft())
        if ahead:
            returning = sorted([*ahead, *returning], key=_position)
        self._ready.extendleft(reversed(returning))

    def restore(self, entries: Sequence[Entry]) -> None:
        """Make `entries`, in order, all there is: what a restart kept."""
        self._ready = deque(entries)

    # -- consumers -----------------------------------------------------------------------------

    @property
    def exclusive_consumer(self) -> bool:
        """True if one consumer asked to be the only one."""
        return any(consumer.exclusive for consumer in self.consumers)

    def add_consumer(self, consumer: Consumer) -> None:
        """Let a consumer take turns, last in the ring."""
        self.consumers[consumer] = None
        self._ring.append(consumer)

    def remove_consumer(self, consumer: Consumer) -> None:
        """Offer this consumer nothing more. What it holds stays unacknowledged."""
        del self.consumers[consumer]
        if consumer in self._parked:
            del self._parked[consumer]
        else:
            self._ring.remove(consumer)

    def unpark(self, consumer: Consumer) -> bool:
        """A limit was lifted: if no other holds, the consumer takes turns again, as the last.

        Returns: True if it does.
        """
        if consumer not in self._parked or not consumer.can_take():
            return False
        del self._parked[consumer]
        self._ring.append(consumer)
        return True

    def unpark_channel(self, channel: Channel) -> None:
        """A channel's own limit was lifted: its consumers return in the order they left."""
        for consumer in [c for c in self._parked if c.channel is channel]:
            self.unpark(consumer)

    def dispatch(self) -> None:
        """Hand out ready messages for as long as somebody can take one."""
        ready, ring = self._ready, self._ring
        while ready and ring:
            consumer = ring[0]
            if not consumer.can_take():
                self._parked[ring.popleft()] = None
                continue
            ring.rotate(-1)
            consumer.channel.deliver(consumer, ready.popleft())


def _position(entry: Entry) -> int:
    return entry.position
