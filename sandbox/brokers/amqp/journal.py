"""Records of what a restart keeps: one for every change, for whoever keeps them.

Every kind of record is written here and nowhere else, and read in `restoring`; a word that names
it, then plain data. With nobody to keep them (`keep` is None) they cost one comparison. A message
is named by its virtual host, queue and position, so that an acknowledgement is a few bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from sandbox.brokers.base import Record

if TYPE_CHECKING:
    from sandbox.brokers.amqp.accounts import User
    from sandbox.brokers.amqp.exchange import Exchange, Target
    from sandbox.brokers.amqp.message import Entry
    from sandbox.brokers.amqp.permissions import Permission
    from sandbox.brokers.amqp.policies import Policy
    from sandbox.brokers.amqp.queue import Queue
    from sandbox.brokers.amqp.vhost import VirtualHost


class Journal:
    """Writes records to `keep`. `epoch_ns` is the time of day at the carrier's 0."""

    def __init__(self, epoch_ns: int) -> None:
        self.keep: Callable[[Record], None] | None = None
        self.epoch_ns = epoch_ns

    def write(self, *record: Any) -> None:
        """Keep a record, if anybody does."""
        if self.keep is not None:
            self.keep(list(record))


# -- records: made here, for the journal as things change and for snapshots ------------------------


def vhost_record(vhost: VirtualHost) -> Record:
    """A virtual host with what is said of it."""
    about = {
        "description": vhost.description,
        "tags": list(vhost.tags),
        "tracing": vhost.tracing,
        "limits": dict(vhost.limits),
    }
    return ["vhost", vhost.name, about]


def user_record(user: User) -> Record:
    """A user; the password only as a hash."""
    return ["user", user.name, user.password_hash, list(user.tags), dict(user.limits)]


def permissions_record(user: str, permissions: Mapping[str, Permission]) -> Record:
    """All that a user may do, by virtual host."""
    return ["permissions", user, {vhost: list(each) for vhost, each in permissions.items()}]


def policy_record(vhost: str, policy: Policy) -> Record:
    """A policy."""
    definition = dict(policy.definition)
    return [
        "policy",
        vhost,
        policy.name,
        policy.pattern,
        definition,
        policy.priority,
        policy.apply_to,
    ]


def exchange_record(vhost: str, exchange: Exchange) -> Record:
    """A durable exchange."""
    arguments = typed(exchange.arguments)
    about = [exchange.kind, exchange.auto_delete, exchange.internal, arguments]
    return ["exchange", vhost, exchange.name, *about]


def queue_record(queue: Queue) -> Record:
    """A durable queue."""
    return ["queue", queue.home.name, queue.name, queue.auto_delete, typed(queue.arguments)]


def binding_record(
    what: str, vhost: str, source: str, target: Target, routing_key: str, arguments: Any
) -> Record:
    """A binding between durable things; `what` is "bind" or "unbind"."""
    return [what, vhost, source, target.what, target.name, routing_key, typed(arguments)]


def message_record(queue: Queue, entry: Entry, epoch_ns: int) -> Record:
    """A persistent message in a durable queue."""
    message, expires_ns = entry.message, entry.expires_ns
    return [
        "message",
        queue.home.name,
        queue.name,
        entry.position,
        message.number,
        message.route,
        message.header,
        message.body,
        None if expires_ns is None else epoch_ns + expires_ns,
        entry.redelivered,
        entry.returns,
        list(message.more_keys),
    ]


def typed(arguments: Any) -> list[list[Any]]:
    """Arguments with their wire types, where these are known."""
    types = getattr(arguments, "types", {})
    return [[name, types.get(name), value] for name, value in arguments.items()]
