"""An exercise's process, seen from outside.

`LiveProcess` is what checks hold in their hands. It also keeps what the hub learns about the
process from its control connection and its frames; the hub's thread writes these fields under the
hub's lock, `self.changed`.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from sandbox.stack.base import CrashPoint
from sandbox.stack.live import failures
from sandbox.stack.live.child import LINK_VARIABLE
from sandbox.stack.live.flow import Flow
from sandbox.stack.live.proxy import Carried

#: Arguments longer than this go through standard input; systems limit the command line.
_LONG_ARGUMENTS = 60_000
#: A process that slept, or let a time limit pass, so often since anything happened is asking again
#: and again for news. What it does in between is short; what lasts for some looks is work.
_ROUNDS_OF_A_WAITER = 3
_LOOKS_OF_WORK = 4


class LiveProcess:
    """One operating-system process of a run; see `sandbox.stack.base.Process`."""

    def __init__(
        self, name: str, changed: threading.Condition, flow: Flow, crash: CrashPoint | None
    ) -> None:
        self.name = name
        self.token = secrets.token_hex(16)
        self.changed = changed
        self.flow = flow
        self.connections: list[Carried] = []
        self.started = False  # the exercise's own code runs
        self.crashed = False
        self.moments: list[str] = []
        self.last_effect_s = time.monotonic()
        self._sleeps: list[tuple[float, float]] = []  # of each sleeper: how long, until when
        self._rounds = 0  # sleeps and limited waits that ended since the last effect
        self._computing = 0  # looks in a row that saw it compute
        self._limits: dict[int, float] = {}  # thread: how long it waits at most
        self._lapsed: dict[int, float] = {}  # thread: when a wait last ran out
        self._seen: Counter[str] = Counter()
        self._crash = crash
        self._result: Any = None
        self._exception: BaseException | None = None
        self._traceback = ""
        self._output: list[str] = []
        self._system: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None

    # What a check sees.

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return "".join(self._output)

    @property
    def alive(self) -> bool:
        """True until it has ended, whichever way."""
        return self.exit is None

    @property
    def exit(self) -> int | None:
        """None while alive; then the exit status, negative for a signal."""
        return self._system.poll() if self._system else None

    @property
    def result(self) -> Any:
        """What the function returned."""
        return self._result

    @property
    def exception(self) -> BaseException | None:
        """What it raised, if that ended it."""
        return self._exception

    @property
    def traceback(self) -> str:
        """The traceback of `exception`, the learner's lines first."""
        return self._traceback

    def kill(self) -> None:
        """Kill it, and return when the broker's side of its connections is closed as well."""
        if self._system is None:
            return
        self._system.kill()
        self._gone(10.0)

    def signal(self, number: int) -> None:
        """Send it a signal; a process that has ended gets none."""
        if self._system is not None and self.alive:
            self._system.send_signal(number)

    def wait(self, timeout_s: float) -> bool:
        """Let time pass until it has ended and all it sent and printed has arrived."""
        with self.flow.passing():
            return self._gone(timeout_s)

    def _gone(self, timeout_s: float) -> bool:
        assert self._system is not None
        deadline = time.monotonic() + timeout_s
        try:
            self._system.wait(max(0.0, timeout_s))
        except subprocess.TimeoutExpired:
            return False
        if self._reader is not None:
            self._reader.join(1.0)  # a process it started may keep the pipe open
        with self.changed:
            self.changed.wait_for(
                lambda: all(connection.closed for connection in self.connections),
                min(2.0, max(0.1, deadline - time.monotonic())),
            )
        return True

    @property
    def pid(self) -> int:
        """The process id."""
        assert self._system is not None
        return self._system.pid

    # What the hub learns.

    def moment(self, kind: str) -> bool:
        """Count something it is about to do; kill it instead if this is the crash point."""
        if self.crashed:
            return False
        self.moments.append(kind)
        self._seen[kind] += 1
        point = self._crash
        if point is not None and (point.kind, point.nth) == (kind, self._seen[kind]):
            self.crashed = True
            assert self._system is not None
            self._system.kill()
            return False
        return True

    def noticed(self, *, poll: bool) -> None:
        """A frame passed between it and the broker."""
        if not poll:
            self.effect()

    def looked(self) -> None:
        """It asked for news and there was none."""
        self._rounds += 1

    def effect(self) -> None:
        """It did something that is more than asking for news."""
        self._rounds = 0
        self.last_effect_s = time.monotonic()

    def due_s(self, message: dict[str, Any]) -> float:
        """When a message comes at the earliest: waking up, at the end of its sleep; else at once.

        A machine with much to do tells both the process and the check late that time is up.
        """
        if message["kind"] != "waking":
            return 0.0
        return min(
            (end for length, end in self._sleeps if length == message["seconds"]), default=0.0
        )

    def hear(self, message: dict[str, Any]) -> None:
        """Take note of a control message (all but `record`, which is the run's)."""
        match message["kind"]:
            case "hello":
                self.started = True
                self.effect()
            case "sleep":
                seconds = message["seconds"]
                self._sleeps.append((seconds, time.monotonic() + seconds))
            case "waking":
                self._sleeps = [s for s in self._sleeps if s[1] != self.due_s(message)]
                self._rounds += 1
            case "wait":
                self._limits[message["thread"]] = message["seconds"]
            case "woken":
                self._limits.pop(message["thread"], None)
            case "lapsed":
                self._limits.pop(message["thread"], None)
                self._lapsed[message["thread"]] = time.monotonic()
                self._rounds += 1
            case "returned":
                self._result = message["value"]
                self.effect()
            case "raised":
                self._exception = failures.rebuild(message)
                self._traceback = message["traceback"]
                self.effect()

    @property
    def busy(self) -> bool:
        """Whether it starts, computes or waits for the broker: what takes no virtual time."""
        return self.alive and (
            not self.started
            or any(connection.ledger.waiting_for for connection in self.connections)
            or _computes(self.pid)
        )

    def at_work(self, last_effect_s: float) -> str | None:
        """Why it is not merely waiting, in words; None when it is or has ended.

        `last_effect_s` is when anything last happened in the run. A wait with a time limit is work
        until it has run out once since then: what the process does on that occasion counts.
        """
        if not self.alive:
            return None
        if not self.started:
            return "it is still starting"
        self._computing = self._computing + 1 if _computes(self.pid) else 0
        if self._rounds >= _ROUNDS_OF_A_WAITER:
            return "it computes" if self._computing >= _LOOKS_OF_WORK else None
        if self._sleeps:
            return "it sleeps in the middle of its work"
        waits = (connection.ledger.waiting_for for connection in self.connections)
        if reason := next((reason for reason in waits if reason), None):
            return f"it waits for {reason}"
        for thread, limit_s in self._limits.items():
            if self._lapsed.get(thread, 0.0) < last_effect_s:
                return f"it waits for at most {limit_s:.3g} s and then does something"
        return "it computes" if self._computing else None

    # How it begins and ends.

    def start(self, file: Path, function: str | None, arguments_json: str, link: str) -> None:
        """Start the process. `link` tells it how to reach the hub."""
        long = len(arguments_json) > _LONG_ARGUMENTS
        command = [sys.executable, "-m", "sandbox.stack.live.child", str(file)]
        if function is not None:
            command += [function, "-" if long else arguments_json]
        self._system = subprocess.Popen(
            command,
            stdin=subprocess.PIPE if long else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=file.parent,
            env=_environment(link),
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read_output, daemon=True)
        self._reader.start()
        if long and self._system.stdin is not None:
            with suppress(BrokenPipeError), self._system.stdin as pipe:
                pipe.write(arguments_json.encode())

    def close(self) -> None:
        """Kill it and whatever it started."""
        if self._system is None:
            return
        if sys.platform != "win32":
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._system.pid, signal.SIGKILL)
        self._system.kill()
        self._system.wait()
        if self._reader is not None:
            self._reader.join(1.0)
        if self._system.stdout is not None and not (self._reader and self._reader.is_alive()):
            self._system.stdout.close()

    def _read_output(self) -> None:
        assert self._system is not None
        assert self._system.stdout is not None
        pipe = self._system.stdout.fileno()
        while data := os.read(pipe, 65536):
            with self.changed:
                self._output.append(data.decode(errors="replace").replace("\r\n", "\n"))
                self.effect()
                self.changed.notify_all()


def _environment(link: str) -> dict[str, str]:
    """The process's environment: ours, this package importable, and the course's own brokers."""
    package_root = str(Path(__file__).resolve().parents[3])
    paths: Sequence[str] = [package_root, *filter(None, [os.environ.get("PYTHONPATH")])]
    return os.environ | {
        LINK_VARIABLE: link,
        "AMQP_URL": "amqp://guest:guest@localhost:5672/",
        "KAFKA_BOOTSTRAP_SERVERS": "localhost:9092",
        "REDIS_URL": "redis://localhost:6379/0",
        "MQTT_URL": "mqtt://localhost:1883",
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONUNBUFFERED": "1",
        "PYTHONIOENCODING": "utf-8",
    }


def _computes(pid: int) -> bool:
    """Whether one of its threads is running or wants to; False where the system does not tell."""
    with suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            with suppress(OSError), open(f"/proc/{pid}/task/{task}/stat") as stat:
                if stat.read().rpartition(")")[2].split()[0] in "RD":
                    return True
    return False
