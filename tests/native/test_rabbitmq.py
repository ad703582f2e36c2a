"""A RabbitMQ of our own starts beside whatever else runs, and leaves nothing behind."""

from __future__ import annotations

import socket
from pathlib import Path

import psutil
import pytest

from sandbox.native.ports import answers
from sandbox.native.rabbitmq import RabbitMQ
from sandbox.stack.live.management import Management
from sandbox.stack.live.settings import Settings
from tests.support.servers import running

pytestmark = pytest.mark.live


def test_it_serves_this_machine_only_and_is_gone_afterwards(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Settings for another server on this machine must not leak into ours.
    monkeypatch.setenv("RABBITMQ_NODENAME", "somebody-elses@localhost")
    monkeypatch.setenv("RABBITMQ_NODE_PORT", "1")
    with running(RabbitMQ()) as server:
        assert Management(Settings.of(server)).check()["node"] == "sandbox@localhost"
        for port in server.ports.values():
            # All of 127/8 is this machine; a server that listens everywhere would answer here too.
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.2", port), 2)
        assert server.version()
        folder, port = server.folder, server.port
        family = _family([child.pid for child in server.children])
        assert len(family) >= 2
        environment = psutil.Process(server.children[-1].pid).environ()
        assert Path(environment["RABBITMQ_MNESIA_BASE"]).parent == folder
    assert not answers(port)
    assert not folder.exists()
    assert not [each for each in family if _runs(each)]


def _family(pids: list[int]) -> list[psutil.Process]:
    leaders = [psutil.Process(pid) for pid in pids]
    return leaders + [each for leader in leaders for each in leader.children(recursive=True)]


def _runs(process: psutil.Process) -> bool:
    """Whether it is more than a name waiting to be collected."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
