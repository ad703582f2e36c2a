"""A RabbitMQ of our own, from the installed package.

It shares nothing with a RabbitMQ that may already run on the machine: its own node name, data
folder, Erlang cookie, name service (epmd) and ports, all on 127.0.0.1. It needs no root and leaves
the system's configuration alone; run as root, it stays root rather than becoming another user, so
that its data folder can be anywhere.

To find RabbitMQ in one more place, add it to `_PROGRAMS`.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from sandbox.native import programs
from sandbox.native.ports import answers
from sandbox.native.server import Server

#: Debian's /usr/sbin/rabbitmq-server insists on root and switches users; the script behind it does
#: neither, so it is tried first.
_PROGRAMS = (
    "/usr/lib/rabbitmq/bin/rabbitmq-server",
    "/opt/homebrew/opt/rabbitmq/sbin/rabbitmq-server",
    "/usr/local/opt/rabbitmq/sbin/rabbitmq-server",
    "rabbitmq-server",
    "rabbitmq-server.bat",
)
HOW_TO_INSTALL = (
    "On Debian or Ubuntu: sudo apt-get install rabbitmq-server. On macOS: brew install rabbitmq. "
    "With Docker: docker compose up --wait rabbitmq."
)


class RabbitMQ(Server):
    """A RabbitMQ node with its management plugin, and the name service it needs.

    `options` are lines of rabbitmq.conf, and override ours.
    """

    name = "rabbitmq"
    title = "RabbitMQ"
    port_names: Sequence[str] = ("amqp", "http", "distribution", "names")

    def __init__(
        self,
        folder: Path | None = None,
        ports: Mapping[str, int] | None = None,
        options: Sequence[str] = (),
    ) -> None:
        super().__init__(folder, ports)
        self._options = list(options)

    @classmethod
    def version(cls) -> str:
        """The installed version, as far as its folder tells: the server takes seconds to say it."""
        program = programs.required(cls.title, _PROGRAMS, HOW_TO_INSTALL)
        for folder in program.resolve().parents:
            for found in folder.glob("lib/rabbitmq_server-*"):
                return found.name.rpartition("-")[2]
            match = re.search(r"rabbitmq_server-([\d.]+)|rabbitmq/([\d.]+)$", str(folder))
            if match:
                return match[1] or match[2]
        return ""

    @property
    def amqp_url(self) -> str:
        """For AMQP_URL."""
        return f"amqp://guest:guest@127.0.0.1:{self.port}/"

    @property
    def management_url(self) -> str:
        """For RABBITMQ_MANAGEMENT_URL, and a browser."""
        return f"http://127.0.0.1:{self.ports['http']}"

    def _launch(self) -> None:
        program = programs.required(self.title, _PROGRAMS, HOW_TO_INSTALL)
        conf = [
            f"listeners.tcp.local = 127.0.0.1:{self.port}",
            "management.tcp.ip = 127.0.0.1",
            f"management.tcp.port = {self.ports['http']}",
            *("log.console = true", "log.console.level = warning", "log.file = false"),
            "disk_free_limit.absolute = 50MB",
            *self._options,
        ]
        (self.folder / "rabbitmq.conf").write_text("\n".join(conf) + "\n", encoding="utf-8")
        (self.folder / "enabled_plugins").write_text("[rabbitmq_management].\n", encoding="utf-8")
        (self.folder / "env.conf").write_text("")  # keeps /etc/rabbitmq/rabbitmq-env.conf out
        environment = self._environment()
        self._start_names(environment)
        self._spawn([program], environment=environment)

    def _ready(self) -> bool:
        if not answers(self.port, timeout_s=0.5):
            return False
        token = base64.b64encode(b"guest:guest").decode()
        request = urllib.request.Request(
            f"{self.management_url}/api/vhosts/{quote('/', safe='')}",
            headers={"Authorization": f"Basic {token}"},
        )
        # No proxy from the environment: it is on this machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with (
            suppress(urllib.error.URLError, OSError, ValueError),
            opener.open(request, timeout=5.0) as response,
        ):
            return bool(json.load(response)["name"])
        return False

    def _start_names(self, environment: Mapping[str, str]) -> None:
        """Start the node's name service as our child, so that no daemon is left behind."""
        epmd = shutil.which("epmd")
        if epmd is None:  # Erlang outside PATH: the server then starts a daemon of its own
            return
        port = self.ports["names"]
        child = self._spawn(
            [epmd, "-port", str(port), "-address", "127.0.0.1"],
            environment=environment,
            log=self.folder / "names.log",
        )
        self._wait_until(lambda: answers(port, timeout_s=0.5), [child])

    def _environment(self) -> dict[str, str]:
        """The server's environment: ours, without RabbitMQ settings meant for another server."""
        folder = self.folder
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("RABBITMQ_", "ERL_"))}
        return kept | {
            "HOME": str(folder),  # where the Erlang cookie is made
            "ERL_EPMD_PORT": str(self.ports["names"]),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            # Our epmd knows no other node, so the name need not be unusual.
            "RABBITMQ_NODENAME": "sandbox@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self.ports["distribution"]),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "env.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(folder / "generated"),
            # Two schedulers and no busy waiting: the machine has other things to do.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                "-kernel inet_dist_use_interface {127,0,0,1} +S 2:2 +sbwt none"
            ),
        }
