"""Fixtures that tests of several packages use."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

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

# A busy machine is no reason to fail; what CI runs is the same every time (Hypothesis's own "ci").
settings.register_profile(
    "calm", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("calm")
