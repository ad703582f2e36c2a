"""`lab.rabbitmq` on a real broker: the checks' own administrator of the run's virtual host.

Publishing is answered by the firehose, deliveries and their settling by the ledger of frames that
passed the proxy, and what a queue holds now by the broker itself. Looking at a queue's messages
takes them and puts them back, so the broker marks them as redelivered; the simulated world can
look without touching.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NoReturn, cast

import pika
import pika.exceptions

from sandbox.stack.base import Message, StackUnavailable
from sandbox.stack.live.firehose import Firehose
from sandbox.stack.live.ledger import Ledger
from sandbox.stack.live.management import Management
from sandbox.stack.live.process import LiveProcess
from sandbox.stack.live.proxy import ProxiedConnection

_NOT_FOUND, _LOCKED = 404, 405
#: How long the firehose may lag behind the proxy before we take its word as final. A busy machine
#: delays it by seconds.
_PATIENCE_S = 15.0
_PROPERTIES = (
    "content_type",
    "content_encoding",
    "headers",
    "delivery_mode",
    "priority",
    "correlation_id",
    "reply_to",
    "expiration",
    "message_id",
    "timestamp",
    "type",
    "user_id",
    "app_id",
    "cluster_id",
)


@dataclass(frozen=True)
class _Look:
    """What a passive declaration answers: counts, or the code of its refusal (404, 405)."""

    refusal: int | None
    messages: int = 0
    consumers: int = 0


class LiveRabbitMQ:
    """Acts and observes in one virtual host; see `sandbox.stack.base.RabbitMQObserver`."""

    def __init__(
        self,
        parameters: pika.ConnectionParameters,
        management: Management,
        ledger: Ledger,
        changed: threading.Condition,
        processes: Sequence[LiveProcess],
    ) -> None:
        self._vhost = parameters.virtual_host
        self._management = management
        self._ledger = ledger
        self._changed = changed
        self._processes = processes
        self._firehose = Firehose(parameters)
        self._connection = pika.BlockingConnection(parameters)
        self._channel = self._connection.channel()
        self._channel.confirm_delivery()
        self._published_here = 0
        self._firehose.prove(
            lambda probe: self._channel.basic_publish("", secrets.token_hex(8), probe),
            lambda: management.trace(self._vhost),
        )

    def declare(
        self,
        queue: str,
        *,
        durable: bool = False,
        exclusive: bool = False,
        auto_delete: bool = False,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        """Declare a queue as the administrator."""
        self._try(
            lambda: self._channel.queue_declare(
                queue,
                durable=durable,
                exclusive=exclusive,
                auto_delete=auto_delete,
                arguments=dict(arguments or {}),
            )
        )

    def publish(
        self, queue: str, bodies: Sequence[bytes], properties: Mapping[str, Any] | None = None
    ) -> None:
        """Publish to the queue, which is declared if nobody has; wait until the broker has all."""
        if not self.exists(queue):
            self.declare(queue)
        message_properties = cast(Any, pika.BasicProperties)(**dict(properties or {}))
        for body in bodies:
            self._channel.basic_publish("", queue, body, message_properties)
            self._published_here += 1

    def published(self, queue: str) -> list[bytes]:
        """Bodies routed to the queue, by anyone, in the order the broker took them."""
        self._await_firehose()
        return self._firehose.routed(queue)

    def delivered(self, queue: str) -> list[bytes]:
        """Bodies handed to the exercise's processes, redeliveries again."""
        with self._changed:
            return list(self._ledger.delivered[queue])

    def acked(self, queue: str) -> list[bytes]:
        """Bodies the exercise's processes acknowledged, or took without having to."""
        with self._changed:
            return list(self._ledger.acked[queue])

    def ready(self, queue: str) -> int:
        """How many messages wait for a consumer."""
        seen = self._look(queue)
        if seen.refusal != _LOCKED:
            return seen.messages
        # Another connection's exclusive queue says nothing to us.
        self._await_firehose()
        return self._ready_by_ledger(queue)

    def unacked(self, queue: str) -> int:
        """How many deliveries are not settled."""
        with self._changed:
            return self._ledger.unacked(queue)

    def consumers(self, queue: str) -> int:
        """How many consumers the queue has."""
        seen = self._look(queue)
        if seen.refusal != _LOCKED:
            return seen.consumers
        with self._changed:
            return self._ledger.consumers(queue)

    def exists(self, queue: str) -> bool:
        """Whether there is such a queue."""
        return self._look(queue).refusal != _NOT_FOUND

    def durable(self, queue: str) -> bool:
        """Whether the queue would survive a restart of the broker."""
        known = self._management.queue(self._vhost, queue)
        return bool(known and known.get("durable"))

    def messages(self, queue: str) -> list[Message]:
        """The ready messages, oldest first. They go back to their places, marked redelivered."""
        found: list[Message] = []
        if self._look(queue).refusal:
            return found
        channel = self._connection.channel()
        while True:
            method, properties, body = channel.basic_get(queue)
            if method is None:
                break
            found.append(Message(body or b"", _as_dict(properties), bool(method.redelivered)))
        channel.close()
        return found

    def connections(self) -> list[str]:
        """The names of the exercise's processes that are connected, one per connection."""
        with self._changed:
            return [
                process.name
                for process in self._processes
                for connection in process.connections
                if isinstance(connection, ProxiedConnection)
                and connection.opened
                and not connection.closed
            ]

    def restart(self) -> NoReturn:
        """Raise: the server is shared with other virtual hosts. Raises: NotImplementedError."""
        raise NotImplementedError(
            "This RabbitMQ is not the run's own, so it is not restarted. Mark the check with "
            '@pytest.mark.stack("simulated").'
        )

    def kill(self) -> NoReturn:
        """Raise, as `restart`. Raises: NotImplementedError."""
        self.restart()

    def start(self) -> NoReturn:
        """Raise, as `restart`. Raises: NotImplementedError."""
        self.restart()

    def events(self, kind: str) -> NoReturn:
        """Raise: a real broker keeps no trace.

        Raises:
            NotImplementedError: always, with what to write instead.
        """
        raise NotImplementedError(
            f"A real broker keeps no trace, so there are no {kind!r} events. Mark the check with "
            '@pytest.mark.stack("simulated").'
        )

    def could_deliver(self) -> bool:
        """Whether a message is on its way to a consumer that has room for it, or should be.

        It waits in the queue, or the broker has taken it from the queue and not handed it over yet:
        then more was routed to the queue than has left it or is in it.
        """
        with self._changed:
            hungry = self._ledger.hungry_queues()
            told_of = self._ledger.publishes + self._published_here
        if not self._firehose.wait_for(told_of, 0):
            return True
        return any(self.ready(queue) or self._ready_by_ledger(queue) for queue in hungry)

    def close(self) -> None:
        """Leave the broker."""
        self._firehose.close()
        with suppress(pika.exceptions.AMQPError, OSError):
            self._connection.close()

    def _look(self, queue: str) -> _Look:
        """Declare the queue passively, on a channel that a refusal may close."""
        channel = self._connection.channel()
        try:
            declared = channel.queue_declare(queue, passive=True).method
        except pika.exceptions.ChannelClosedByBroker as refusal:
            if refusal.reply_code not in (_NOT_FOUND, _LOCKED):
                raise
            return _Look(refusal.reply_code)
        channel.close()
        return _Look(None, declared.message_count, declared.consumer_count)

    def _ready_by_ledger(self, queue: str) -> int:
        """How many messages went to the queue and have not left it, by what went by."""
        routed = len(self._firehose.routed(queue))
        with self._changed:
            out = len(self._ledger.delivered[queue]) - self._ledger.requeued[queue]
            return max(0, routed - out - self._ledger.purged[queue])

    def _await_firehose(self) -> None:
        """Wait until the firehose has told of all that went through the proxy."""
        with self._changed:
            expected = self._ledger.publishes + self._published_here
        self._firehose.wait_for(expected, _PATIENCE_S)

    def _try(self, act: Callable[[], Any]) -> None:
        try:
            act()
        except pika.exceptions.ChannelClosedByBroker:
            self._channel = self._connection.channel()
            self._channel.confirm_delivery()
            raise


def parameters(host: str, port: int, user: str, password: str, vhost: str) -> Any:
    """How the checks' own connections are made: no heartbeats, nobody serves them in between."""
    return pika.ConnectionParameters(
        host=host,
        port=port,
        virtual_host=vhost,
        credentials=pika.PlainCredentials(user, password),
        heartbeat=0,
        socket_timeout=5,
        stack_timeout=10,
        blocked_connection_timeout=10,
    )


def check_login(connection_parameters: pika.ConnectionParameters, address: str) -> None:
    """Connect once and leave.

    Raises:
        StackUnavailable: nothing answers there, or it refuses; says what to do.
    """
    try:
        pika.BlockingConnection(connection_parameters).close()
    except (
        pika.exceptions.ProbableAuthenticationError,
        pika.exceptions.ProbableAccessDeniedError,
        pika.exceptions.AuthenticationError,
    ) as refusal:
        user = getattr(connection_parameters.credentials, "username", "?")
        raise StackUnavailable(
            f"RabbitMQ at {address} refuses the user {user!r} with the password given "
            f"({refusal}). Put the right ones in AMQP_URL (amqp://user:password@host:5672/)."
        ) from refusal
    except (pika.exceptions.AMQPError, OSError) as error:
        raise StackUnavailable(
            f"No RabbitMQ answers at {address} ({type(error).__name__}). Start the stack "
            "(docker compose up --wait), or set AMQP_URL to your server's address."
        ) from error


def _as_dict(properties: Any) -> dict[str, Any]:
    values = {name: getattr(properties, name) for name in _PROPERTIES}
    return {name: value for name, value in values.items() if value is not None}
