"""The scenarios, by subject. Importing a module here registers its scenarios."""

from tests.parity.amqp.scenarios import (
    connections,
    consuming,
    dead_letters,
    exchanges,
    properties,
    protocol,
    publishing,
    queues,
    settling,
)

__all__ = [
    "connections",
    "consuming",
    "dead_letters",
    "exchanges",
    "properties",
    "protocol",
    "publishing",
    "queues",
    "settling",
]
