"""From an exchange to queues: through bindings, other exchanges and alternate exchanges.

An exchange may lead to queues and to other exchanges; one that leads nowhere asks its alternate
exchange, if it has one. Every exchange is asked once, however many ways lead to it.
[RabbitMQ: "Exchange to Exchange Bindings", "Alternate Exchanges"]
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from sandbox.brokers.amqp.exchange import HEADERS, Exchange
from sandbox.brokers.amqp.queue import Queue


class Route(NamedTuple):
    """Where one exchange and routing key lead; `by_headers` if that is so for one message only."""

    exchange: str
    routing_key: str
    queues: tuple[Queue, ...]
    by_headers: bool


def resolve(
    start: str,
    routing_key: str,
    headers: Mapping[str, Any],
    *,
    exchanges: Mapping[str, Exchange],
    queues: Mapping[str, Queue],
) -> Route:
    """Find the queues that a message published to the exchange `start` goes to, each once."""
    reached: dict[Queue, None] = {}
    asked = {start}
    waiting = [start]
    by_headers = False
    while waiting:
        name = waiting.pop(0)
        exchange = exchanges.get(name)
        if exchange is None:
            continue
        if name == "":
            queue = queues.get(routing_key)
            targets: list[Queue | Exchange] = [] if queue is None else [queue]
        else:
            by_headers = by_headers or exchange.kind == HEADERS
            targets = list(exchange.route(routing_key, headers))
        onward = [target.name for target in targets if isinstance(target, Exchange)]
        reached.update(dict.fromkeys(t for t in targets if isinstance(t, Queue)))
        if not targets and exchange.alternate is not None:
            onward.append(exchange.alternate)
        for other in onward:
            if other not in asked:
                asked.add(other)
                waiting.append(other)
    return Route(start, routing_key, tuple(reached), by_headers)
