"""What an administrator changes at run time: virtual hosts, users, permissions, limits.

Functions rather than methods of `Broker`, so that the broker's file shows what a broker is. Each
writes its record, for all of this outlives a restart.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from sandbox.brokers.amqp.journal import permissions_record, user_record, vhost_record

if TYPE_CHECKING:
    from sandbox.brokers.amqp.accounts import User
    from sandbox.brokers.amqp.broker import Broker
    from sandbox.brokers.amqp.permissions import Permission
    from sandbox.brokers.amqp.vhost import VirtualHost


def set_vhost(
    broker: Broker,
    name: str,
    *,
    description: str | None = None,
    tags: Iterable[str] | None = None,
    tracing: bool | None = None,
) -> VirtualHost:
    """Make a virtual host, or change what is said of it; None leaves that as it is."""
    broker.activity += 1
    vhost = broker.vhosts.get(name)
    if vhost is None:
        vhost = broker.vhosts[name] = broker.new_vhost(name)
        _emit(broker, "vhost.add", vhost=name)
    if description is not None:
        vhost.description = description
    if tags is not None:
        vhost.tags = tuple(tags)
    if tracing is not None:
        vhost.tracing = tracing
    broker.journal.write(*vhost_record(vhost))
    return vhost


def delete_vhost(broker: Broker, name: str, now_ns: int) -> None:
    """Delete a virtual host with all it holds; its clients are told and cut off."""
    broker.activity += 1
    broker.timers.now_ns = now_ns
    vhost = broker.vhosts[name]
    for connection in [c for c in broker.connections if c.opened_vhost is vhost]:
        connection.close_by_administrator(f"vhost '{name}' is deleted", now_ns)
    del broker.vhosts[name]
    for queue in list(vhost.queues.values()):
        queue.stop()
    broker.accounts.forget_vhost(name)
    broker.journal.write("vhost.delete", name)
    _emit(broker, "vhost.delete", vhost=name)


def set_limit(broker: Broker, owner: VirtualHost | User, name: str, value: int | None) -> None:
    """Limit a virtual host or a user; None takes the limit away."""
    broker.activity += 1
    if value is None:
        owner.limits.pop(name, None)
    else:
        owner.limits[name] = value
    if owner.name in broker.vhosts and broker.vhosts[owner.name] is owner:
        broker.journal.write(*vhost_record(broker.vhosts[owner.name]))
    else:
        broker.journal.write(*user_record(broker.accounts.users[owner.name]))


def set_user(broker: Broker, name: str, password_hash: str, tags: Iterable[str]) -> None:
    """Make a user, who may do nothing yet, or change one."""
    broker.activity += 1
    user = broker.accounts.set_user(name, password_hash, tags)
    broker.journal.write(*user_record(user))


def delete_user(broker: Broker, name: str, now_ns: int) -> None:
    """Delete a user, whose connections end."""
    broker.activity += 1
    broker.timers.now_ns = now_ns
    broker.accounts.delete_user(name)
    broker.journal.write("user.delete", name)
    for connection in [c for c in broker.connections if c.user == name]:
        connection.close_by_administrator(f"user '{name}' is deleted", now_ns)


def set_permission(broker: Broker, user: str, vhost: str, permission: Permission | None) -> None:
    """Give a user a permission, or with None take it away. Open connections keep what they had."""
    broker.activity += 1
    broker.accounts.set_permission(user, vhost, permission, broker.vhosts)
    broker.journal.write(*permissions_record(user, broker.accounts.permissions[user]))


def _emit(broker: Broker, kind: str, **fields: Any) -> None:
    if broker.observe is not None:
        broker.observe(kind, {**fields, "connection": None, "channel": None})
