"""A broker for each test, and the API that shows it."""

from __future__ import annotations

import pytest

from tests.brokers.amqp.client import Client, World, new_world
from tests.brokers.amqp.management.web import Web


@pytest.fixture
def world() -> World:
    return new_world()


@pytest.fixture
def client(world: World) -> Client:
    return world.connect()


@pytest.fixture
def web(world: World) -> Web:
    return Web(world)
