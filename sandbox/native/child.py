"""One process of ours: where its log is, how it ends, and how it is known again.

A process number alone may by now belong to somebody else, so a process is known by its number and
the time it was born. That pair is plain data and can be kept in a file: whoever reads it later may
end the process, and nobody else's.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

#: How far two readings of the same birth may lie apart: systems count it in ticks.
_SAME_BIRTH_S = 1.0
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
#: What this interpreter started itself and must collect when it has ended.
_started: dict[Child, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True)
class Child:
    """A process that leads a session of its own, and with it whatever it started."""

    pid: int
    born_s: float

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        started = _started.get(self)
        if started is not None and started.poll() is not None:
            return False
        return self._process() is not None

    @property
    def status(self) -> int | None:
        """With which status it ended, if it was started here and has ended."""
        started = _started.get(self)
        return started.poll() if started is not None else None

    @property
    def memory_bytes(self) -> int:
        """How much memory it and its descendants hold; 0 when it is gone."""
        process = self._process()
        total = 0
        if process is not None:
            with suppress(psutil.Error):
                for each in [process, *process.children(recursive=True)]:
                    with suppress(psutil.Error):
                        total += each.memory_info().rss
        return total

    def end(self, grace_s: float = 0.0) -> None:
        """End it and what it started: asked to first, given `grace_s`; then killed. Idempotent.

        Only the process itself is asked: it knows in which order its own family is to end.
        """
        process = self._process()
        if process is None:
            self._collect()
            return
        family = _descendants(process)
        if grace_s > 0 and sys.platform != "win32":
            with suppress(psutil.Error):
                process.terminate()
                psutil.wait_procs([process, *family], timeout=grace_s)
        family = [each for each in {process, *family, *_descendants(process)} if _runs(each)]
        if family and sys.platform != "win32":
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
        for each in family:
            with suppress(psutil.Error):
                each.kill()
        psutil.wait_procs(family, timeout=10.0)
        self._collect()

    def ask_to_end(self) -> None:
        """Ask it to end, and do not wait; Windows has no way of asking."""
        process = self._process()
        if process is not None and sys.platform != "win32":
            with suppress(psutil.Error):
                process.terminate()

    def _collect(self) -> None:
        started = _started.pop(self, None)
        if started is not None:
            started.wait()

    def _process(self) -> psutil.Process | None:
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.born_s) <= _SAME_BIRTH_S
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.Error:
            return None


def end_all(children: Sequence[Child], grace_s: float, *, together: bool) -> None:
    """End processes, the newest first, or `together` where they wait for one another."""
    if together and grace_s > 0:
        for child in children:
            child.ask_to_end()
    for child in reversed(children):
        child.end(grace_s)


def _descendants(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.Error:
        return []


def _runs(process: psutil.Process) -> bool:
    """Whether it is more than a name that waits to be collected."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def spawn(
    command: Sequence[str | Path],
    log: Path,
    *,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Child:
    """Start a process that writes to `log` and outlives this one if nobody ends it."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=None if environment is None else dict(environment),
            cwd=folder,
            start_new_session=True,
        )
    try:
        born_s = psutil.Process(process.pid).create_time()
    except psutil.Error:  # it has ended already
        born_s = 0.0
    child = Child(process.pid, born_s)
    _started[child] = process
    return child


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log, without colours."""
    try:
        text = log.read_text(errors="replace")
    except OSError:
        return ""
    return "\n".join(_COLOUR.sub("", text).splitlines()[-lines:])
