"""A Redis of our own, from the installed package.

It keeps its data on the disk (every write, synced each second) only when it was given a folder.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from contextlib import suppress

from sandbox.native import programs
from sandbox.native.server import Server

_PROGRAMS = ("redis-server", "valkey-server")
HOW_TO_INSTALL = (
    "On Debian or Ubuntu: sudo apt-get install redis-server. On macOS: brew install redis. "
    "With Docker: docker compose up --wait redis."
)


class Redis(Server):
    """A redis-server process."""

    name = "redis"
    title = "Redis"
    port_names: Sequence[str] = ("redis",)

    @classmethod
    def version(cls) -> str:
        """The installed version."""
        program = programs.required(cls.title, _PROGRAMS, HOW_TO_INSTALL)
        return programs.asked_version([program, "--version"], r"v=(\S+)")

    def _launch(self) -> None:
        keep = ["--appendonly", "yes"] if self._kept else ["--appendonly", "no", "--save", ""]
        program = programs.required(self.title, _PROGRAMS, HOW_TO_INSTALL)
        self._spawn(
            [
                program,
                *("--port", str(self.port)),
                *("--bind", "127.0.0.1"),
                *("--dir", self.folder),
                *("--daemonize", "no"),
                *keep,
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
