"""A RabbitMQ of our own, started from the installed package and gone afterwards.

It shares nothing with a RabbitMQ that may already run on the machine: its own node name, data
folder, Erlang cookie, name service (epmd) and ports, all on 127.0.0.1. It needs no root and leaves
the system's configuration alone; run as root, it stays root rather than becoming another user, so
that its data folder can be anywhere.

To find RabbitMQ in one more place, add it to `_PROGRAMS`.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from sandbox.stack.base import StackUnavailable
from sandbox.stack.live.management import Management
from sandbox.stack.live.settings import Settings

#: Debian's /usr/sbin/rabbitmq-server insists on root and switches users; the script behind it does
#: neither, so it is tried first.
_PROGRAMS = (
    "/usr/lib/rabbitmq/bin/rabbitmq-server",
    "/opt/homebrew/opt/rabbitmq/sbin/rabbitmq-server",
    "/usr/local/opt/rabbitmq/sbin/rabbitmq-server",
    "rabbitmq-server",
)
HOW_TO_INSTALL = (
    "On Debian or Ubuntu: apt-get install rabbitmq-server. On macOS: brew install rabbitmq. "
    "With Docker: docker compose up --wait rabbitmq."
)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
#: A cold start takes 5 s on a laptop; a busy CI machine is given time.
START_TIMEOUT_S = 90.0


def find_program() -> str | None:
    """Return the path of RabbitMQ's start script, or None."""
    return next((found for name in _PROGRAMS if (found := shutil.which(name))), None)


def answers(settings: Settings, timeout_s: float = 2.0) -> bool:
    """Say whether something accepts connections at the broker's address."""
    try:
        socket.create_connection((settings.host, settings.port), timeout_s).close()
    except OSError:
        return False
    return True


class NativeRabbitMQ:
    """A RabbitMQ server process of our own; a context manager that starts and stops it."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._epmd: subprocess.Popen[bytes] | None = None
        self._server: subprocess.Popen[bytes] | None = None
        self.settings: Settings | None = None

    def __enter__(self) -> Settings:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self._server.pid if self._server else None

    def start(self) -> Settings:
        """Start the server and wait until its management plugin answers.

        Raises:
            StackUnavailable: it is not installed, or did not come up; says what its log ends with.
        """
        program = find_program()
        if program is None:
            raise StackUnavailable(f"RabbitMQ is not installed here. {HOW_TO_INSTALL}")
        self._folder = folder = Path(tempfile.mkdtemp(prefix="sandbox-rmq-"))
        amqp, management, distribution, names = _free_ports(4)
        (folder / "rabbitmq.conf").write_text(_configuration(amqp, management))
        (folder / "enabled_plugins").write_text("[rabbitmq_management].\n")
        (folder / "env.conf").write_text("")  # keeps /etc/rabbitmq/rabbitmq-env.conf out
        environment = _environment(folder, amqp, distribution, names)
        self.settings = settings = Settings(
            "127.0.0.1", amqp, "guest", "guest", f"http://127.0.0.1:{management}"
        )
        try:
            self._start_epmd(names, environment)
            with (folder / "console.log").open("wb") as log:
                self._server = subprocess.Popen(
                    [program],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=environment,
                    cwd=folder,
                    start_new_session=True,
                )
            self._wait_until_ready(settings)
        except BaseException:
            self.stop()
            raise
        return settings

    def stop(self) -> None:
        """Kill the server and remove its data folder. Idempotent.

        An orderly shutdown would take six seconds, for data that is thrown away.
        """
        if self._server is None and self._epmd is None and self._folder is None:
            return
        server, self._server = self._server, None
        epmd, self._epmd = self._epmd, None
        for process in (server, epmd):
            if process is not None:
                _end(process)
        # A machine of many threads takes a moment to die, and only then lets go of its files.
        deadline = time.monotonic() + 5.0
        while self.settings and answers(self.settings) and time.monotonic() < deadline:
            time.sleep(0.02)
        folder, self._folder = self._folder, None
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    def _start_epmd(self, port: int, environment: dict[str, str]) -> None:
        """Start the node's name service as our child, so that no daemon is left behind."""
        program = shutil.which("epmd")
        if program is None:  # Erlang outside PATH: the server then starts a daemon of its own
            return
        self._epmd = subprocess.Popen(
            [program, "-port", str(port), "-address", "127.0.0.1"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,
        )
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and self._epmd.poll() is None:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return
            time.sleep(0.02)

    def _wait_until_ready(self, settings: Settings) -> None:
        assert self._server is not None
        management = Management(settings)
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if self._server.poll() is not None:
                raise StackUnavailable(
                    f"RabbitMQ ended with status {self._server.returncode} instead of starting. "
                    f"Its log ends:\n{self._log_tail()}"
                )
            if answers(settings, 0.5):
                with suppress(StackUnavailable):
                    management.check()
                    return
            time.sleep(0.05)
        raise StackUnavailable(
            f"RabbitMQ did not answer within {START_TIMEOUT_S:.0f} s of being started. "
            f"Its log ends:\n{self._log_tail()}"
        )

    def _log_tail(self) -> str:
        assert self._folder is not None
        text = (self._folder / "console.log").read_text(errors="replace")
        return "\n".join(_COLOUR.sub("", text).splitlines()[-15:])


def _free_ports(count: int) -> list[int]:
    """Ask the system for free ports on 127.0.0.1, all different."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _configuration(amqp_port: int, management_port: int) -> str:
    return (
        f"listeners.tcp.local = 127.0.0.1:{amqp_port}\n"
        "management.tcp.ip = 127.0.0.1\n"
        f"management.tcp.port = {management_port}\n"
        "log.console = true\nlog.console.level = warning\nlog.file = false\n"
        "disk_free_limit.absolute = 50MB\n"
    )


def _environment(folder: Path, amqp: int, distribution: int, names: int) -> dict[str, str]:
    """The server's environment: ours, without RabbitMQ settings meant for another server."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("RABBITMQ_", "ERL_"))}
    return kept | {
        "HOME": str(folder),  # where the Erlang cookie is made
        "ERL_EPMD_PORT": str(names),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        # Our epmd knows no other node, so the name need not be unusual.
        "RABBITMQ_NODENAME": "sandbox@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(amqp),
        "RABBITMQ_DIST_PORT": str(distribution),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_CONF_ENV_FILE": str(folder / "env.conf"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
        "RABBITMQ_GENERATED_CONFIG_DIR": str(folder / "generated"),
        # Two schedulers and no busy waiting: a test machine has other things to do.
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
            "-kernel inet_dist_use_interface {127,0,0,1} +S 2:2 +sbwt none"
        ),
    }


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and the session it leads: the start script and the Erlang machine."""
    with suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
