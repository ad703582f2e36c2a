"""An embedded server in a process of its own: it can be killed, and does not share our interpreter.

with ServerProcess(only=("redis",)) as server:
    client = redis.Redis.from_url(server.url("redis"))
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from sandbox.embedded.engine import addresses
from sandbox.embedded.errors import EmbeddedError
from sandbox.embedded.makers import KINDS, ports_of
from sandbox.embedded.options import Options

#: How long it may take to stop in good order.
_STOP_S = 30.0


class ServerProcess:
    """A server from `start` to `stop`, or inside `with`. Takes the fields of `Options`.

    Its ports are any that are free, unless they are given. It ends when this program does.
    """

    def __init__(self, **options: Any) -> None:
        brokers = options.get("kafka_brokers", 1)
        free = {purpose: 0 for kind in KINDS.values() for purpose in ports_of(kind, brokers)}
        self._given = {"ports": free} | options
        self.options = Options(**self._given)
        #: Ports by purpose.
        self.ports: dict[str, int] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    @property
    def pid(self) -> int:
        """The process's number."""
        assert self._process is not None, "the server was not started"
        return self._process.pid

    @property
    def log_text(self) -> str:
        """What happened, as lines."""
        if self._folder is None:
            return ""
        return Path(self._folder.name, "log").read_text(errors="replace")

    def url(self, purpose: str) -> str:
        """The address for that, as clients take it."""
        return addresses(self.options, self.ports)[purpose]

    def start(self) -> ServerProcess:
        """Start, and wait until clients are served.

        Raises:
            EmbeddedError: it cannot; says why.
        """
        self._folder = tempfile.TemporaryDirectory(prefix="sandbox-embedded-")
        with Path(self._folder.name, "log").open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "sandbox.embedded", json.dumps(self._given, default=str)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        try:
            told = json.loads(said)
        except ValueError:
            told = {"problem": f"The embedded server did not start:\n{self.log_text[-2000:]}"}
        if "problem" in told:
            self.kill()
            raise EmbeddedError(told["problem"])
        self.ports = told["ports"]
        return self

    def stop(self) -> None:
        """Stop in good order. Idempotent.

        Raises:
            EmbeddedError: it had ended before, and not in good order; says why.
        """
        process = self._process
        if process is None:
            return
        assert process.stdin is not None
        assert process.stdout is not None
        with suppress(OSError):
            process.stdin.close()
        try:
            status = process.wait(_STOP_S)
            last = process.stdout.read()
        except subprocess.TimeoutExpired:
            status, last = -1, b""
        finally:
            self.kill()
        if status != 0:
            with suppress(ValueError):
                raise EmbeddedError(json.loads(last)["problem"])
            raise EmbeddedError(f"The embedded server ended with status {status}.")

    def kill(self) -> None:
        """End it at once, as SIGKILL does. Idempotent."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def __enter__(self) -> ServerProcess:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
