"""`sandbox check --stack embedded`: real processes against the sandbox's own brokers over TCP.

Everything is as on the live stack, except for the server: one embedded server, in a process of its
own on free ports, is started for all the runs of a check and ends with this program.
"""

from __future__ import annotations

import atexit
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sandbox.embedded import EmbeddedError, ServerProcess
from sandbox.stack.base import CrashPoint, StackUnavailable
from sandbox.stack.live.places import Place
from sandbox.stack.live.settings import Settings
from sandbox.stack.live.stack import LiveStack

_servers: list[ServerProcess] = []


class EmbeddedStack(LiveStack):
    """A run in a virtual host of its own on the embedded server.

    Raises:
        StackUnavailable: the server cannot be started; says why.
    """

    name = "embedded"

    def __init__(
        self,
        seed: int = 1,
        *,
        brokers: Sequence[str] = ("rabbitmq",),
        settings: Settings | None = None,
        crash_point: CrashPoint | None = None,
    ) -> None:
        if settings is None and "rabbitmq" in brokers:
            settings = _running()
        super().__init__(seed, brokers=brokers, settings=settings, crash_point=crash_point)

    def _open_place(self, kind: str) -> Place:
        return EmbeddedPlace(kind)


class EmbeddedPlace:
    """A Kafka, Redis or MQTT server for one run, in a process of its own; keeps its data on a disk.

    A crash loses nothing that was confirmed, since the journal is written first; see `--data`. Of
    Redis it keeps what its settings say, as a Redis does, and begins with a Redis's usual ones.
    """

    def __init__(self, kind: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix=f"sandbox-{kind}-")
        self._given: dict[str, Any] = {"only": (kind,), "data": Path(self._folder.name)}
        if kind == "redis":
            self._given["redis"] = {"appendonly": "no"}
        self._server = self._start()
        port = self._server.ports[kind]
        self.addresses = [(self._server.options.host, port)]
        self._given["ports"] = {kind: port}
        self._up = True

    @property
    def nodes(self) -> list[int]:
        """The ids of the nodes that run."""
        return [1] if self._up else []

    def halt(self, node: int | None = None, *, crash: bool = True) -> None:
        """Stop it, with `crash` as SIGKILL does."""
        if self._up:
            (self._server.kill if crash else self._server.stop)()
        self._up = False

    def resume(self, node: int | None = None) -> None:
        """Start it again on the same port, with what it kept."""
        if not self._up:
            self._server = self._start()
        self._up = True

    def configure(self, settings: dict[str, str]) -> None:
        """Start Redis with these from now on."""
        if "redis" in self._given:
            self._given["redis"] |= settings

    def close(self) -> None:
        """Throw it away."""
        self.halt()
        self._folder.cleanup()

    def _start(self) -> ServerProcess:
        try:
            return ServerProcess(**self._given).start()
        except EmbeddedError as problem:
            raise StackUnavailable(str(problem)) from problem


def _running() -> Settings:
    """Where the embedded server is; starts it the first time."""
    if not _servers:
        try:
            _servers.append(ServerProcess(only=("rabbitmq",)).start())
        except EmbeddedError as problem:
            raise StackUnavailable(str(problem)) from problem
        atexit.register(_servers[0].kill)
    server = _servers[0]
    host = server.options.host
    return Settings(
        host=host,
        port=server.ports["rabbitmq"],
        user="guest",
        password="guest",
        management_url=f"http://{host}:{server.ports['management']}",
    )
