"""Fixtures that tests of several packages use."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from sandbox.stack.base import StackUnavailable
from sandbox.stack.live.server import NativeRabbitMQ, answers
from sandbox.stack.live.settings import Settings


@pytest.fixture(scope="session")
def rabbitmq_server() -> Iterator[Settings]:
    """A real RabbitMQ: the one at AMQP_URL if it answers, else one of our own for this session.

    Where none can be had, the tests fail under CI, which promises to have one; on a person's
    machine they are skipped, saying what to install.
    """
    settings = Settings.from_environment()
    if answers(settings):
        yield settings
        return
    server = NativeRabbitMQ()
    try:
        started = server.start()
    except StackUnavailable as reason:
        if os.environ.get("CI"):
            pytest.fail(f"The live tests need a RabbitMQ. {reason}")
        pytest.skip(str(reason))
    try:
        yield started
    finally:
        server.stop()
