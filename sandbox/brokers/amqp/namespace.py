"""A namespace: exchanges and queues by name, and the ways that lead from one to the other.

Here things are looked up; `exchanges` has what changes exchanges and bindings, `vhost` the rest.
Routes are remembered per exchange and key until the topology changes: see `route`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from sandbox.brokers.amqp.actor import ADMINISTRATOR, Actor
from sandbox.brokers.amqp.codec import split_route
from sandbox.brokers.amqp.errors import (
    ACCESS_REFUSED,
    AmqpError,
    locked_queue,
    no_exchange,
    no_queue,
)
from sandbox.brokers.amqp.exchange import PREDECLARED, TRACE_EXCHANGE, Exchange
from sandbox.brokers.amqp.properties import HEADER_SIZE, unpack_properties
from sandbox.brokers.amqp.routing import Route, resolve

if TYPE_CHECKING:
    from sandbox.brokers.amqp.journal import Journal
    from sandbox.brokers.amqp.message import Message
    from sandbox.brokers.amqp.policies import Policy
    from sandbox.brokers.amqp.queue import Queue
    from sandbox.brokers.base import Observer

_MAX_ROUTES: Final = 4096


class Namespace:
    """The names in one virtual host."""

    def __init__(self, name: str, *, observe: Observer | None, journal: Journal) -> None:
        self.name = name
        self.journal = journal
        self.queues: dict[str, Queue] = {}
        self.policies: dict[str, Policy] = {}
        self.exchanges: dict[str, Exchange] = {
            exchange: Exchange(exchange, kind, durable=True, internal=exchange == TRACE_EXCHANGE)
            for exchange, kind in PREDECLARED
        }
        self._observe = observe
        self._routes: dict[bytes, Route] = {}

    def exchange(self, name: str) -> Exchange:
        """Look an exchange up.

        Raises:
            AmqpError: 404.
        """
        exchange = self.exchanges.get(name)
        if exchange is None:
            raise no_exchange(name, self.name)
        return exchange

    def queue(self, name: str, actor: Actor = ADMINISTRATOR) -> Queue:
        """Look a queue up for somebody who wants to use it.

        Raises:
            AmqpError: 404 no such queue, 405 it is another connection's.
        """
        queue = self.queues.get(name)
        if queue is None:
            raise no_queue(name, self.name)
        if queue.owner is not None and actor.connection not in (queue.owner, None):
            raise locked_queue(name, self.name)
        return queue

    def route(self, packed: bytes) -> Route:
        """Resolve exchange and routing key, given as two short strings.

        Raises:
            AmqpError: 404, no such exchange; 403, an internal one.
        """
        route = self._routes.get(packed)
        if route is None:
            exchange, routing_key = split_route(packed)
            route = self._resolve(exchange, routing_key, {})
            if self.exchanges[exchange].internal:
                text = f"cannot publish to internal exchange '{exchange}' in vhost '{self.name}'"
                raise AmqpError(ACCESS_REFUSED, text)
            if len(self._routes) >= _MAX_ROUTES:
                self._routes.clear()
            self._routes[packed] = route
        return route

    def _resolve(self, exchange: str, routing_key: str, headers: Mapping[str, Any]) -> Route:
        self.exchange(exchange)
        return resolve(exchange, routing_key, headers, exchanges=self.exchanges, queues=self.queues)

    def lead(self, exchange: str, routing_key: str) -> tuple[Queue, ...]:
        """The queues that the server's own messages go to; internal exchanges are open to it."""
        return self._resolve(exchange, routing_key, {}).queues

    def queues_of(self, message: Message) -> tuple[Queue, ...]:
        """The queues a message goes to by its headers and all its routing keys.

        Raises:
            AmqpError: 404, no such exchange.
        """
        headers = unpack_properties(message.header[HEADER_SIZE:]).get("headers") or {}
        reached: dict[Queue, None] = {}
        for routing_key in (message.routing_key, *message.more_keys):
            route = self._resolve(message.exchange, routing_key, headers)
            reached.update(dict.fromkeys(route.queues))
        return tuple(reached)

    def forget_routes(self) -> None:
        """The topology changed: resolve everything anew."""
        self._routes.clear()

    # -- the trace -----------------------------------------------------------------------------

    def emit_own(self, kind: str, **fields: Any) -> None:
        """Trace what nobody in particular did."""
        self.emit(kind, ADMINISTRATOR, **fields)

    def emit(self, kind: str, actor: Actor, **fields: Any) -> None:
        """Trace what somebody did."""
        if self._observe is not None:
            self._observe(
                kind,
                {
                    "vhost": self.name,
                    **fields,
                    "connection": actor.peer,
                    "channel": actor.channel,
                },
            )
