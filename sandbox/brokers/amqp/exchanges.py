"""Exchanges and bindings of a virtual host: what may be done to them, and what is refused.

The checks come in the order in which RabbitMQ makes them, so that the error a program sees is the
same one. Binding and unbinding, of queues and of exchanges, is one path: `_bind` and `_unbind`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from sandbox.brokers.amqp import arguments as args
from sandbox.brokers.amqp.actor import ADMINISTRATOR, Actor
from sandbox.brokers.amqp.checks import check_same, refuse_default_exchange, refuse_reserved
from sandbox.brokers.amqp.errors import (
    ACCESS_REFUSED,
    COMMAND_INVALID,
    PRECONDITION_FAILED,
    AmqpError,
)
from sandbox.brokers.amqp.exchange import HEADERS, KINDS, Exchange
from sandbox.brokers.amqp.headers import check_pattern
from sandbox.brokers.amqp.journal import binding_record, exchange_record
from sandbox.brokers.amqp.namespace import Namespace
from sandbox.brokers.amqp.permissions import CONFIGURE, READ, WRITE
from sandbox.brokers.amqp.policies import apply_to_exchange

if TYPE_CHECKING:
    from sandbox.brokers.amqp.exchange import Target

QUEUE: Final = "queue"
EXCHANGE: Final = "exchange"


class Exchanges(Namespace):
    """What can be done to exchanges and bindings."""

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
        if durable:
            self.journal.write(*exchange_record(self.name, exchange))
        self.emit(
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
        if exchange.durable:
            self.journal.write("exchange.delete", self.name, exchange.name)
        self.emit("exchange.delete", actor, exchange=exchange.name, reason=reason)
        self.unbind_everywhere(exchange, actor)

    def unbind_everywhere(self, target: Target, actor: Actor) -> None:
        """A queue or exchange is gone, and so are the bindings that lead to it."""
        for exchange in list(self.exchanges.values()):
            if exchange.bindings and exchange.unbind_target(target):
                self._auto_delete_exchange(exchange, actor)

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
            AmqpError: 403 the default exchange, 404 either is not there, 405, 406 a bad pattern.
        """
        self._bind(exchange_name, QUEUE, queue_name, routing_key, arguments or {}, actor)

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
        self._unbind(exchange_name, QUEUE, queue_name, routing_key, arguments or {}, actor)

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
        self._bind(source, EXCHANGE, destination, routing_key, arguments or {}, actor)

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
        self._unbind(source, EXCHANGE, destination, routing_key, arguments or {}, actor)

    def _bind(
        self,
        source: str,
        what: str,
        target_name: str,
        routing_key: str,
        arguments: Mapping[str, Any],
        actor: Actor,
    ) -> None:
        self._check_binding(source, what, target_name, actor)
        exchange = self.exchange(source)
        target: Target
        target = self.queue(target_name, actor) if what == QUEUE else self.exchange(target_name)
        if exchange.kind == HEADERS:
            check_pattern(arguments)
        if exchange.bind(target, routing_key, arguments):
            self._binding_changed("bind", exchange, target, routing_key, arguments, actor)

    def _unbind(
        self,
        source: str,
        what: str,
        target_name: str,
        routing_key: str,
        arguments: Mapping[str, Any],
        actor: Actor,
    ) -> None:
        self._check_binding(source, what, target_name, actor)
        exchange = self.exchanges.get(source)
        target = (self.queues if what == QUEUE else self.exchanges).get(target_name)
        if exchange is None or target is None:
            return
        if exchange.unbind(target, routing_key, arguments):
            self._binding_changed("unbind", exchange, target, routing_key, arguments, actor)
            self._auto_delete_exchange(exchange, actor)

    def _check_binding(self, source: str, what: str, target_name: str, actor: Actor) -> None:
        refuse_default_exchange(source)
        if what == EXCHANGE:
            refuse_default_exchange(target_name)
        actor.may(WRITE, what, target_name)
        actor.may(READ, EXCHANGE, source)

    def _binding_changed(
        self,
        change: str,
        exchange: Exchange,
        target: Target,
        routing_key: str,
        arguments: Mapping[str, Any],
        actor: Actor,
    ) -> None:
        self.forget_routes()
        if exchange.durable and target.durable:
            record = binding_record(
                change, self.name, exchange.name, target, routing_key, arguments
            )
            self.journal.write(*record)
        names = ("queue", "exchange") if target.what == QUEUE else ("destination", "source")
        self.emit(
            f"{target.what}.{change}",
            actor,
            **dict(zip(names, (target.name, exchange.name), strict=True)),
            routing_key=routing_key,
            arguments=dict(arguments),
        )

    def _auto_delete_exchange(self, exchange: Exchange, actor: Actor) -> None:
        if exchange.auto_delete and not exchange.bindings:
            self._drop_exchange(exchange, actor, "auto-delete")
