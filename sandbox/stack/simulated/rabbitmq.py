"""The checks' administrator of the simulated RabbitMQ: acts on the broker, reads the trace.

See `sandbox.stack.base.RabbitMQObserver` for what each method promises.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sandbox.brokers.amqp import Broker
from sandbox.brokers.amqp.queue import Queue
from sandbox.sim.services import Service
from sandbox.sim.trace import Event, Trace
from sandbox.stack.base import Message
from sandbox.stack.simulated.events import as_dict

VHOST = "/"


class SimulatedRabbitMQ:
    """See the module."""

    def __init__(
        self, service: Service, trace: Trace, others: Collection[str] = frozenset()
    ) -> None:
        """`others` are the world's other brokers, whose events are none of ours."""
        self._service = service
        self._trace = trace
        self._others = others
        assert isinstance(service.broker, Broker)
        self._broker: Broker = service.broker

    def declare(
        self,
        queue: str,
        *,
        durable: bool = False,
        exclusive: bool = False,
        auto_delete: bool = False,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        self._service.act(
            lambda now_ns: self._broker.admin_declare_queue(
                VHOST,
                queue,
                durable=durable,
                exclusive=exclusive,
                auto_delete=auto_delete,
                arguments=arguments,
            )
        )

    def publish(
        self, queue: str, bodies: Sequence[bytes], properties: Mapping[str, Any] | None = None
    ) -> None:
        if not self.exists(queue):
            self.declare(queue)

        def publish(now_ns: int) -> None:
            for body in bodies:
                self._broker.admin_publish(VHOST, "", queue, body, properties or {}, now_ns)

        self._service.act(publish)

    def published(self, queue: str) -> list[bytes]:
        return [
            event.fields["body"]
            for event in self._trace.of_kind("basic.publish")
            if queue in event.fields["queues"]
        ]

    def delivered(self, queue: str) -> list[bytes]:
        return [body for body, _ in self._deliveries(queue)]

    def acked(self, queue: str) -> list[bytes]:
        bodies = self._bodies()
        settled = []
        for event in self._trace.of_kind("basic.ack", "basic.deliver", "basic.get"):
            fields = event.fields
            if fields.get("queue") != queue and queue not in fields.get("queues", ()):
                continue
            if event.kind == "basic.ack":
                settled += [bodies[number] for number in _settled(fields, queue)]
            elif fields["no_ack"]:
                settled.append(bodies[fields["message"]])
        return settled

    def ready(self, queue: str) -> int:
        found = self._queue(queue)
        return 0 if found is None else found.ready_count

    def unacked(self, queue: str) -> int:
        found = self._queue(queue)
        return 0 if found is None else found.unacked_count

    def consumers(self, queue: str) -> int:
        found = self._queue(queue)
        return 0 if found is None else found.consumer_count

    def exists(self, queue: str) -> bool:
        return self._queue(queue) is not None

    def durable(self, queue: str) -> bool:
        found = self._queue(queue)
        return found is not None and found.durable

    def messages(self, queue: str) -> list[Message]:
        found = self._queue(queue)
        if found is None:
            return []
        return [Message(entry.body, entry.properties, entry.redelivered) for entry in found.ready]

    def connections(self) -> list[str]:
        return [connection.peer.partition(":")[0] for connection in self._broker.connections]

    def restart(self) -> None:
        self._service.restart()

    def kill(self) -> None:
        self._service.stop(crash=True)

    def start(self) -> None:
        self._service.start()

    def events(self, kind: str) -> list[Mapping[str, Any]]:
        return [
            as_dict(event)
            for event in self._trace.of_kind(kind)
            if event.process not in self._others
        ]

    def _queue(self, name: str) -> Queue | None:
        return self._broker.vhosts[VHOST].queues.get(name)

    def _bodies(self) -> dict[int, bytes]:
        return {
            event.fields["message"]: event.fields["body"]
            for event in self._trace.of_kind("basic.publish")
        }

    def _deliveries(self, queue: str) -> Iterator[tuple[bytes, Event]]:
        bodies = self._bodies()
        for event in self._trace.of_kind("basic.deliver", "basic.get"):
            if event.fields["queue"] == queue:
                yield bodies[event.fields["message"]], event


def _settled(fields: Mapping[str, Any], queue: str) -> list[int]:
    """The ids of the messages of one queue that an acknowledgement settled."""
    return [number for number, name in zip(fields["messages"], fields["queues"], strict=True)
            if name == queue]  # fmt: skip
