"""How many connections and channels there may be: limits of a virtual host and of a user.

A limit below 0 is none. Of queues, `vhost` counts them itself. [RabbitMQ: "Virtual Hosts: Limits",
"Per-User Resource Limits"]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sandbox.brokers.amqp.errors import NOT_ALLOWED, AmqpError
from sandbox.brokers.amqp.lifecycle import ConnectionState

if TYPE_CHECKING:
    from sandbox.brokers.amqp.connection import Connection
    from sandbox.brokers.amqp.vhost import VirtualHost

MAX_CONNECTIONS: Final = "max-connections"
MAX_CHANNELS: Final = "max-channels"
MAX_QUEUES: Final = "max-queues"
OF_USERS: Final = (MAX_CONNECTIONS, MAX_CHANNELS)
OF_VHOSTS: Final = (MAX_CONNECTIONS, MAX_QUEUES)


def check_limits(connection: Connection, vhost: VirtualHost) -> None:
    """Refuse a connection that opens, when there are enough already.

    Raises:
        AmqpError: 530.
    """
    user = connection.user or ""
    others = [
        other for other in connection.broker.connections if other.state is ConnectionState.RUNNING
    ]
    limit = vhost.limits.get(MAX_CONNECTIONS, -1)
    if 0 <= limit <= sum(other.vhost is vhost for other in others):
        text = f"access to vhost '{vhost.name}' refused for user '{user}': connection limit"
        raise AmqpError(NOT_ALLOWED, f"{text} ({limit}) is reached")
    limit = _of_user(connection, MAX_CONNECTIONS)
    if 0 <= limit <= sum(other.user == user for other in others):
        text = f"connection refused for user '{user}': user connection limit ({limit}) is reached"
        raise AmqpError(NOT_ALLOWED, text)


def check_channels(connection: Connection) -> None:
    """Refuse a channel that opens, when the user has enough already.

    Raises:
        AmqpError: 530.
    """
    limit = _of_user(connection, MAX_CHANNELS)
    if limit < 0:
        return
    user = connection.user
    mine = [other for other in connection.broker.connections if other.user == user]
    if sum(len(other.channels) for other in mine) >= limit:
        text = f"number of channels opened for user '{user}' has reached the maximum allowed user"
        raise AmqpError(NOT_ALLOWED, f"{text} limit of ({limit})", (0, 0))


def _of_user(connection: Connection, name: str) -> int:
    user = connection.broker.accounts.users.get(connection.user or "")
    return -1 if user is None else user.limits.get(name, -1)
