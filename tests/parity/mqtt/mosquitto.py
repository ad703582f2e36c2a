"""A real Mosquitto on a port of its own, and the conversation with it as the tests want it.

Nothing here waits for a while: everything that was sent is known to be dealt with because
Mosquitto, which does one thing after the other, answers a ping that was sent later.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from pathlib import Path

from tests.brokers.mqtt import packets
from tests.brokers.mqtt.packets import Packet

START_TIMEOUT_S = 60.0
#: No answer takes as long as this; a test that comes here has failed.
PATIENCE_S = 60.0


class Unavailable(Exception):
    """There is no Mosquitto here; the text says what to do."""


class Mosquitto:
    """A server of our own in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
        if program is None:
            raise Unavailable(
                "There is no mosquitto here. On Debian or Ubuntu: apt-get install mosquitto."
            )
        self._program = program
        self._folder = folder
        self.port = _free_port()
        # Started by root it would become somebody else, who cannot write here.
        user = "user root\n" if hasattr(os, "geteuid") and os.geteuid() == 0 else ""
        (folder / "mosquitto.conf").write_text(
            f"{user}listener {self.port} 127.0.0.1\n"
            "allow_anonymous true\n"
            "persistence true\n"
            f"persistence_location {folder}/\n"
        )
        self._server: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start it and wait until it answers."""
        with (self._folder / "log").open("ab") as log:
            self._server = subprocess.Popen(
                [self._program, "-c", str(self._folder / "mosquitto.conf")],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        for _ in range(int(START_TIMEOUT_S / 0.05)):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                try:
                    status = self._server.wait(0.05)
                except subprocess.TimeoutExpired:
                    continue
                raise Unavailable(f"mosquitto ended with {status}:\n{self._log()}") from None
        raise Unavailable(f"mosquitto did not answer in {START_TIMEOUT_S:g} s:\n{self._log()}")

    def stop(self) -> None:
        """Stop it in good order."""
        if self._server is not None:
            self._server.terminate()
            self._server.wait(START_TIMEOUT_S)
            self._server = None

    def restart(self) -> None:
        """Stop it and start it again; it keeps what it keeps."""
        self.stop()
        self.start()

    def _log(self) -> str:
        return (self._folder / "log").read_text(errors="replace")


class TcpWire:
    """One connection to a real server."""

    def __init__(self, port: int, version: int) -> None:
        self.version = version
        self.closed = False
        self._socket = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
        self._socket.settimeout(PATIENCE_S)
        self._buffer = b""

    def send(self, data: bytes) -> None:
        """Send bytes, if anybody is there to take them."""
        try:
            self._socket.sendall(data)
        except OSError:
            pass

    def lose(self) -> None:
        """Break the connection, and wait until the server knows."""
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        while not self.closed:
            self._read()
        self._buffer = b""
        self.close()

    def close(self) -> None:
        """Let go of the socket."""
        self.closed = True
        self._socket.close()

    def flush(self) -> list[Packet]:
        """Everything the server has sent by the time it answers a ping sent now."""
        found: list[Packet] = []
        if not self.closed:
            self.send(packets.PINGREQ)
        while True:
            packet, self._buffer = (
                packets.decode(self._buffer, self.version) if self._buffer else (None, b"")
            )
            if packet is not None:
                if packet.kind == "PINGRESP":
                    return found
                found.append(packet)
            elif self.closed:
                return found
            else:
                self._read()

    def _read(self) -> None:
        try:
            data = self._socket.recv(65536)
        except ConnectionError:
            data = b""
        if data:
            self._buffer += data
        else:
            self.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
