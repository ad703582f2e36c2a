"""A broker for each test, and a client of it that needs no socket."""

from __future__ import annotations

import pytest

from tests.brokers.redis.client import Client, World, new_world


@pytest.fixture
def world() -> World:
    return new_world()


@pytest.fixture
def client(world: World) -> Client:
    return world.connect()
