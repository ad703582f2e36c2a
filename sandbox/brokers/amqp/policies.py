"""Policies: arguments that an administrator gives to queues and exchanges by the pattern of a name.

Of the policies that match a name the one with the highest priority holds, alone. It may come,
change and go while the queue exists. How it and the queue's own arguments go together is `options`.
[RabbitMQ: "Parameters and Policies"]
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sandbox.brokers.amqp.options import queue_options

if TYPE_CHECKING:
    from sandbox.brokers.amqp.exchange import Exchange
    from sandbox.brokers.amqp.queue import Queue

QUEUE_KEYS: Final = frozenset(
    {
        "dead-letter-exchange",
        "dead-letter-routing-key",
        "delivery-limit",
        "expires",
        "max-length",
        "max-length-bytes",
        "message-ttl",
        "overflow",
    }
)
EXCHANGE_KEYS: Final = frozenset({"alternate-exchange"})
_NUMBERS: Final = QUEUE_KEYS - {"dead-letter-exchange", "dead-letter-routing-key", "overflow"}
APPLY_TO: Final = ("all", "queues", "exchanges")


class Policy(NamedTuple):
    """A policy. `definition` has the arguments' names without `x-`."""

    name: str
    pattern: str
    definition: Mapping[str, Any]
    priority: int = 0
    apply_to: str = "all"

    def check(self) -> None:
        """Refuse what cannot be a policy.

        Raises:
            ValueError: a sentence that says what is wrong.
        """
        unknown = set(self.definition) - QUEUE_KEYS - EXCHANGE_KEYS
        if unknown:
            known = ", ".join(sorted(QUEUE_KEYS | EXCHANGE_KEYS))
            raise ValueError(f"policies have no {sorted(unknown)[0]!r} here; they have {known}")
        for key, value in self.definition.items():
            wanted = int if key in _NUMBERS else str
            if not isinstance(value, wanted) or (isinstance(value, int) and value < 0):
                raise ValueError(f"{key!r} cannot be {value!r}")
        if self.apply_to not in APPLY_TO:
            raise ValueError(f"apply_to is one of {', '.join(APPLY_TO)}, not {self.apply_to!r}")
        re.compile(self.pattern)


def policy_for(name: str, what: str, policies: Iterable[Policy]) -> Policy | None:
    """The policy that holds for a name; `what` is "queues" or "exchanges"."""
    fitting = [
        policy
        for policy in policies
        if policy.apply_to in ("all", what) and re.search(policy.pattern, name)
    ]
    return max(fitting, key=lambda policy: policy.priority, default=None)


def apply_to_queue(queue: Queue, policies: Iterable[Policy]) -> None:
    """Make a queue what its arguments and its policy say."""
    queue.policy = policy_for(queue.name, "queues", policies)
    definition = queue.policy.definition if queue.policy else {}
    options = queue_options(queue.arguments, definition)
    if options != queue.options:
        queue.configure(options)


def apply_to_exchange(exchange: Exchange, policies: Iterable[Policy]) -> None:
    """Give an exchange the alternate that its policy names."""
    policy = exchange.policy = policy_for(exchange.name, "exchanges", policies)
    exchange.policy_alternate = policy.definition.get("alternate-exchange") if policy else None
