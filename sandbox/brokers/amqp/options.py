"""What a queue's arguments (and a policy) make of it, read once.

An argument and a policy may both speak. For numbers the smaller one counts, for everything else the
argument does. Type, priorities and single active consumer cannot come from a policy, because a
queue could not change them while it holds messages. [RabbitMQ: "Parameters and Policies"]
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

_MS: Final = 1_000_000

DROP_HEAD: Final = "drop-head"
REJECT_PUBLISH: Final = "reject-publish"
REJECT_PUBLISH_DLX: Final = "reject-publish-dlx"


@dataclass(frozen=True, slots=True)
class QueueOptions:
    """How a queue treats its messages and consumers. None: no such limit."""

    quorum: bool = False
    message_ttl_ns: int | None = None
    expires_ns: int | None = None
    max_length: int | None = None
    max_length_bytes: int | None = None
    overflow: str = DROP_HEAD
    dead_letter_exchange: str | None = None
    dead_letter_routing_key: str | None = None
    max_priority: int | None = None
    single_active_consumer: bool = False
    delivery_limit: int | None = None

    #: True if there may be too many messages or too many bytes of them.
    bounded: bool = field(init=False)
    #: True if publishing needs no second look: no quorum, no limits and no time to live.
    simple: bool = field(init=False)

    def __post_init__(self) -> None:
        bounded = self.max_length is not None or self.max_length_bytes is not None
        simple = not (bounded or self.quorum or self.message_ttl_ns is not None)
        object.__setattr__(self, "bounded", bounded)
        object.__setattr__(self, "simple", simple)


def queue_options(
    arguments: Mapping[str, Any], policy: Mapping[str, Any] | None = None
) -> QueueOptions:
    """Read arguments (names with `x-`) and a policy's definition (names without)."""
    policy = policy or {}

    def number(name: str) -> int | None:
        given = [
            value
            for value in (arguments.get(f"x-{name}"), policy.get(name))
            if isinstance(value, int) and value >= 0
        ]
        return min(given, default=None)

    def word(name: str) -> Any:
        value = arguments.get(f"x-{name}")
        return policy.get(name) if value is None else value

    def time_ns(name: str) -> int | None:
        value = number(name)
        return None if value is None else value * _MS

    quorum = arguments.get("x-queue-type") == "quorum"
    overflow = word("overflow") or DROP_HEAD
    if quorum and overflow == REJECT_PUBLISH_DLX:
        # Quorum queues do not have this one and take it for the default.
        overflow = DROP_HEAD
    return QueueOptions(
        quorum=quorum,
        message_ttl_ns=time_ns("message-ttl"),
        expires_ns=time_ns("expires"),
        max_length=number("max-length"),
        max_length_bytes=number("max-length-bytes"),
        overflow=overflow,
        dead_letter_exchange=word("dead-letter-exchange"),
        dead_letter_routing_key=word("dead-letter-routing-key"),
        max_priority=arguments.get("x-max-priority"),
        single_active_consumer=bool(arguments.get("x-single-active-consumer")),
        delivery_limit=number("delivery-limit") if quorum else None,
    )
