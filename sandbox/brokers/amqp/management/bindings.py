"""Bindings: every way from an exchange to a queue or to another exchange.

A binding has no name. In paths it goes by its *properties key*: the routing key, and if there are
arguments a fingerprint of them; `~` if there is neither.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, quote_plus, unquote_plus
from zlib import crc32

from sandbox.brokers.amqp.management.answers import NO_CONTENT, Answer, missing
from sandbox.brokers.amqp.management.exchanges import DEFAULT_NAME, named
from sandbox.brokers.amqp.management.request import Request, table

if TYPE_CHECKING:
    from sandbox.brokers.amqp.vhost import VirtualHost

_KINDS: Final = {"q": "queue", "e": "exchange"}


def get_bindings(request: Request) -> Any:
    """All bindings, by virtual host, source and destination."""
    return [shape for vhost in request.vhosts() for shape in all_of(vhost)]


def get_queue_bindings(request: Request) -> Any:
    """The bindings that lead to a queue."""
    queue = request.queue()
    return _select(request, lambda b: _destination(b) == ("queue", queue.name))


def get_exchange_sources(request: Request) -> Any:
    """The bindings that begin at an exchange."""
    exchange = named(request)
    return _select(request, lambda b: b["source"] == exchange.name)


def get_exchange_targets(request: Request) -> Any:
    """The bindings that lead to an exchange."""
    exchange = named(request)
    return _select(request, lambda b: _destination(b) == ("exchange", exchange.name))


def get_between(request: Request) -> Any:
    """The bindings from an exchange to a queue or an exchange."""
    source, kind, target = _ends(request)
    return _select(request, lambda b: (b["source"], *_destination(b)) == (source, kind, target))


def get_binding(request: Request) -> Any:
    """One binding."""
    return _one(request)


def post_binding(request: Request) -> Answer:
    """Bind; the answer says where the binding is now."""
    vhost, body = request.vhost(), request.body()
    source, kind, target = _ends(request)
    key, arguments = str(body.get("routing_key", "")), table(body, "arguments")
    bind = vhost.bind if kind == "queue" else vhost.bind_exchange
    request.acts()
    bind(target, source, key, arguments=arguments, actor=request.actor(vhost))
    place = f"{quote(target, safe='')}/{quote(properties_key(key, arguments), safe='~')}"
    return Answer(201, headers=(("location", place),))


def delete_binding(request: Request) -> Answer:
    """Unbind."""
    vhost, found = request.vhost(), _one(request)
    source, kind, target = _ends(request)
    unbind = vhost.unbind if kind == "queue" else vhost.unbind_exchange
    request.acts()
    unbind(
        target,
        source,
        found["routing_key"],
        arguments=found["arguments"],
        actor=request.actor(vhost),
    )
    return NO_CONTENT


def all_of(vhost: VirtualHost) -> Iterator[dict[str, Any]]:
    """Every binding of a virtual host, those of the default exchange too."""
    for name in sorted(vhost.queues):
        yield _shape(vhost.name, "", ("queue", name), name, {})
    for _, exchange in sorted(vhost.exchanges.items()):
        shapes = [
            _shape(
                vhost.name,
                exchange.name,
                (binding.target.what, binding.target.name),
                binding.routing_key,
                arguments,
            )
            for binding, arguments in exchange.bindings.items()
        ]
        yield from sorted(shapes, key=itemgetter("destination", "routing_key", "properties_key"))


def properties_key(routing_key: str, arguments: Mapping[str, Any]) -> str:
    """What a binding is called in a path."""
    key = quote_plus(routing_key).replace("~", "%7E")
    if not arguments:
        return key or "~"
    text = json.dumps(arguments, sort_keys=True, default=repr)
    return f"{key}~{urlsafe_b64encode(crc32(text.encode()).to_bytes(4, 'big')).decode()[:6]}"


def _shape(
    vhost: str,
    source: str,
    target: tuple[str, str],
    routing_key: str,
    arguments: Mapping[str, Any],
) -> dict[str, Any]:
    kind, name = target
    return {
        "source": source,
        "vhost": vhost,
        "destination": name,
        "destination_type": kind,
        "routing_key": routing_key,
        "arguments": arguments,
        "properties_key": properties_key(routing_key, arguments),
    }


def _destination(binding: dict[str, Any]) -> tuple[str, str]:
    return binding["destination_type"], binding["destination"]


def _select(request: Request, fits: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
    return [shape for shape in all_of(request.vhost()) if fits(shape)]


def _ends(request: Request) -> tuple[str, str, str]:
    kind = _KINDS.get(request.names["kind"])
    if kind is None:
        raise missing()
    source = request.names["source"]
    return "" if source == DEFAULT_NAME else source, kind, request.names["target"]


def _one(request: Request) -> dict[str, Any]:
    wanted = request.names["key"]
    for shape in get_between(request):
        key = shape["properties_key"]
        if wanted in (key, unquote_plus(key)):
            found: dict[str, Any] = shape
            return found
    raise missing()
