"""Exchanges: what there is to say of them, and what can be done to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sandbox.brokers.amqp.management.answers import (
    CREATED,
    NO_CONTENT,
    Answer,
    missing,
    unauthorised,
)
from sandbox.brokers.amqp.management.request import Request, boolean, table
from sandbox.brokers.amqp.permissions import CONFIGURE

if TYPE_CHECKING:
    from sandbox.brokers.amqp.exchange import Exchange

#: The default exchange has no name; this is what it is called in a path.
DEFAULT_NAME: Final = "amq.default"
#: Who made the exchanges that are always there.
_INTERNAL_USER: Final = "rmq-internal"


def get_exchanges(request: Request) -> Any:
    """All exchanges, by virtual host and name."""
    return [
        exchange_shape(exchange, vhost.name)
        for vhost in request.vhosts()
        for _, exchange in sorted(vhost.exchanges.items())
    ]


def get_exchange(request: Request) -> Any:
    """One exchange."""
    shape = exchange_shape(named(request), request.names["vhost"])
    return {**shape, "incoming": [], "outgoing": []}


def put_exchange(request: Request) -> Answer:
    """Declare an exchange; of the type direct if none is named."""
    vhost, name, body = request.vhost(), request.names["exchange"], request.body()
    existed = name in vhost.exchanges
    request.acts()
    actor = request.actor(vhost)
    if existed:
        actor.may(CONFIGURE, "exchange", name)
    vhost.declare_exchange(
        name,
        str(body.get("type", "direct")),
        durable=boolean(body, "durable"),
        auto_delete=boolean(body, "auto_delete"),
        internal=boolean(body, "internal"),
        arguments=table(body, "arguments"),
        actor=actor,
    )
    return NO_CONTENT if existed else CREATED


def delete_exchange(request: Request) -> Answer:
    """Delete an exchange, or not if something is bound to it."""
    vhost, exchange = request.vhost(), named(request)
    if exchange.name == "":
        raise unauthorised()
    request.acts()
    vhost.delete_exchange(
        exchange.name, if_unused=request.flag("if-unused"), actor=request.actor(vhost)
    )
    return NO_CONTENT


def named(request: Request) -> Exchange:
    """The exchange that the path names.

    Raises:
        HttpError: 404.
    """
    name = request.names["exchange"]
    exchange = request.vhost().exchanges.get("" if name == DEFAULT_NAME else name)
    if exchange is None:
        raise missing()
    return exchange


def exchange_shape(exchange: Exchange, vhost: str) -> dict[str, Any]:
    """What there is to say of an exchange."""
    shape = {
        "arguments": exchange.arguments,
        "auto_delete": exchange.auto_delete,
        "durable": exchange.durable,
        "internal": exchange.internal,
        "name": exchange.name,
        "type": exchange.kind,
        "user_who_performed_action": _INTERNAL_USER,
        "vhost": vhost,
    }
    if exchange.policy is not None:
        shape["policy"] = exchange.policy.name
    return shape
