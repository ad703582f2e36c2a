"""The steps by which a connection opens; `lifecycle.CONNECTION` has their order.

What is agreed on is decided in `handshake`; here it is asked, answered and kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from pamqp import commands

from sandbox.brokers.amqp import handshake
from sandbox.brokers.amqp.codec import blank
from sandbox.brokers.amqp.errors import ACCESS_REFUSED, NOT_ALLOWED, AmqpError
from sandbox.brokers.amqp.limits import check_limits
from sandbox.brokers.amqp.permissions import Access

if TYPE_CHECKING:
    from sandbox.brokers.amqp.connection import Connection


def on_protocol_header(connection: Connection, _: None) -> None:
    """The client speaks AMQP 0-9-1: greet it."""
    start = blank(commands.Connection.Start)
    start.version_major, start.version_minor = 0, 9
    start.server_properties = dict(handshake.SERVER_PROPERTIES)
    start.mechanisms = " ".join(handshake.MECHANISMS)
    start.locales = "en_US"
    connection.send(start)


def on_start_ok(connection: Connection, method: commands.Connection.StartOk) -> None:
    """The client says who it is."""
    broker = connection.broker
    connection.client_properties = dict(method.client_properties)
    mechanism = connection.mechanism = method.mechanism
    name, password = handshake.credentials(mechanism, method.response)
    if broker.accounts.authenticate(name, password) is None:
        text = (
            f"Login was refused using authentication mechanism {mechanism}. For details see the"
            " broker logfile."
        )
        error = AmqpError(ACCESS_REFUSED, text, (0, 0))
        connection.fail(error, (0, 0), speak=connection.can("authentication_failure_close"))
        return
    connection.user = name
    connection.send(
        commands.Connection.Tune(broker.channel_max, broker.frame_max, broker.heartbeat_s)
    )


def on_tune_ok(connection: Connection, method: commands.Connection.TuneOk) -> None:
    """The client says what limits it wants."""
    broker = connection.broker
    connection.tune(
        handshake.check_limit("channel_max", broker.channel_max, method.channel_max),
        handshake.check_limit("frame_max", broker.frame_max, method.frame_max),
        method.heartbeat,
    )


def on_open(connection: Connection, method: commands.Connection.Open) -> None:
    """The client says in which virtual host."""
    name = method.virtual_host
    vhost = connection.broker.vhosts.get(name)
    if vhost is None:
        raise AmqpError(NOT_ALLOWED, f"vhost {name} not found")
    user, accounts = connection.user or "", connection.broker.accounts
    permission = accounts.permission(user, name)
    if permission is None:
        raise AmqpError(NOT_ALLOWED, f"access to vhost '{name}' refused for user '{user}'")
    check_limits(connection, vhost)
    if not accounts.is_unrestricted(user):
        access = Access(user, name, permission)
        connection.actor = connection.actor._replace(access=access)
    connection.vhost = vhost
    connection.cancel_deadline()
    connection.send(commands.Connection.OpenOk())
    if connection.broker.observe is not None:
        connection.emit(
            "connection.open",
            user=connection.user,
            vhost=name,
            product=connection.client_properties.get("product"),
            client_properties=connection.client_properties,
        )


STEPS: Final[Mapping[str, Callable[[Connection, Any], None]]] = {
    step.__name__: step for step in (on_protocol_header, on_start_ok, on_tune_ok, on_open)
}
