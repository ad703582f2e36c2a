"""A Redis of our own, from the installed package.

Without `options` it keeps its data on the disk (every write, synced each second) only when it was
given a folder.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from sandbox.native import programs
from sandbox.native.server import Server

_PROGRAMS = ("redis-server", "valkey-server")
HOW_TO_INSTALL = (
    "On Debian or Ubuntu: sudo apt-get install redis-server. On macOS: brew install redis. "
    "With Docker: docker compose up --wait redis."
)


class Redis(Server):
    """A redis-server process; `options` are settings as its configuration file has them."""

    name = "redis"
    title = "Redis"
    port_names: Sequence[str] = ("redis",)

    def __init__(
        self,
        folder: Path | None = None,
        ports: Mapping[str, int] | None = None,
        options: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(folder, ports)
        keep = {"appendonly": "yes"} if self._kept else {"appendonly": "no", "save": ""}
        #: May be changed while it is halted.
        self.options = dict(keep if options is None else options)

    @classmethod
    def version(cls) -> str:
        """The installed version."""
        program = programs.required(cls.title, _PROGRAMS, HOW_TO_INSTALL)
        return programs.asked_version([program, "--version"], r"v=(\S+)")

    def _launch(self) -> None:
        options = [word for name, value in self.options.items() for word in (f"--{name}", value)]
        program = programs.required(self.title, _PROGRAMS, HOW_TO_INSTALL)
        self._spawn(
            [
                program,
                *("--port", str(self.port)),
                *("--bind", "127.0.0.1"),
                *("--dir", self.folder),
                *("--daemonize", "no"),
                *options,
            ]
        )

    def _ready(self) -> bool:
        """Listening is not enough: while it loads its data it answers LOADING."""
        with (
            suppress(OSError),
            socket.create_connection(("127.0.0.1", self.port), 0.5) as connection,
        ):
            connection.settimeout(2.0)
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
        return False
