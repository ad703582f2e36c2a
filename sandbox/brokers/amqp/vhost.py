"""A virtual host: the names of exchanges and queues, and what may be done to them.

Everything a client (or an administrator) can change about the topology is a method here, with the
checks RabbitMQ makes in the order it makes them, so that the error a program sees is the same one.
Who asks is an `Actor`; an exclusive queue compares its owner with the actor's connection.

Routes are remembered per exchange and key until the topology changes: see `route`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sandbox.brokers.amqp import arguments as args
from sandbox.brokers.amqp.checks import check_same, refuse_default_exchange, refuse_reserved
from sandbox.brokers.amqp.codec import split_route
from sandbox.brokers.amqp.errors import (
    ACCESS_REFUSED,
    COMMAND_INVALID,
    PRECONDITION_FAILED,
    AmqpError,
    locked_queue,
    no_exchange,
    no_queue,
)
from sandbox.brokers.amqp.exchange import HEADERS, KINDS, PREDECLARED, Exchange
from sandbox.brokers.amqp.graveyard import Graveyard
from sandbox.brokers.amqp.headers import check_pattern
from sandbox.brokers.amqp.permissions import CONFIGURE, READ, WRITE, Access
from sandbox.brokers.amqp.policies import Policy, apply_to_exchange, apply_to_queue
from sandbox.brokers.amqp.properties import HEADER_SIZE, unpack_properties
from sandbox.brokers.amqp.queue import Queue
from sandbox.brokers.amqp.routing import Route, resolve

if TYPE_CHECKING:
    from sandbox.brokers.amqp.message import Entry, Message
    from sandbox.brokers.base import Observer
    from sandbox.brokers.timers import Timers

_MAX_ROUTES: Final = 4096


class Actor(NamedTuple):
    """Who changes something: a client's channel, or (all None) an administrator."""

    connection: object | None = None
    peer: str | None = None
    channel: int | None = None
    access: Access | None = None

    def may(self, action: str, kind: str, name: str) -> None:
        """Check a permission.

        Raises:
            AmqpError: 403.
        """
        if self.access is not None:
            self.access.check(action, kind, name)


ADMINISTRATOR: Final = Actor()


class VirtualHost:
    """One namespace of exchanges and queues.

    `on_queue_deleted` is called for a queue that just went away, so that its consumers can be told.
    """

    def __init__(
        self,
        name: str,
        *,
        observe: Observer | None,
        on_queue_deleted: Callable[[Queue], None],
        new_name: Callable[[str], str],
        timers: Timers,
        epoch_ns: int = 0,
    ) -> None:
        self.name = name
        self.timers = timers
        self.queues: dict[str, Queue] = {}
        self.policies: dict[str, Policy] = {}
        self.exchanges: dict[str, Exchange] = {
            exchange: Exchange(exchange, kind, durable=True) for exchange, kind in PREDECLARED
        }
        self._observe = observe
        self._on_queue_deleted = on_queue_deleted
        self._new_name = new_name
        self._routes: dict[bytes, Route] = {}
        emit = None if observe is None else self._emit_own
        self._graveyard = Graveyard(self, epoch_ns=epoch_ns, emit=emit)

    # -- routing -------------------------------------------------------------------------------

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

    def bury(self, queue: Queue, entry: Entry, reason: str) -> None:
        """A queue gives a message up: `death` has the reasons."""
        self._graveyard.bury(queue, entry.message, reason)

    def forget_routes(self) -> None:
        """The topology changed: resolve everything anew."""
        self._routes.clear()

    # -- policies ------------------------------------------------------------------------------

    def set_policy(self, policy: Policy) -> None:
        """Add a policy, or replace the one of that name.

        Raises:
            ValueError: a sentence that says what is wrong with it.
        """
        policy.check()
        self.policies[policy.name] = policy
        self._apply_policies()

    def clear_policy(self, name: str) -> None:
        """Remove a policy; removing what is not there is fine."""
        self.policies.pop(name, None)
        self._apply_policies()

    def _apply_policies(self) -> None:
        policies = list(self.policies.values())
        for queue in list(self.queues.values()):
            apply_to_queue(queue, policies)
        for exchange in self.exchanges.values():
            apply_to_exchange(exchange, policies)
        self.forget_routes()

    # -- exchanges -----------------------------------------------------------------------------

    def exchange(self, name: str) -> Exchange:
        """Look an exchange up.

        Raises:
            AmqpError: 404.
        """
        exchange = self.exchanges.get(name)
        if exchange is None:
            raise no_exchange(name, self.name)
        return exchange

    def declare_exchange(
        self,
        name: str,
        kind: str,
        *,
        durable: bool = False,
        auto_delete: bool = False,
        internal: bool = False,
        arguments: Mapping[str, Any] | None = None,
        actor: Actor = ADMINISTRATOR,
    ) -> Exchange:
        """Create an exchange, or check that the one that is there is the same.

        Raises:
            AmqpError: 403 a name that is not for clients, 406 it exists and differs, 503 no such
                type, 540 a type or argument the sandbox does not have.
        """
        arguments = arguments or {}
        if kind not in KINDS:
            raise AmqpError(COMMAND_INVALID, f"unknown exchange type '{kind}'")
        refuse_default_exchange(name)
        actor.may(CONFIGURE, "exchange", name)
        existing = self.exchanges.get(name)
        if existing is not None:
            args.check_exchange_arguments(name, self.name, arguments)
            self._check_same_exchange(existing, kind, durable, auto_delete, internal)
            resource = f"exchange '{name}' in vhost '{self.name}'"
            compared = ("alternate-exchange",)
            args.check_same_arguments(resource, existing.arguments, arguments, compared)
            return existing
        refuse_reserved("exchange", name)
        if isinstance(alternate := arguments.get("alternate-exchange"), str):
            actor.may(READ, "exchange", name)
            actor.may(WRITE, "exchange", alternate)
        args.check_exchange_arguments(name, self.name, arguments)
        exchange = Exchange(
            name,
            kind,
            durable=durable,
            auto_delete=auto_delete,
            internal=internal,
            arguments=arguments,
        )
        self.exchanges[name] = exchange
        apply_to_exchange(exchange, self.policies.values())
        self.forget_routes()
        self._emit(
            "exchange.declare",
            actor,
            exchange=name,
            type=kind,
            durable=durable,
            auto_delete=auto_delete,
            arguments=dict(arguments),
        )
        return exchange

    def _check_same_exchange(
        self, existing: Exchange, kind: str, durable: bool, auto_delete: bool, internal: bool
    ) -> None:
        resource = f"exchange '{existing.name}' in vhost '{self.name}'"
        check_same(resource, "type", kind, existing.kind)
        check_same(resource, "durable", durable, existing.durable)
        check_same(resource, "auto_delete", auto_delete, existing.auto_delete)
        check_same(resource, "internal", internal, existing.internal)

    def delete_exchange(
        self, name: str, *, if_unused: bool = False, actor: Actor = ADMINISTRATOR
    ) -> None:
        """Delete an exchange and its bindings; deleting what is not there is fine.

        Raises:
            AmqpError: 403 the default or a system exchange, 406 in use.
        """
        refuse_default_exchange(name)
        if name.startswith("amq."):
            raise AmqpError(
                ACCESS_REFUSED,
                f"deletion of system exchange '{name}' in vhost '{self.name}' not allowed",
            )
        actor.may(CONFIGURE, "exchange", name)
        exchange = self.exchanges.get(name)
        if exchange is None:
            return
        if if_unused and exchange.bindings:
            raise AmqpError(PRECONDITION_FAILED, f"exchange '{name}' in vhost '{self.name}' in use")
        self._drop_exchange(exchange, actor, "client" if actor.connection else "administrator")

    def _drop_exchange(self, exchange: Exchange, actor: Actor, reason: str) -> None:
        del self.exchanges[exchange.name]
        exchange.deleted = True
        self.forget_routes()
        self._emit("exchange.delete", actor, exchange=exchange.name, reason=reason)
        self._unbind_everywhere(exchange, actor)

    def _unbind_everywhere(self, target: Queue | Exchange, actor: Actor) -> None:
        for exchange in list(self.exchanges.values()):
            if exchange.bindings and exchange.unbind_target(target):
                self._auto_delete_exchange(exchange, actor)

    # -- queues --------------------------------------------------------------------------------

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

    def declare_queue(
        self,
        name: str,
        *,
        durable: bool = False,
        exclusive: bool = False,
        auto_delete: bool = False,
        arguments: Mapping[str, Any] | None = None,
        actor: Actor = ADMINISTRATOR,
    ) -> Queue:
        """Create a queue, or check that the one that is there is the same.

        An empty name asks for one of the server's choosing. An exclusive queue is never durable:
        it could not outlive its connection.

        Raises:
            AmqpError: 403 a reserved name, 405 exclusive and not the actor's, 406 it exists and
                differs or an argument is wrong, 540 an argument the sandbox does not have.
        """
        arguments = {} if arguments is None else arguments
        durable = durable and not exclusive
        if name == "":
            name = self._new_name("amq.gen-")
        else:
            refuse_reserved("queue", name)
        actor.may(CONFIGURE, "queue", name)
        owner = actor.connection if exclusive else None
        existing = self.queues.get(name)
        if existing is not None:
            resource = f"queue '{name}' in vhost '{self.name}'"
            if existing.owner is not owner:
                raise locked_queue(name, self.name)
            check_same(resource, "durable", durable, existing.durable)
            check_same(resource, "auto_delete", auto_delete, existing.auto_delete)
            args.check_queue_arguments(name, self.name, arguments)
            args.check_same_arguments(resource, existing.arguments, arguments)
            existing.used()
            return existing
        args.check_queue_arguments(name, self.name, arguments)
        if "x-dead-letter-exchange" in arguments:
            actor.may(READ, "queue", name)
            actor.may(WRITE, "exchange", arguments["x-dead-letter-exchange"])
        args.check_queue_type(
            name,
            self.name,
            arguments,
            durable=durable,
            exclusive=exclusive,
            auto_delete=auto_delete,
        )
        queue = Queue(
            name, self, durable=durable, auto_delete=auto_delete, owner=owner, arguments=arguments
        )
        self.queues[name] = queue
        apply_to_queue(queue, self.policies.values())
        queue.used()
        self.forget_routes()
        self._emit(
            "queue.declare",
            actor,
            queue=name,
            durable=durable,
            exclusive=exclusive,
            auto_delete=auto_delete,
            arguments=dict(arguments),
        )
        return queue

    def delete_queue(
        self,
        name: str,
        *,
        if_unused: bool = False,
        if_empty: bool = False,
        actor: Actor = ADMINISTRATOR,
    ) -> int:
        """Delete a queue and return how many ready messages went with it.

        Deleting what is not there is fine.

        Raises:
            AmqpError: 405 it is another connection's, 406 in use or not empty.
        """
        actor.may(CONFIGURE, "queue", name)
        if name not in self.queues:
            return 0
        queue = self.queue(name, actor)
        resource = f"queue '{name}' in vhost '{self.name}'"
        if if_unused and queue.consumers:
            raise AmqpError(PRECONDITION_FAILED, f"{resource} in use")
        if if_empty and queue.ready_count:
            raise AmqpError(PRECONDITION_FAILED, f"{resource} not empty")
        return self.drop_queue(queue, actor, "client" if actor.connection else "administrator")

    def drop_queue(self, queue: Queue, actor: Actor, reason: str) -> int:
        """Remove a queue for a `reason`: a client, an administrator, auto-delete or exclusive."""
        count = queue.ready_count
        queue.stop()
        del self.queues[queue.name]
        self.forget_routes()
        self._emit("queue.delete", actor, queue=queue.name, reason=reason, ready=count)
        self._on_queue_deleted(queue)
        self._unbind_everywhere(queue, actor)
        return count

    def expire_queue(self, queue: Queue) -> None:
        """Nobody used a queue for as long as its `x-expires` says."""
        self.drop_queue(queue, ADMINISTRATOR, "expired")

    def purge_queue(self, name: str, *, actor: Actor = ADMINISTRATOR) -> int:
        """Remove the ready messages and return how many there were.

        Raises:
            AmqpError: 404, 405.
        """
        actor.may(READ, "queue", name)
        count = self.queue(name, actor).purge()
        self._emit("queue.purge", actor, queue=name, ready=count)
        return count

    # -- bindings ------------------------------------------------------------------------------

    def bind(
        self,
        queue_name: str,
        exchange_name: str,
        routing_key: str,
        *,
        arguments: Mapping[str, Any] | None = None,
        actor: Actor = ADMINISTRATOR,
    ) -> None:
        """Let an exchange send a queue what matches a key; binding twice is fine.

        Raises:
            AmqpError: 403 the default exchange, 404 either is not there, 405, 540.
        """
        refuse_default_exchange(exchange_name)
        actor.may(WRITE, "queue", queue_name)
        actor.may(READ, "exchange", exchange_name)
        exchange = self.exchange(exchange_name)
        queue = self.queue(queue_name, actor)
        if exchange.kind == HEADERS:
            check_pattern(arguments or {})
        if exchange.bind(queue, routing_key, arguments or {}):
            self.forget_routes()
            self._emit(
                "queue.bind",
                actor,
                queue=queue_name,
                exchange=exchange_name,
                routing_key=routing_key,
                arguments=dict(arguments or {}),
            )

    def unbind(
        self,
        queue_name: str,
        exchange_name: str,
        routing_key: str,
        *,
        arguments: Mapping[str, Any] | None = None,
        actor: Actor = ADMINISTRATOR,
    ) -> None:
        """Undo `bind`; unbinding what is not bound is fine.

        Raises:
            AmqpError: 403, the default exchange.
        """
        refuse_default_exchange(exchange_name)
        actor.may(WRITE, "queue", queue_name)
        actor.may(READ, "exchange", exchange_name)
        exchange = self.exchanges.get(exchange_name)
        queue = self.queues.get(queue_name)
        if exchange is None or queue is None:
            return
        if exchange.unbind(queue, routing_key, arguments or {}):
            self.forget_routes()
            self._emit(
                "queue.unbind",
                actor,
                queue=queue_name,
                exchange=exchange_name,
                routing_key=routing_key,
                arguments=dict(arguments or {}),
            )
            self._auto_delete_exchange(exchange, actor)

    def bind_exchange(
        self,
        destination: str,
        source: str,
        routing_key: str,
        *,
        arguments: Mapping[str, Any] | None = None,
        actor: Actor = ADMINISTRATOR,
    ) -> None:
        """Let one exchange send another what matches a key; binding twice is fine.

        Raises:
            AmqpError: 403 the default exchange, 404 either is not there, 406 a bad pattern.
        """
        refuse_default_exchange(source)
        refuse_default_exchange(destination)
        actor.may(WRITE, "exchange", destination)
        actor.may(READ, "exchange", source)
        exchange, target = self.exchange(source), self.exchange(destination)
        if exchange.kind == HEADERS:
            check_pattern(arguments or {})
        if exchange.bind(target, routing_key, arguments or {}):
            self.forget_routes()
            self._emit_exchange_binding("bind", actor, target, exchange, routing_key, arguments)

    def unbind_exchange(
        self,
        destination: str,
        source: str,
        routing_key: str,
        *,
        arguments: Mapping[str, Any] | None = None,
        actor: Actor = ADMINISTRATOR,
    ) -> None:
        """Undo `bind_exchange`; unbinding what is not bound is fine.

        Raises:
            AmqpError: 403, the default exchange.
        """
        refuse_default_exchange(source)
        refuse_default_exchange(destination)
        actor.may(WRITE, "exchange", destination)
        actor.may(READ, "exchange", source)
        exchange, target = self.exchanges.get(source), self.exchanges.get(destination)
        if exchange is None or target is None:
            return
        if exchange.unbind(target, routing_key, arguments or {}):
            self.forget_routes()
            self._emit_exchange_binding("unbind", actor, target, exchange, routing_key, arguments)
            self._auto_delete_exchange(exchange, actor)

    def _emit_exchange_binding(
        self,
        what: str,
        actor: Actor,
        target: Exchange,
        source: Exchange,
        routing_key: str,
        arguments: Mapping[str, Any] | None,
    ) -> None:
        self._emit(
            f"exchange.{what}",
            actor,
            destination=target.name,
            source=source.name,
            routing_key=routing_key,
            arguments=dict(arguments or {}),
        )

    def _auto_delete_exchange(self, exchange: Exchange, actor: Actor) -> None:
        if exchange.auto_delete and not exchange.bindings:
            self._drop_exchange(exchange, actor, "auto-delete")

    def _emit_own(self, kind: str, **fields: Any) -> None:
        self._emit(kind, ADMINISTRATOR, **fields)

    def _emit(self, kind: str, actor: Actor, **fields: Any) -> None:
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
