"""What a channel was given and has not settled: deliveries by tag, oldest first.

Delivery tags count up from 1 on each channel, so the order of tags is the order of delivery. One
acknowledgement names one tag, or with `multiple` every tag up to and including it; tag 0 then means
all. [amqp-0-9-1 1.8.3.13 "basic.ack"]
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from sandbox.brokers.amqp.errors import PRECONDITION_FAILED, AmqpError

if TYPE_CHECKING:
    from sandbox.brokers.amqp.consumer import Consumer
    from sandbox.brokers.amqp.message import Entry
    from sandbox.brokers.amqp.queue import Queue


class Delivery(NamedTuple):
    """A message handed out under a tag at a time. `consumer` is None for `basic.get`."""

    tag: int
    entry: Entry
    queue: Queue
    consumer: Consumer | None
    at_ns: int


class Unacked:
    """The outstanding deliveries of one channel, and the channel-wide prefetch limit."""

    def __init__(self) -> None:
        self.last_tag = 0
        #: `basic.qos` with `global`: at most this many deliveries to consumers, 0 for no limit.
        self.global_prefetch_count = 0
        self._deliveries: dict[int, Delivery] = {}
        self._held_by_consumers = 0

    def __len__(self) -> int:
        return len(self._deliveries)

    def __iter__(self) -> Iterator[Delivery]:
        return iter(self._deliveries.values())

    def next_tag(self) -> int:
        """Number a delivery, whether or not it will have to be settled."""
        self.last_tag += 1
        return self.last_tag

    def add(
        self, tag: int, entry: Entry, queue: Queue, consumer: Consumer | None, now_ns: int
    ) -> None:
        """Remember a delivery until it is settled."""
        self._deliveries[tag] = Delivery(tag, entry, queue, consumer, now_ns)
        if consumer is not None:
            self._held_by_consumers += 1

    def has_room(self) -> bool:
        """True if the channel-wide limit allows another delivery."""
        limit = self.global_prefetch_count
        return not limit or self._held_by_consumers < limit

    def take(self, tag: int, *, multiple: bool) -> list[Delivery]:
        """Forget what a client settles and return it, oldest first.

        Raises:
            AmqpError: 406, the tag names no outstanding delivery: never given out, settled
                already, or given out on another channel. [amqp-0-9-1 1.8.3.13]
        """
        if not multiple:
            delivery = self._deliveries.pop(tag, None)
            if delivery is None:
                raise _unknown(tag)
            if delivery.consumer is not None:
                self._held_by_consumers -= 1
            return [delivery]
        if tag == 0:
            return self.take_all()
        if tag not in self._deliveries:
            raise _unknown(tag)
        settled = []
        for number, delivery in self._deliveries.items():
            settled.append(delivery)
            if number == tag:
                break
        for delivery in settled:
            del self._deliveries[delivery.tag]
            if delivery.consumer is not None:
                self._held_by_consumers -= 1
        return settled

    def put_back(self, deliveries: Iterable[Delivery]) -> None:
        """What was taken is outstanding after all."""
        for delivery in deliveries:
            self._deliveries[delivery.tag] = delivery
            if delivery.consumer is not None:
                self._held_by_consumers += 1
        self._deliveries = dict(sorted(self._deliveries.items()))

    def take_all(self) -> list[Delivery]:
        """Forget everything and return it, oldest first."""
        deliveries = list(self._deliveries.values())
        self._deliveries.clear()
        self._held_by_consumers = 0
        return deliveries


def _unknown(tag: int) -> AmqpError:
    return AmqpError(PRECONDITION_FAILED, f"unknown delivery tag {tag}")
