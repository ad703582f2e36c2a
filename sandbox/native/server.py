"""What all servers have in common: a folder, ports, starting, being ready, stopping.

A server with a folder of its own making is gone without a trace when it stops; a server that was
given a folder keeps its data there and is stopped in an orderly way. To add a server, write a
subclass with `_launch` and `_ready`, and put it into `catalogue`.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from sandbox.holders import holder
from sandbox.native.child import Child, end_all, spawn, tail
from sandbox.native.errors import ServerUnavailable
from sandbox.native.ports import answers, free_ports, taken

#: A cold start takes seconds; a busy machine is given time.
START_TIMEOUT_S = 120.0
#: How long an orderly end may take before the server is killed.
STOP_TIMEOUT_S = 30.0
_LOOK_EVERY_S = 0.03


class Server:
    """A server process of ours (with RabbitMQ and a Kafka cluster: several processes)."""

    #: The word for it on the command line.
    name: ClassVar[str]
    #: As people write it.
    title: ClassVar[str]
    #: Whether its processes are to be stopped at once, since each waits for the others.
    stops_together: ClassVar[bool] = False
    #: What its ports are called, the one for clients first.
    port_names: Sequence[str] = ()

    def __init__(self, folder: Path | None = None, ports: Mapping[str, int] | None = None) -> None:
        self._kept = folder is not None
        self._given = dict(ports or {})
        self._folder = folder
        self.ports: dict[str, int] = {}
        self.children: list[Child] = []

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @classmethod
    def version(cls) -> str:
        """The version that is installed here.

        Raises:
            ServerUnavailable: it is not; says what to do.
        """
        raise NotImplementedError

    @property
    def folder(self) -> Path:
        """Where its data and logs are."""
        assert self._folder is not None, f"{self.title} has not been started"
        return self._folder

    @property
    def log(self) -> Path:
        """What it writes about itself."""
        return self.folder / "server.log"

    @property
    def wanted_ports(self) -> list[int]:
        """The ports that it was told to have."""
        return list(self._given.values())

    @property
    def port(self) -> int:
        """Where clients connect."""
        return self.ports[self.port_names[0]]

    @property
    def address(self) -> str:
        """What clients are given."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it serves.

        Raises:
            ServerUnavailable: it is not installed, a port is taken, or it did not come up; says
                what its log ends with.
        """
        self.version()
        for port in self._given.values():
            refuse_taken(self.title, port)
        missing = [name for name in self.port_names if name not in self._given]
        self.ports = self._given | dict(zip(missing, free_ports(len(missing)), strict=True))
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix=f"sandbox-{self.name}-"))
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            self._launch()
            self._wait_until(self._ready, self.children)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop it, and remove a folder of its own making. Idempotent.

        Data that is thrown away needs no orderly shutdown, which takes RabbitMQ six seconds.
        """
        children, self.children = self.children, []
        grace_s = STOP_TIMEOUT_S if self._kept else 0.0
        end_all(children, grace_s, together=self.stops_together)
        if children:
            self._wait_until_silent()
        if not self._kept and self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def halt(self, *, crash: bool = False) -> None:
        """Stop it for a while, with `crash` as a power failure would; its folder stays."""
        children, self.children = self.children, []
        end_all(children, 0.0 if crash else STOP_TIMEOUT_S, together=self.stops_together)
        if children:
            self._wait_until_silent()

    def resume(self) -> None:
        """Start it again after `halt`, on the same ports, with what its folder has kept.

        Raises:
            ServerUnavailable: it does not come up; says what its log ends with.
        """
        self._launch()
        self._wait_until(self._ready, self.children)

    def _launch(self) -> None:
        """Write configuration into the folder and `_spawn` the processes."""
        raise NotImplementedError

    def _ready(self) -> bool:
        """Say whether it serves; called again and again, so it must not take long."""
        return answers(self.port, timeout_s=0.5)

    def _spawn(
        self,
        command: Sequence[str | Path],
        *,
        environment: Mapping[str, str] | None = None,
        log: Path | None = None,
    ) -> Child:
        child = spawn(command, log or self.log, environment=environment, folder=self.folder)
        self.children.append(child)
        return child

    def _wait_until(self, ready: Callable[[], bool], children: Sequence[Child]) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            for child in children:
                if not child.alive:
                    raise ServerUnavailable(
                        f"{self.title} ended with status {child.status} instead of starting. "
                        f"Its log ends:\n{tail(self.log)}"
                    )
            if ready():
                return
            time.sleep(_LOOK_EVERY_S)
        raise ServerUnavailable(
            f"{self.title} did not answer within {START_TIMEOUT_S:.0f} s of being started. "
            f"Its log ends:\n{tail(self.log)}"
        )

    def _wait_until_silent(self) -> None:
        """A machine of many threads takes a moment to die, and only then lets go of its files."""
        deadline = time.monotonic() + 5.0
        while self.ports and answers(self.port) and time.monotonic() < deadline:
            time.sleep(_LOOK_EVERY_S)


def refuse_taken(title: str, port: int) -> None:
    """Raise `ServerUnavailable` when a server could not listen on the port; says who has it."""
    if taken(port):
        who = holder(port) or "another process"
        raise ServerUnavailable(
            f"{title} needs port {port}, which {who} has. Stop that, or move every port: "
            "sandbox stack up --port-offset 100"
        )
