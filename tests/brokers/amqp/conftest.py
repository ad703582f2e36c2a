"""A broker for each test, and clients of it that need no socket."""

from __future__ import annotations

import pytest

from tests.brokers.amqp.client import Client, World, new_world


@pytest.fixture
def world() -> World:
    return new_world()


@pytest.fixture
def client(world: World) -> Client:
    return world.connect()
