"""A broker for each test, and clients of it that need no socket."""

from __future__ import annotations

import pytest

from tests.brokers.kafka.client import Client, World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def client(world: World) -> Client:
    return world.connect()
