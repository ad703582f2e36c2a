"""Numbers as the API gives them: each with its rate, which is always 0 here.

RabbitMQ samples its numbers every five seconds and says how fast they grew. Here they are counted
when somebody asks, so they are never old, and nobody measures in between.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sandbox.brokers.amqp.counts import Counts

_NO_RATE: Final = {"rate": 0.0}
#: What a queue counts; a virtual host counts all of it.
_OF_QUEUES: Final = (
    "ack",
    "deliver",
    "deliver_get",
    "deliver_no_ack",
    "get",
    "get_empty",
    "get_no_ack",
    "publish",
    "redeliver",
)
_OF_VHOSTS: Final = (*_OF_QUEUES, "confirm", "drop_unroutable", "return_unroutable")


def with_rates(numbers: Mapping[str, int]) -> dict[str, Any]:
    """The numbers, each followed by its `..._details`."""
    result: dict[str, Any] = {}
    for name, value in numbers.items():
        result[name] = value
        result[f"{name}_details"] = dict(_NO_RATE)
    return result


def of_queue(counts: Counts) -> dict[str, Any]:
    """The `message_stats` of a queue; empty before anything happened."""
    return _stats(counts, _OF_QUEUES)


def of_vhost(counts: Counts) -> dict[str, Any]:
    """The `message_stats` of a virtual host."""
    return _stats(counts, _OF_VHOSTS)


def _stats(counts: Counts, names: tuple[str, ...]) -> dict[str, Any]:
    numbers = counts.as_dict()
    deliveries = ("deliver", "deliver_no_ack", "get", "get_no_ack")
    numbers["deliver_get"] = sum(numbers[name] for name in deliveries)
    wanted = {name: numbers[name] for name in names}
    return with_rates(wanted) if any(wanted.values()) else {}
