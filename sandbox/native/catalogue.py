"""The real servers by name, and the ports that programs expect them on.

To add a server, add its class to `SERVERS` and its usual ports to `PORTS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from sandbox.native.errors import ServerUnavailable
from sandbox.native.kafka import Kafka
from sandbox.native.mosquitto import Mosquitto
from sandbox.native.rabbitmq import RabbitMQ
from sandbox.native.redis import Redis
from sandbox.native.server import Server

SERVERS: Mapping[str, type[Server]] = {
    each.name: each for each in (RabbitMQ, Kafka, Redis, Mosquitto)
}
ALIASES = {"mqtt": "mosquitto", "amqp": "rabbitmq"}
#: A port that is not named here is any free one: nobody outside needs to know it.
PORTS: Mapping[str, Mapping[str, int]] = {
    "rabbitmq": {"amqp": 5672, "http": 15672},
    "kafka": {"kafka-1": 9092, "kafka-2": 9093, "kafka-3": 9094},
    "redis": {"redis": 6379},
    "mosquitto": {"mqtt": 1883},
}
MOST_KAFKA_BROKERS = 3


def names(wanted: str | None) -> list[str]:
    """The servers that "kafka,redis" names, in our order; all of them when nothing is named.

    Raises:
        ServerUnavailable: there is none of that name.
    """
    if wanted is None:
        return list(SERVERS)
    words = [word.strip().lower() for word in wanted.split(",") if word.strip()]
    asked = {ALIASES.get(word, word) for word in words}
    unknown = sorted(asked - SERVERS.keys())
    if unknown or not asked:
        said = ", ".join(unknown) or "nothing"
        raise ServerUnavailable(
            f"There is no server called {said}. Choose from {', '.join(SERVERS)}."
        )
    return [name for name in SERVERS if name in asked]


def make(
    name: str,
    folder: Path,
    *,
    offset: int = 0,
    kafka_brokers: int = 1,
    say: Callable[[str], None] = lambda sentence: None,
) -> Server:
    """A server on its usual ports, all moved by `offset`, that keeps its data in `folder`."""
    ports = {port: number + offset for port, number in PORTS[name].items()}
    if name == Kafka.name:
        ports = dict(list(ports.items())[:kafka_brokers])
        return Kafka(folder, ports, brokers=kafka_brokers, say=say)
    return SERVERS[name](folder, ports)
