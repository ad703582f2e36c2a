"""What is said when a server does not come up."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from sandbox.native import mosquitto, rabbitmq, redis
from sandbox.native.errors import ServerUnavailable
from sandbox.native.server import Server

pytestmark = pytest.mark.needs_os


class Failing(Server):
    name = "failing"
    title = "Failing"
    port_names = ("failing",)

    @classmethod
    def version(cls) -> str:
        return "1"

    def _launch(self) -> None:
        self._spawn([sys.executable, "-c", "print('no such setting'); raise SystemExit(3)"])


def test_a_server_that_ends_at_once_shows_its_log_and_leaves_nothing() -> None:
    server = Failing()
    with pytest.raises(ServerUnavailable, match="status 3 instead of starting") as refused:
        server.start()
    assert "no such setting" in str(refused.value)
    assert not server.children
    with pytest.raises(AssertionError, match="has not been started"):
        server.folder  # noqa: B018


@pytest.mark.parametrize(
    ("module", "server", "package"),
    [
        (rabbitmq, rabbitmq.RabbitMQ, "rabbitmq-server"),
        (redis, redis.Redis, "redis-server"),
        (mosquitto, mosquitto.Mosquitto, "mosquitto"),
    ],
)
def test_a_server_that_is_not_installed_comes_with_the_command_to_install_it(
    module: ModuleType, server: type[Server], package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PROGRAMS", ("no-such-program",))
    with pytest.raises(ServerUnavailable, match=rf"not installed.*apt-get install {package}"):
        server().start()


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a shell script")
def test_a_rabbitmq_that_ends_at_once_shows_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "rabbitmq-server"
    program.write_text("#!/bin/sh\necho 'no space left on the moon'\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setattr(rabbitmq, "_PROGRAMS", (str(program),))
    server = rabbitmq.RabbitMQ()
    with pytest.raises(ServerUnavailable, match=r"status 3(.|\n)*no space left on the moon"):
        server.start()
    assert server.children == []
