"""A real Mosquitto beside the tests, started and stopped by them."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.parity.mqtt.mosquitto import Mosquitto, Unavailable


@pytest.fixture(scope="session")
def mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """A Mosquitto of our own, with persistence, which tests may fill and restart.

    Where there is none, the tests fail under CI, which promises to have one; on a person's machine
    they are skipped, saying what to install.
    """
    try:
        server = Mosquitto(tmp_path_factory.mktemp("mosquitto"))
    except Unavailable as reason:
        if os.environ.get("CI"):
            pytest.fail(str(reason))
        pytest.skip(str(reason))
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def mosquitto_port(mosquitto: Mosquitto) -> int:
    """Where it listens on 127.0.0.1."""
    return mosquitto.port
