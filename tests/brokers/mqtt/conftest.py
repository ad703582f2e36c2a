"""A broker for each test of this folder."""

from __future__ import annotations

import pytest

from tests.brokers.mqtt.client import World, new_world


@pytest.fixture
def world() -> World:
    return new_world()
