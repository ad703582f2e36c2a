"""Exchanges decide which queues get a message.

A type is a *router*: three small classes below, listed in `ROUTERS`. Bindings are kept in the
exchange, each with its queue, key and arguments; the router is an index over them.
[amqp-0-9-1 3.1.3 "Exchange Types"]

To add an exchange type, write a router and add it to `ROUTERS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from sandbox.brokers.amqp.topic import TopicTree

if TYPE_CHECKING:
    from sandbox.brokers.amqp.queue import Queue


class Binding(NamedTuple):
    """A queue's wish to get what matches a key. Two equal ones are one."""

    queue: Queue
    routing_key: str
    arguments: tuple[tuple[str, str], ...]


class Router(Protocol):
    """An index over an exchange's bindings. Keys are added and removed once per queue."""

    def add(self, routing_key: str, queue: Queue) -> None:
        """A first binding of this queue with this key."""

    def remove(self, routing_key: str, queue: Queue) -> None:
        """The last such binding is gone."""

    def route(self, routing_key: str) -> Iterable[Queue]:
        """The queues a message with this key goes to, each once."""
        ...


class DirectRouter:
    """The key must be equal."""

    def __init__(self) -> None:
        self._queues: dict[str, dict[Queue, None]] = {}

    def add(self, routing_key: str, queue: Queue) -> None:
        """Index a binding."""
        self._queues.setdefault(routing_key, {})[queue] = None

    def remove(self, routing_key: str, queue: Queue) -> None:
        """Forget a binding."""
        queues = self._queues[routing_key]
        del queues[queue]
        if not queues:
            del self._queues[routing_key]

    def route(self, routing_key: str) -> Iterable[Queue]:
        """Queues bound with exactly this key."""
        return self._queues.get(routing_key, ())


class FanoutRouter:
    """The key does not matter."""

    def __init__(self) -> None:
        self._queues: dict[Queue, int] = {}

    def add(self, routing_key: str, queue: Queue) -> None:
        """Index a binding."""
        self._queues[queue] = self._queues.get(queue, 0) + 1

    def remove(self, routing_key: str, queue: Queue) -> None:
        """Forget a binding."""
        self._queues[queue] -= 1
        if not self._queues[queue]:
            del self._queues[queue]

    def route(self, routing_key: str) -> Iterable[Queue]:
        """All bound queues."""
        return self._queues


class TopicRouter:
    """The binding's key is a pattern."""

    def __init__(self) -> None:
        self._tree: TopicTree[Queue] = TopicTree()

    def add(self, routing_key: str, queue: Queue) -> None:
        """Index a binding."""
        self._tree.add(routing_key, queue)

    def remove(self, routing_key: str, queue: Queue) -> None:
        """Forget a binding."""
        self._tree.remove(routing_key, queue)

    def route(self, routing_key: str) -> Iterable[Queue]:
        """Queues with a matching pattern."""
        return self._tree.match(routing_key)


ROUTERS: Final[Mapping[str, Callable[[], Router]]] = {
    "direct": DirectRouter,
    "fanout": FanoutRouter,
    "topic": TopicRouter,
}
#: Types RabbitMQ has and the sandbox does not: an exchange of this type may exist, not be used.
NOT_YET: Final = frozenset({"headers"})

#: The exchanges every virtual host begins with. The first is the default exchange.
PREDECLARED: Final = (
    ("", "direct"),
    ("amq.direct", "direct"),
    ("amq.fanout", "fanout"),
    ("amq.headers", "headers"),
    ("amq.match", "headers"),
    ("amq.topic", "topic"),
)


class Exchange:
    """An exchange and its bindings."""

    def __init__(
        self,
        name: str,
        kind: str,
        *,
        durable: bool = False,
        auto_delete: bool = False,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        self.name = name
        self.kind = kind
        self.durable = durable
        self.auto_delete = auto_delete
        self.arguments = dict(arguments or {})
        self.bindings: dict[Binding, Mapping[str, Any]] = {}
        self._router = ROUTERS.get(kind, FanoutRouter)()
        #: How many bindings (they differ in arguments) lead to a queue by one key.
        self._pairs: dict[tuple[Queue, str], int] = {}

    def bind(self, queue: Queue, routing_key: str, arguments: Mapping[str, Any]) -> bool:
        """Add a binding; False if it was there already."""
        binding = _binding(queue, routing_key, arguments)
        if binding in self.bindings:
            return False
        self.bindings[binding] = dict(arguments)
        pair = (queue, routing_key)
        self._pairs[pair] = self._pairs.get(pair, 0) + 1
        if self._pairs[pair] == 1:
            self._router.add(routing_key, queue)
        return True

    def unbind(self, queue: Queue, routing_key: str, arguments: Mapping[str, Any]) -> bool:
        """Remove a binding; False if there was none."""
        binding = _binding(queue, routing_key, arguments)
        if binding not in self.bindings:
            return False
        self._forget(binding)
        return True

    def unbind_queue(self, queue: Queue) -> int:
        """Remove all bindings of a queue that goes away; returns how many there were."""
        gone = [binding for binding in self.bindings if binding.queue is queue]
        for binding in gone:
            self._forget(binding)
        return len(gone)

    def route(self, routing_key: str) -> Iterable[Queue]:
        """The queues a message with this key goes to, each once."""
        return self._router.route(routing_key)

    def _forget(self, binding: Binding) -> None:
        del self.bindings[binding]
        pair = (binding.queue, binding.routing_key)
        self._pairs[pair] -= 1
        if not self._pairs[pair]:
            del self._pairs[pair]
            self._router.remove(binding.routing_key, binding.queue)


def _binding(queue: Queue, routing_key: str, arguments: Mapping[str, Any]) -> Binding:
    fingerprint = tuple(sorted((key, repr(value)) for key, value in arguments.items()))
    return Binding(queue, routing_key, fingerprint)
