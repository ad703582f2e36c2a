"""Exchanges decide which queues (or other exchanges) get a message.

A type is a *router*: three small classes below, listed in `ROUTERS`. Bindings are kept in the
exchange, each with its target, key and arguments; the router is an index over them. The type
`headers` has no index: every binding is compared (`headers`).
[amqp-0-9-1 3.1.3 "Exchange Types"]

To add an exchange type, write a router and add it to `ROUTERS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, TypeAlias

from sandbox.brokers.amqp.headers import matches
from sandbox.brokers.amqp.topic import TopicTree

if TYPE_CHECKING:
    from sandbox.brokers.amqp.policies import Policy
    from sandbox.brokers.amqp.queue import Queue

    Target: TypeAlias = "Queue | Exchange"


class Binding(NamedTuple):
    """A target's wish to get what matches a key. Two equal ones are one."""

    target: Target
    routing_key: str
    arguments: tuple[tuple[str, str], ...]


class Router(Protocol):
    """An index over an exchange's bindings. Keys are added and removed once per target."""

    def add(self, routing_key: str, target: Target) -> None:
        """A first binding of this target with this key."""

    def remove(self, routing_key: str, target: Target) -> None:
        """The last such binding is gone."""

    def route(self, routing_key: str) -> Iterable[Target]:
        """The targets a message with this key goes to, each once."""
        ...


class DirectRouter:
    """The key must be equal."""

    def __init__(self) -> None:
        self._targets: dict[str, dict[Target, None]] = {}

    def add(self, routing_key: str, target: Target) -> None:
        """Index a binding."""
        self._targets.setdefault(routing_key, {})[target] = None

    def remove(self, routing_key: str, target: Target) -> None:
        """Forget a binding."""
        targets = self._targets[routing_key]
        del targets[target]
        if not targets:
            del self._targets[routing_key]

    def route(self, routing_key: str) -> Iterable[Target]:
        """What is bound with exactly this key."""
        return self._targets.get(routing_key, ())


class FanoutRouter:
    """The key does not matter."""

    def __init__(self) -> None:
        self._targets: dict[Target, int] = {}

    def add(self, routing_key: str, target: Target) -> None:
        """Index a binding."""
        self._targets[target] = self._targets.get(target, 0) + 1

    def remove(self, routing_key: str, target: Target) -> None:
        """Forget a binding."""
        self._targets[target] -= 1
        if not self._targets[target]:
            del self._targets[target]

    def route(self, routing_key: str) -> Iterable[Target]:
        """All bound targets."""
        return self._targets


class TopicRouter:
    """The binding's key is a pattern."""

    def __init__(self) -> None:
        self._tree: TopicTree[Target] = TopicTree()

    def add(self, routing_key: str, target: Target) -> None:
        """Index a binding."""
        self._tree.add(routing_key, target)

    def remove(self, routing_key: str, target: Target) -> None:
        """Forget a binding."""
        self._tree.remove(routing_key, target)

    def route(self, routing_key: str) -> Iterable[Target]:
        """What has a matching pattern."""
        return self._tree.match(routing_key)


ROUTERS: Final[Mapping[str, Callable[[], Router]]] = {
    "direct": DirectRouter,
    "fanout": FanoutRouter,
    "topic": TopicRouter,
}
HEADERS: Final = "headers"
#: What a client may declare.
KINDS: Final = frozenset({*ROUTERS, HEADERS})

#: Where the firehose goes (`firehose`). Only the server publishes here.
TRACE_EXCHANGE: Final = "amq.rabbitmq.trace"
#: The exchanges every virtual host begins with. The first is the default exchange.
PREDECLARED: Final = (
    ("", "direct"),
    ("amq.direct", "direct"),
    ("amq.fanout", "fanout"),
    ("amq.headers", "headers"),
    ("amq.match", "headers"),
    (TRACE_EXCHANGE, "topic"),
    ("amq.topic", "topic"),
)


class Exchange:
    """An exchange and its bindings."""

    what: Final = "exchange"

    def __init__(
        self,
        name: str,
        kind: str,
        *,
        durable: bool = False,
        auto_delete: bool = False,
        internal: bool = False,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        self.name = name
        self.kind = kind
        self.durable = durable
        self.auto_delete = auto_delete
        self.internal = internal
        self.deleted = False
        self.arguments = dict(arguments or {})
        #: An alternate exchange that a policy sets; an argument goes before it.
        self.policy_alternate: str | None = None
        #: The policy that holds for it.
        self.policy: Policy | None = None
        self.bindings: dict[Binding, Mapping[str, Any]] = {}
        self._router = ROUTERS.get(kind, FanoutRouter)()
        #: How many bindings (they differ in arguments) lead to a target by one key.
        self._pairs: dict[tuple[Target, str], int] = {}

    def bind(self, target: Target, routing_key: str, arguments: Mapping[str, Any]) -> bool:
        """Add a binding; False if it was there already."""
        binding = _binding(target, routing_key, arguments)
        if binding in self.bindings:
            return False
        self.bindings[binding] = arguments
        pair = (target, routing_key)
        self._pairs[pair] = self._pairs.get(pair, 0) + 1
        if self._pairs[pair] == 1:
            self._router.add(routing_key, target)
        return True

    def unbind(self, target: Target, routing_key: str, arguments: Mapping[str, Any]) -> bool:
        """Remove a binding; False if there was none."""
        binding = _binding(target, routing_key, arguments)
        if binding not in self.bindings:
            return False
        self._forget(binding)
        return True

    def unbind_target(self, target: Target) -> int:
        """Remove all bindings to a target that goes away; returns how many there were."""
        gone = [binding for binding in self.bindings if binding.target is target]
        for binding in gone:
            self._forget(binding)
        return len(gone)

    @property
    def alternate(self) -> str | None:
        """The exchange that gets what this one has no target for."""
        alternate: str | None = self.arguments.get("alternate-exchange")
        return self.policy_alternate if alternate is None else alternate

    def route(self, routing_key: str, headers: Mapping[str, Any]) -> Iterable[Target]:
        """What a message with this key and these headers goes to; something may come twice."""
        if self.kind == HEADERS:
            return [b.target for b, pattern in self.bindings.items() if matches(pattern, headers)]
        return self._router.route(routing_key)

    def _forget(self, binding: Binding) -> None:
        del self.bindings[binding]
        pair = (binding.target, binding.routing_key)
        self._pairs[pair] -= 1
        if not self._pairs[pair]:
            del self._pairs[pair]
            self._router.remove(binding.routing_key, binding.target)


def _binding(target: Target, routing_key: str, arguments: Mapping[str, Any]) -> Binding:
    fingerprint = tuple(sorted((key, repr(value)) for key, value in arguments.items()))
    return Binding(target, routing_key, fingerprint)
