"""A Mosquitto of our own, from the installed package: MQTT 3.1.1 and 5, anybody may connect."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from sandbox.native import programs
from sandbox.native.server import Server

_PROGRAMS = (
    "mosquitto",
    "/usr/sbin/mosquitto",
    "/opt/homebrew/sbin/mosquitto",
    "/usr/local/sbin/mosquitto",
)
HOW_TO_INSTALL = (
    "On Debian or Ubuntu: sudo apt-get install mosquitto. On macOS: brew install mosquitto. "
    "With Docker: docker compose up --wait rabbitmq, which speaks MQTT 3.1.1."
)


class Mosquitto(Server):
    """A mosquitto process; with `store` it keeps sessions and retained messages over a restart."""

    name = "mosquitto"
    title = "Mosquitto"
    port_names: Sequence[str] = ("mqtt",)

    def __init__(
        self,
        folder: Path | None = None,
        ports: Mapping[str, int] | None = None,
        *,
        store: bool | None = None,
    ) -> None:
        super().__init__(folder, ports)
        self._store = self._kept if store is None else store

    @classmethod
    def version(cls) -> str:
        """The installed version."""
        program = programs.required(cls.title, _PROGRAMS, HOW_TO_INSTALL)
        return programs.asked_version([program, "-h"], r"version (\S+)")

    def _launch(self) -> None:
        lines = [
            f"listener {self.port} 127.0.0.1",
            "allow_anonymous true",
            "log_dest stdout",
            "log_timestamp_format %Y-%m-%d %H:%M:%S",
            # Its default forgets sessions' messages beyond this many, which surprises a comparison.
            "max_queued_messages 0",
            "max_inflight_messages 0",
            "set_tcp_nodelay true",
        ]
        if self._store:
            # The store is written when it stops, when asked to (SIGUSR1), and every so often.
            lines += ["persistence true", f"persistence_location {self.folder}{os.sep}"]
            lines += ["autosave_interval 60"]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            lines += ["user root"]  # it would become another user, who may not read our folder
        configuration = self.folder / "mosquitto.conf"
        configuration.write_text("\n".join(lines) + "\n", encoding="utf-8")
        program = programs.required(self.title, _PROGRAMS, HOW_TO_INSTALL)
        self._spawn([program, "-c", configuration])
