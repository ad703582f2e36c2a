"""Real servers for tests that compare with them: one of each for a whole session.

A RabbitMQ that answers at AMQP_URL is used; everything else is started here on free ports, since
tests empty it. Where a server cannot be had, tests fail under CI, which promises to have it; on a
person's machine they are skipped, and say what to install.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn, TypeVar

import pytest

from sandbox.native.errors import ServerUnavailable
from sandbox.native.kafka import Kafka
from sandbox.native.mosquitto import Mosquitto
from sandbox.native.ports import answers
from sandbox.native.rabbitmq import RabbitMQ
from sandbox.native.redis import Redis
from sandbox.native.server import Server
from sandbox.stack.live.settings import Settings

AnyServer = TypeVar("AnyServer", bound=Server)


def unavailable(reason: str) -> NoReturn:
    """Fail under CI, and skip elsewhere."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def running(server: AnyServer) -> Iterator[AnyServer]:
    """Start a server for a while; fail or skip where that cannot be."""
    try:
        server.start()
    except ServerUnavailable as reason:
        unavailable(f"The live tests need {server.title}. {reason}")
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def rabbitmq_server() -> Iterator[Settings]:
    """The RabbitMQ at AMQP_URL if it answers, else one of our own."""
    settings = Settings.from_environment()
    if answers(settings.port, settings.host):
        yield settings
        return
    with running(RabbitMQ()) as server:
        yield Settings.of(server)


@pytest.fixture(scope="session")
def redis_server() -> Iterator[Redis]:
    """A Redis of our own, which tests may empty."""
    with running(Redis()) as server:
        yield server


@pytest.fixture(scope="session")
def redis_port(redis_server: Redis) -> int:
    """Its port."""
    return redis_server.port


@pytest.fixture(scope="session")
def mosquitto_server() -> Iterator[Mosquitto]:
    """A Mosquitto of our own."""
    with running(Mosquitto()) as server:
        yield server


@pytest.fixture(scope="session")
def mosquitto_port(mosquitto_server: Mosquitto) -> int:
    """Its port."""
    return mosquitto_server.port


@pytest.fixture(scope="session")
def kafka_server() -> Iterator[Kafka]:
    """A Kafka of our own with one broker."""
    with running(Kafka()) as server:
        yield server


@pytest.fixture(scope="session")
def kafka_cluster() -> Iterator[Kafka]:
    """A Kafka of our own with three brokers; a test that kills one starts it again."""
    with running(Kafka(brokers=3)) as server:
        yield server
