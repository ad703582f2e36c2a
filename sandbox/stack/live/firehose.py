"""What was published and to which queues it went, as the broker itself tells it.

Only the broker knows where a message is routed. Its firehose publishes a copy of every message,
with the names of the queues it went to, to the exchange `amq.rabbitmq.trace`; this thread listens
there. [https://www.rabbitmq.com/docs/firehose]
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pika
import pika.exceptions

from sandbox.stack.base import StackUnavailable

#: A copy takes milliseconds; on a machine with much to do, now and then a second.
_COPY_S = 1.0
_PROBES = 20


class Firehose:
    """Listens to one virtual host's firehose from `start` to `close`."""

    def __init__(self, parameters: pika.ConnectionParameters) -> None:
        self._connection = pika.BlockingConnection(parameters)
        self._channel = self._connection.channel()
        queue = self._channel.queue_declare("", exclusive=True).method.queue
        self._channel.queue_bind(queue, "amq.rabbitmq.trace", "publish.#")
        self._channel.basic_consume(queue, self._on_copy, auto_ack=True)
        self._news = threading.Condition()
        self._probe = secrets.token_bytes(16)
        self._proven = False
        self._routed: defaultdict[str, list[bytes]] = defaultdict(list)
        self._count = 0
        self._thread = threading.Thread(target=self._listen, name="live-firehose", daemon=True)
        self._thread.start()

    def prove(self, publish: Callable[[bytes], None], turn_on: Callable[[], None]) -> None:
        """Publish until a copy comes back, turning the firehose on again where none does.

        RabbitMQ keeps the virtual hosts it traces in a list that it reads, changes and writes back;
        of two that are turned on in the same instant it can forget one.

        Raises:
            StackUnavailable: no copy ever came.
        """
        for _ in range(_PROBES):
            publish(self._probe)
            with self._news:
                if self._news.wait_for(lambda: self._proven, _COPY_S):
                    return
            turn_on()
        raise StackUnavailable(
            "RabbitMQ sends no copies of published messages to amq.rabbitmq.trace although tracing "
            "is on. See whether `rabbitmqctl trace_on -p VHOST` turns it on by hand."
        )

    def routed(self, queue: str) -> list[bytes]:
        """Bodies of the messages that went to the queue, in the order the broker took them."""
        with self._news:
            return list(self._routed[queue])

    def wait_for(self, count: int, timeout_s: float) -> bool:
        """Wait until the broker has told of so many messages in all; say whether it has."""
        with self._news:
            return self._news.wait_for(lambda: self._count >= count, timeout_s)

    def close(self) -> None:
        """Stop listening."""
        with suppress(pika.exceptions.AMQPError, OSError):
            self._connection.add_callback_threadsafe(self._channel.stop_consuming)
        deadline = time.monotonic() + 5
        self._thread.join(max(0.0, deadline - time.monotonic()))

    def _listen(self) -> None:
        with suppress(pika.exceptions.AMQPError, OSError):
            self._channel.start_consuming()
        with suppress(pika.exceptions.AMQPError, OSError):
            self._connection.close()

    def _on_copy(self, _channel: Any, _method: Any, properties: Any, body: bytes) -> None:
        with self._news:
            if body == self._probe:
                self._proven = True
                self._news.notify_all()
                return
            for queue in properties.headers.get("routed_queues", []):
                self._routed[queue].append(body)
            self._count += 1
            self._news.notify_all()
