"""Fixtures that tests of several packages use."""

from __future__ import annotations

from tests.support.servers import (
    kafka_cluster,
    kafka_server,
    mosquitto_port,
    mosquitto_server,
    rabbitmq_server,
    redis_port,
    redis_server,
)

__all__ = [
    "kafka_cluster",
    "kafka_server",
    "mosquitto_port",
    "mosquitto_server",
    "rabbitmq_server",
    "redis_port",
    "redis_server",
]
