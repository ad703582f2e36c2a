"""Where messages go that a queue gives up: to its dead-letter exchange, or nowhere.

One death can lead to another (a dead letter may overflow the queue it comes to), so they are worked
off one after another and not inside one another. What is written on them is `death`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sandbox.brokers.amqp.death import REJECTED, dead_letter, goes_in_a_circle

if TYPE_CHECKING:
    from sandbox.brokers.amqp.message import Message
    from sandbox.brokers.amqp.queue import Queue
    from sandbox.brokers.amqp.vhost import VirtualHost


class Graveyard:
    """The dead of one virtual host. `emit` traces, `epoch_ns` is what time it was at 0."""

    def __init__(
        self, vhost: VirtualHost, *, epoch_ns: int, emit: Callable[..., Any] | None
    ) -> None:
        self._vhost = vhost
        self._epoch_ns = epoch_ns
        self._emit = emit
        self._waiting: deque[tuple[Queue, Message, str]] = deque()
        self._working = False

    def bury(self, queue: Queue, message: Message, reason: str) -> None:
        """A queue gives a message up."""
        self._waiting.append((queue, message, reason))
        if self._working:
            return
        self._working = True
        try:
            while self._waiting:
                self._bury(*self._waiting.popleft())
        finally:
            self._working = False

    def _bury(self, queue: Queue, message: Message, reason: str) -> None:
        exchange = queue.options.dead_letter_exchange
        if exchange is None or exchange not in self._vhost.exchanges:
            self._trace(queue, message, reason, None, ())
            return
        time_s = (self._epoch_ns + self._vhost.timers.now_ns) // 1_000_000_000
        dead = dead_letter(
            message,
            queue=queue.name,
            reason=reason,
            exchange=exchange,
            routing_key=queue.options.dead_letter_routing_key,
            time_s=time_s,
        )
        queues = self._vhost.queues_of(dead)
        if reason != REJECTED:
            queues = tuple(each for each in queues if not goes_in_a_circle(dead, each.name))
        self._trace(queue, dead, reason, exchange, queues)
        for each in queues:
            each.publish(dead)

    def _trace(
        self,
        queue: Queue,
        message: Message,
        reason: str,
        exchange: str | None,
        queues: tuple[Queue, ...],
    ) -> None:
        if self._emit is not None:
            self._emit(
                "message.dead",
                queue=queue.name,
                message=message.number,
                reason=reason,
                exchange=exchange,
                routing_key=None if exchange is None else message.routing_key,
                queues=[each.name for each in queues],
            )
