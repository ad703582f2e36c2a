"""A broker for each test, a client of it that needs no socket, and a real Redis beside them."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.brokers.redis.client import Client, World, new_world

START_TIMEOUT_S = 30.0


@pytest.fixture
def world() -> World:
    return new_world()


@pytest.fixture
def client(world: World) -> Client:
    return world.connect()


@pytest.fixture(scope="session")
def redis_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a real Redis of our own, which tests may empty.

    Where there is no redis-server, the tests fail under CI, which promises to have one; on a
    person's machine they are skipped, saying what to install.
    """
    program = shutil.which("redis-server")
    if program is None:
        reason = "There is no redis-server here. On Debian or Ubuntu: apt-get install redis-server."
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("redis")
    port = _free_port()
    server = subprocess.Popen(
        [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)],
        stdin=subprocess.DEVNULL,
        stdout=(folder / "log").open("wb"),
        stderr=subprocess.STDOUT,
    )
    try:
        _wait_until_it_answers(port, server, folder / "log")
        yield port
    finally:
        server.terminate()
        server.wait(START_TIMEOUT_S)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_it_answers(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(int(START_TIMEOUT_S / 0.1)):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            try:
                status = server.wait(0.1)
            except subprocess.TimeoutExpired:
                continue
            pytest.fail(f"redis-server ended with status {status}:\n{log.read_text()}")
    pytest.fail(f"redis-server did not answer within {START_TIMEOUT_S:g} s:\n{log.read_text()}")
