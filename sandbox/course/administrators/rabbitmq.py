"""`lab.rabbitmq`: the checks' administrator of the run's RabbitMQ. Bodies are text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sandbox.course.administrators.values import Values, texts
from sandbox.course.administrators.values import bodies as encoded
from sandbox.course.fate import fate
from sandbox.stack.base import Message, RabbitMQObserver


class RabbitMQ:
    """See the module."""

    def __init__(self, observer: RabbitMQObserver, file: Path) -> None:
        self._observer = observer
        self._file = file

    def declare(self, queue: str, **arguments: Any) -> None:
        """Declare a queue: `durable`, `exclusive`, `auto_delete`, `arguments`."""
        self._observer.declare(queue, **arguments)

    def publish(
        self, queue: str, bodies: Sequence[str | bytes] | str | bytes, **properties: Any
    ) -> None:
        """Publish to a queue, declaring it (not durable) if nobody has."""
        self._observer.publish(queue, encoded(bodies), properties or None)

    def published(self, queue: str) -> Values:
        """Bodies that were routed to the queue, by anyone, in order."""
        return texts(self._observer.published(queue))

    def delivered(self, queue: str) -> Values:
        """Bodies handed to the exercise's processes, redeliveries again, in order."""
        return texts(self._observer.delivered(queue))

    def acked(self, queue: str) -> Values:
        """Bodies that the exercise's processes acknowledged, or took without needing to."""
        return texts(self._observer.acked(queue))

    def ready(self, queue: str) -> int:
        """How many messages wait for a consumer; 0 when there is no such queue."""
        return self._observer.ready(queue)

    def unacked(self, queue: str) -> int:
        """How many deliveries are not settled; 0 when there is no such queue."""
        return self._observer.unacked(queue)

    def consumers(self, queue: str) -> int:
        """How many consumers the queue has; 0 when there is no such queue."""
        return self._observer.consumers(queue)

    def exists(self, queue: str) -> bool:
        """Whether there is such a queue."""
        return self._observer.exists(queue)

    def durable(self, queue: str) -> bool:
        """Whether there is such a queue and it would survive a restart."""
        return self._observer.durable(queue)

    def messages(self, queue: str) -> list[Message]:
        """The ready messages, oldest first; they stay where they are."""
        return self._observer.messages(queue)

    def connections(self) -> list[str]:
        """The names of connected processes, one per connection."""
        return self._observer.connections()

    def restart(self) -> None:
        """Stop and start it in good order, where the server is the run's own."""
        self._observer.restart()

    def kill(self) -> None:
        """End it at once and leave it down."""
        self._observer.kill()

    def start(self) -> None:
        """Start it after `kill`."""
        self._observer.start()

    def events(self, kind: str) -> list[Mapping[str, Any]]:
        """Trace events of a kind, where the stack keeps a trace."""
        return self._observer.events(kind)

    def fate(self, queue: str, body: str) -> str:
        """What became of a message, for a failure's message: "`worker` acknowledged it at t = ...".

        Quotes the exercise's line below it, where there is one. "" on a stack without a trace.
        """
        return fate(self._observer.events, self._file, queue, body.encode())
