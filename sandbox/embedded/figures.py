"""What the status shows of a running server: plain numbers, taken in the server's thread.

Looking must not cost what it measures, so a broker is asked for sizes only. To show another
number, add it to the broker's function in `_COUNTED`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from sandbox.embedded.engine import Engine


@dataclass(frozen=True)
class Figures:
    """One broker at one moment."""

    name: str
    title: str
    #: Purpose -> port.
    ports: Mapping[str, int]
    connections: int
    #: What there is, as words and numbers: ("queues", 3), ("messages", 120).
    holdings: tuple[tuple[str, int], ...]
    #: Counts that only grow; two looks make a rate.
    messages: int
    received_bytes: int
    sent_bytes: int


def look(engine: Engine) -> list[Figures]:
    """The figures of every broker, in the order of their kinds."""
    seen = []
    for kind in engine.kinds:
        service = engine.services.get(kind.name)
        if service is None:
            continue
        messages, holdings = _COUNTED[kind.name](engine.brokers[kind.name])
        seen.append(
            Figures(
                name=kind.name,
                title=kind.title,
                ports={purpose: engine.ports[purpose] for purpose in engine.ports_of(kind)},
                connections=len(service.clients),
                holdings=holdings,
                messages=messages,
                received_bytes=service.received_bytes,
                sent_bytes=service.sent_bytes,
            )
        )
    return seen


#: How many there were since the start, and what there is now.
Counted = tuple[int, tuple[tuple[str, int], ...]]


def _rabbitmq(broker: Any) -> Counted:
    queues = [queue for vhost in broker.vhosts.values() for queue in vhost.queues.values()]
    holdings = (
        ("queues", len(queues)),
        ("ready", sum(queue.ready_count for queue in queues)),
        ("consumers", sum(queue.consumer_count for queue in queues)),
    )
    return broker.last_message, holdings


def _kafka(broker: Any) -> Counted:
    topics = broker.cluster.topics.values()
    partitions = [partition for topic in topics for partition in topic.partitions]
    written = sum(partition.high_watermark for partition in partitions)
    groups = sum(1 for _ in broker.cluster.groups)
    return written, (("topics", len(topics)), ("records", written), ("groups", groups))


def _redis(broker: Any) -> Counted:
    keys = sum(len(database) for database in broker.server.dbs.values())
    return sum(broker.counts.values()), (("keys", keys), ("waiting", len(broker.blocked)))


def _mqtt(broker: Any) -> Counted:
    holdings = (
        ("sessions", len(broker.session_table)),
        ("subscriptions", broker.tree.count),
        ("retained", len(broker.retained_messages)),
    )
    return broker.last_message, holdings


_COUNTED: Final[Mapping[str, Callable[[Any], Counted]]] = {
    "rabbitmq": _rabbitmq,
    "kafka": _kafka,
    "redis": _redis,
    "mqtt": _mqtt,
}
