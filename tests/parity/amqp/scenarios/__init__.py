"""The scenarios, by subject. Importing a module here registers its scenarios."""

from tests.parity.amqp.scenarios import (
    connections,
    consuming,
    dead_letters,
    exchanges,
    expiry,
    lengths,
    management,
    policies,
    properties,
    protocol,
    publishing,
    queues,
    replies,
    routing,
    settling,
    turns,
)

__all__ = [
    "connections",
    "consuming",
    "dead_letters",
    "exchanges",
    "expiry",
    "lengths",
    "management",
    "policies",
    "properties",
    "protocol",
    "publishing",
    "queues",
    "replies",
    "routing",
    "settling",
    "turns",
]
