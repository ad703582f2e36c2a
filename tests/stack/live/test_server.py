"""A RabbitMQ of our own starts beside whatever else runs, and leaves nothing behind."""

from __future__ import annotations

import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from sandbox.stack.live.management import Management
from sandbox.stack.live.server import NativeRabbitMQ, answers

pytestmark = pytest.mark.live


def test_it_serves_this_machine_only_and_is_gone_afterwards(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Settings for another server on this machine must not leak into ours.
    monkeypatch.setenv("RABBITMQ_NODENAME", "somebody-elses@localhost")
    monkeypatch.setenv("RABBITMQ_NODE_PORT", "1")
    server = NativeRabbitMQ()
    with server as settings:
        pid = server.pid
        assert pid is not None
        assert Management(settings).check()["node"] == "sandbox@localhost"
        http_port = urlsplit(settings.management_url).port
        for port in (settings.port, http_port):
            # All of 127/8 is this machine; a server that listens everywhere would answer here too.
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.2", port), 2)
        assert answers(settings)
        folder = Path(_environment_of(pid)["RABBITMQ_MNESIA_BASE"]).parent
        assert folder.is_dir()
    assert not answers(settings)
    assert not folder.exists()
    assert _running_in_group(pid) == []


def _running_in_group(group: int) -> list[str]:
    """The processes of a process group that are more than a name waiting to be collected."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except OSError:
            continue
        state, _, its_group = text.rpartition(")")[2].split()[:3]
        if int(its_group) == group and state != "Z":
            found.append(text)
    return found


def _environment_of(pid: int) -> dict[str, str]:
    data = Path(f"/proc/{pid}/environ").read_bytes().decode()
    return dict(entry.split("=", 1) for entry in data.split("\0") if "=" in entry)
