"""Definitions: everything that was declared, as one document to export and import."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

from sandbox.brokers.amqp import administration, limits
from sandbox.brokers.amqp.exchange import PREDECLARED
from sandbox.brokers.amqp.handshake import VERSION
from sandbox.brokers.amqp.management import bindings, policies, users
from sandbox.brokers.amqp.management.answers import NO_CONTENT, Answer, bad_request
from sandbox.brokers.amqp.management.request import Request, integer, table
from sandbox.brokers.amqp.permissions import Permission

if TYPE_CHECKING:
    from sandbox.brokers.amqp.vhost import VirtualHost

_SYSTEM: Final = frozenset(name for name, _ in PREDECLARED)
_FLAGS: Final = ("durable", "auto_delete")


def get_definitions(request: Request) -> Any:
    """Everything."""
    broker = request.broker
    vhosts = [vhost for _, vhost in sorted(broker.vhosts.items())]
    return {
        "rabbit_version": VERSION,
        "rabbitmq_version": VERSION,
        "product_name": "RabbitMQ",
        "product_version": VERSION,
        "users": users.get_users(request),
        "vhosts": [{"name": vhost.name} for vhost in vhosts],
        "permissions": list(users.all_permissions(broker)),
        "topic_permissions": [],
        "parameters": [
            {"vhost": v.name, "component": "vhost-limits", "name": "limits", "value": v.limits}
            for v in vhosts
            if v.limits
        ],
        "global_parameters": [],
        "policies": policies.get_policies(request),
        **{
            kind: [{"vhost": vhost.name, **each} for vhost in vhosts for each in of(vhost)]
            for kind, of in _EXPORTED.items()
        },
    }


def get_vhost_definitions(request: Request) -> Any:
    """Everything in one virtual host."""
    vhost = request.vhost()
    return {
        "rabbit_version": VERSION,
        "parameters": [],
        "policies": policies.get_policies(request),
        **{kind: list(of(vhost)) for kind, of in _EXPORTED.items()},
    }


def post_definitions(request: Request) -> Answer:
    """Declare everything that a document says; what is there already must be the same."""
    body, broker = request.body(), request.broker
    request.acts()
    for given in _listed(body, "users"):
        user = _text(given, "name")
        users.import_user(broker, user, given)
        for name, value in _limits(given, "limits", limits.OF_USERS):
            administration.set_limit(broker, broker.accounts.users[user], name, value)
    for vhost in _listed(body, "vhosts"):
        about = table(vhost, "metadata") or vhost
        description = str(about.get("description") or "")
        administration.set_vhost(broker, _text(vhost, "name"), description=description)
    for given in _listed(body, "permissions"):
        user = _text(given, "user")
        if user not in broker.accounts.users:
            raise bad_request(["no_such_user", user])
        permission = Permission(*(str(given.get(what, "")) for what in Permission._fields))
        where = _vhost(request, given).name
        administration.set_permission(broker, user, where, permission)
    for given in _listed(body, "parameters"):
        if given.get("component") == "vhost-limits":
            for name, value in _limits(given, "value", limits.OF_VHOSTS):
                administration.set_limit(broker, _vhost(request, given), name, value)
    _import_topology(request, body)
    return NO_CONTENT


def _import_topology(request: Request, body: dict[str, Any]) -> None:
    for given in _listed(body, "policies"):
        policies.import_policy(_vhost(request, given), _text(given, "name"), given)
    for given in _listed(body, "queues"):
        _vhost(request, given).declare_queue(
            _text(given, "name"),
            durable=bool(given.get("durable")),
            auto_delete=bool(given.get("auto_delete")),
            arguments=table(given, "arguments"),
        )
    for given in _listed(body, "exchanges"):
        _vhost(request, given).declare_exchange(
            _text(given, "name"),
            _text(given, "type"),
            durable=bool(given.get("durable")),
            auto_delete=bool(given.get("auto_delete")),
            internal=bool(given.get("internal")),
            arguments=table(given, "arguments"),
        )
    for given in _listed(body, "bindings"):
        vhost = _vhost(request, given)
        bind = vhost.bind if given.get("destination_type") == "queue" else vhost.bind_exchange
        bind(
            _text(given, "destination"),
            _text(given, "source"),
            str(given.get("routing_key", "")),
            arguments=table(given, "arguments"),
        )


def _queues(vhost: VirtualHost) -> Iterator[dict[str, Any]]:
    for name, queue in sorted(vhost.queues.items()):
        if not queue.exclusive:
            flags = {flag: getattr(queue, flag) for flag in _FLAGS}
            yield {"name": name, **flags, "arguments": queue.arguments}


def _exchanges(vhost: VirtualHost) -> Iterator[dict[str, Any]]:
    for name, exchange in sorted(vhost.exchanges.items()):
        if name not in _SYSTEM:
            flags = {flag: getattr(exchange, flag) for flag in (*_FLAGS, "internal")}
            yield {"name": name, "type": exchange.kind, **flags, "arguments": exchange.arguments}


def _bindings(vhost: VirtualHost) -> Iterator[dict[str, Any]]:
    for shape in bindings.all_of(vhost):
        queue = vhost.queues.get(shape["destination"])
        to_exclusive = (
            shape["destination_type"] == "queue" and queue is not None and queue.exclusive
        )
        if shape["source"] and not to_exclusive:
            yield {k: v for k, v in shape.items() if k not in ("vhost", "properties_key")}


_EXPORTED: Final[dict[str, Callable[[VirtualHost], Iterator[dict[str, Any]]]]] = {
    "queues": _queues,
    "exchanges": _exchanges,
    "bindings": _bindings,
}


def _limits(given: dict[str, Any], key: str, known: tuple[str, ...]) -> list[tuple[str, int]]:
    named = table(given, key)
    return [(name, integer(named, name)) for name in known if name in named]


def _listed(body: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    value = body.get(kind) or []
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise bad_request(f"{kind} must be a list of objects")
    return value


def _text(given: dict[str, Any], key: str) -> str:
    if key not in given:
        raise bad_request(f"[{{key_missing,{key}}}]")
    return str(given[key])


def _vhost(request: Request, given: dict[str, Any]) -> VirtualHost:
    """The virtual host of one thing: what it says, or what the path says."""
    name = request.names.get("vhost") or given.get("vhost")
    vhost = request.broker.vhosts.get(str(name))
    if vhost is None:
        raise bad_request(["no_such_vhost", name])
    return vhost
