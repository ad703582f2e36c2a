"""Reading records back: a snapshot of what a restart keeps, and a broker rebuilt from records.

The kinds of records are written in `journal`. Rebuilding does by hand what declaring would do, for
nothing is checked, told or kept a second time: what was accepted once is taken as it is. Messages
are put into their queues last, when it is known which of them are gone.

To add a kind of record, write it in `journal` and read it here, in `_READERS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from sandbox.brokers.amqp.codec import split_route
from sandbox.brokers.amqp.exchange import PREDECLARED, Exchange
from sandbox.brokers.amqp.journal import (
    binding_record,
    exchange_record,
    message_record,
    permissions_record,
    policy_record,
    queue_record,
    user_record,
    vhost_record,
)
from sandbox.brokers.amqp.message import Entry, Message
from sandbox.brokers.amqp.permissions import Permission
from sandbox.brokers.amqp.policies import Policy
from sandbox.brokers.amqp.properties import HEADER_SIZE, examine
from sandbox.brokers.amqp.queue import Queue
from sandbox.brokers.amqp.tables import FieldTable

if TYPE_CHECKING:
    from sandbox.brokers.amqp.broker import Broker
    from sandbox.brokers.amqp.vhost import VirtualHost
    from sandbox.brokers.base import Record

_SYSTEM: Final = frozenset(name for name, _ in PREDECLARED)


# -- a snapshot ------------------------------------------------------------------------------------


def snapshot(broker: Broker) -> Iterator[Record]:
    """Records that rebuild the durable state of this moment in a new broker."""
    accounts = broker.accounts
    for vhost in broker.vhosts.values():
        yield vhost_record(vhost)
    for name in broker.given_vhosts:
        if name not in broker.vhosts:
            yield ["vhost.delete", name]
    for user in accounts.changed:
        yield user_record(user)
        if user.name in accounts.permissions:
            yield permissions_record(user.name, accounts.permissions[user.name])
    for name in accounts.gone:
        yield ["user.delete", name]
    out = _entries_out(broker)
    for vhost in broker.vhosts.values():
        yield from _topology(vhost)
        for queue in vhost.queues.values():
            if queue.durable:
                yield from _messages(queue, out.get(queue, []), broker.epoch_ns)


def _topology(vhost: VirtualHost) -> Iterator[Record]:
    for policy in vhost.policies.values():
        yield policy_record(vhost.name, policy)
    exchanges = [exchange for exchange in vhost.exchanges.values() if exchange.durable]
    for exchange in exchanges:
        if exchange.name not in _SYSTEM:
            yield exchange_record(vhost.name, exchange)
    for queue in vhost.queues.values():
        if queue.durable:
            yield queue_record(queue)
    for exchange in exchanges:
        for binding, arguments in exchange.bindings.items():
            if binding.target.durable:
                ends = (exchange.name, binding.target, binding.routing_key)
                yield binding_record("bind", vhost.name, *ends, arguments)


def _messages(queue: Queue, out: list[Entry], epoch_ns: int) -> Iterator[Record]:
    quorum = queue.options.quorum
    for entry in sorted([*queue.ready, *out], key=lambda entry: entry.position):
        if quorum or entry.message.persistent:
            yield message_record(queue, entry, epoch_ns)
    for entry in out:
        if quorum or (entry.message.persistent and not entry.redelivered):
            yield ["out", queue.home.name, queue.name, entry.position]
    yield ["next", queue.home.name, queue.name, queue.next_position]


def _entries_out(broker: Broker) -> dict[Queue, list[Entry]]:
    """What clients hold and have not settled, or not committed, by queue."""
    out: dict[Queue, list[Entry]] = {}
    for connection in broker.connections:
        for channel in connection.channels.values():
            transaction = channel.transaction
            held = [*channel.unacked, *(() if transaction is None else transaction.settled)]
            for delivery in held:
                out.setdefault(delivery.queue, []).append(delivery.entry)
    return out


# -- rebuilding ------------------------------------------------------------------------------------


def restore(broker: Broker, records: Iterable[Record], now_ns: int) -> None:
    """Rebuild what the records tell.

    Raises:
        ValueError: it does not know a record; says which.
    """
    broker.timers.now_ns = now_ns
    rebuilding = _Rebuilding(broker)
    for number, record in enumerate(records, 1):
        try:
            _READERS[record[0]](rebuilding, *record[1:])
        except (LookupError, TypeError, ValueError, AttributeError) as problem:
            raise ValueError(
                f"record {number} cannot be restored into RabbitMQ: {record!r:.200}"
            ) from problem
    rebuilding.finish()


class _Rebuilding:
    """A broker on its way, and the messages that will be in its queues."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.entries: dict[tuple[str, str], dict[int, Entry]] = {}
        self.next_positions: dict[tuple[str, str], int] = {}

    def vhost(self, name: str, about: dict[str, Any]) -> None:
        vhost = self.broker.vhosts.get(name)
        if vhost is None:
            vhost = self.broker.vhosts[name] = self.broker.new_vhost(name)
        vhost.description, vhost.tags = about["description"], tuple(about["tags"])
        vhost.tracing, vhost.limits = about["tracing"], dict(about["limits"])

    def delete_vhost(self, name: str) -> None:
        self.broker.vhosts.pop(name, None)
        self.broker.accounts.forget_vhost(name)
        for vhost, queue in list(self.entries):
            if vhost == name:
                self._forget_queue(vhost, queue)

    def user(self, name: str, password_hash: str, tags: list[str], limits: dict[str, int]) -> None:
        self.broker.accounts.set_user(name, password_hash, tags).limits = dict(limits)

    def delete_user(self, name: str) -> None:
        self.broker.accounts.delete_user(name)

    def permissions(self, user: str, permissions: dict[str, list[str]]) -> None:
        self.broker.accounts.permissions[user] = {
            vhost: Permission(*patterns) for vhost, patterns in permissions.items()
        }

    def policy(self, vhost: str, *fields: Any) -> None:
        policy = Policy(*fields)
        self.broker.vhosts[vhost].policies[policy.name] = policy

    def delete_policy(self, vhost: str, name: str) -> None:
        self.broker.vhosts[vhost].policies.pop(name, None)

    def exchange(
        self,
        vhost: str,
        name: str,
        kind: str,
        auto_delete: bool,
        internal: bool,
        arguments: list[list[Any]],
    ) -> None:
        self.broker.vhosts[vhost].exchanges[name] = Exchange(
            name,
            kind,
            durable=True,
            auto_delete=auto_delete,
            internal=internal,
            arguments=_untyped(arguments),
        )

    def delete_exchange(self, vhost: str, name: str) -> None:
        exchanges = self.broker.vhosts[vhost].exchanges
        gone = exchanges.pop(name, None)
        for exchange in exchanges.values():
            if gone is not None:
                exchange.unbind_target(gone)

    def queue(self, vhost: str, name: str, auto_delete: bool, arguments: list[list[Any]]) -> None:
        home = self.broker.vhosts[vhost]
        self._forget_queue(vhost, name)
        home.queues[name] = Queue(
            name, home, durable=True, auto_delete=auto_delete, arguments=_untyped(arguments)
        )

    def delete_queue(self, vhost: str, name: str) -> None:
        home = self.broker.vhosts[vhost]
        gone = home.queues.pop(name, None)
        self._forget_queue(vhost, name)
        for exchange in home.exchanges.values():
            if gone is not None:
                exchange.unbind_target(gone)

    def bind(self, vhost: str, source: str, *what: Any) -> None:
        exchange, target, routing_key, arguments = self._binding(vhost, source, *what)
        exchange.bind(target, routing_key, arguments)

    def unbind(self, vhost: str, source: str, *what: Any) -> None:
        exchange, target, routing_key, arguments = self._binding(vhost, source, *what)
        exchange.unbind(target, routing_key, arguments)

    def _binding(
        self,
        vhost: str,
        source: str,
        what: str,
        target: str,
        routing_key: str,
        arguments: list[list[Any]],
    ) -> tuple[Exchange, Any, str, dict[str, Any]]:
        home = self.broker.vhosts[vhost]
        found = (home.queues if what == Queue.what else home.exchanges)[target]
        return home.exchanges[source], found, routing_key, _untyped(arguments)

    def message(
        self,
        vhost: str,
        queue: str,
        position: int,
        number: int,
        route: bytes,
        header: bytes,
        body: bytes,
        expires_at_ns: int | None,
        redelivered: bool,
        returns: int,
        more_keys: list[str],
    ) -> None:
        facts = examine(header[HEADER_SIZE:])
        message = Message(
            number,
            *split_route(route),
            route,
            header,
            body,
            facts.persistent,
            priority=facts.priority,
            more_keys=tuple(more_keys),
        )
        entry = Entry(message, position)
        entry.redelivered, entry.returns = redelivered, returns
        if expires_at_ns is not None:
            entry.expires_ns = expires_at_ns - self.broker.epoch_ns
        self.entries[vhost, queue][position] = entry
        self.next_position(vhost, queue, position + 1)
        self.broker.last_message = max(self.broker.last_message, number)

    def gone(self, vhost: str, queue: str, *positions: int) -> None:
        for position in positions:
            self.entries[vhost, queue].pop(position, None)

    def out(self, vhost: str, queue: str, position: int) -> None:
        entry = self.entries[vhost, queue][position]
        entry.redelivered = True
        if entry.returns >= 0:
            # Held by a client that is gone now, unless the next record says that it came back.
            entry.returns += 1

    def back(self, vhost: str, queue: str, position: int, returns: int) -> None:
        self.entries[vhost, queue][position].returns = returns

    def next_position(self, vhost: str, queue: str, position: int) -> None:
        known = self.next_positions.get((vhost, queue), 0)
        self.next_positions[vhost, queue] = max(known, position)

    def _forget_queue(self, vhost: str, queue: str) -> None:
        self.entries[vhost, queue] = {}
        self.next_positions.pop((vhost, queue), None)

    def finish(self) -> None:
        """Every record is read: let policies hold, and fill the queues."""
        for vhost in self.broker.vhosts.values():
            vhost.apply_policies()
            for queue in vhost.queues.values():
                entries = self.entries.get((vhost.name, queue.name), {})
                next_position = self.next_positions.get((vhost.name, queue.name), 0)
                queue.resume([entries[at] for at in sorted(entries)], next_position)


def _untyped(arguments: list[list[Any]]) -> dict[str, Any]:
    """The inverse of `journal.typed`."""
    if any(kind is None for _, kind, _ in arguments):
        return {name: value for name, _, value in arguments}
    table = FieldTable()
    for name, kind, value in arguments:
        table[name], table.types[name] = value, kind
    return table


_READERS: Final[dict[str, Callable[..., None]]] = {
    "vhost": _Rebuilding.vhost,
    "vhost.delete": _Rebuilding.delete_vhost,
    "user": _Rebuilding.user,
    "user.delete": _Rebuilding.delete_user,
    "permissions": _Rebuilding.permissions,
    "policy": _Rebuilding.policy,
    "policy.delete": _Rebuilding.delete_policy,
    "exchange": _Rebuilding.exchange,
    "exchange.delete": _Rebuilding.delete_exchange,
    "queue": _Rebuilding.queue,
    "queue.delete": _Rebuilding.delete_queue,
    "bind": _Rebuilding.bind,
    "unbind": _Rebuilding.unbind,
    "message": _Rebuilding.message,
    "gone": _Rebuilding.gone,
    "out": _Rebuilding.out,
    "back": _Rebuilding.back,
    "next": _Rebuilding.next_position,
}
