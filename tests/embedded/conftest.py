"""Servers for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.embedded import Server, ServerProcess


@pytest.fixture(scope="session")
def server() -> Iterator[ServerProcess]:
    """A server with every broker, for tests that leave nothing behind."""
    with ServerProcess() as server:
        yield server


@pytest.fixture
def own_server() -> Iterator[Server]:
    """A server with every broker for one test, in this process: its inside can be looked at."""
    with Server() as server:
        yield server
