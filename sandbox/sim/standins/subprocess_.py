"""Stand-in for starting other programs: refused, with the way that works here."""

from __future__ import annotations

import importlib
import subprocess
from collections.abc import Callable
from typing import Any

from sandbox.sim.standins import context
from sandbox.sim.standins.installation import Replace

REFUSAL = (
    "A program in the simulated world cannot start other operating-system processes. Start a "
    "function as a process of the world with sandbox.start(function, ...), or give `sandbox run` "
    "several files."
)

STARTERS = {
    "os": (
        "fork", "forkpty", "posix_spawn", "posix_spawnp", "system", "startfile",
        "execv", "execve", "spawnv", "spawnve",
    ),
    "_posixsubprocess": ("fork_exec",),
    "_winapi": ("CreateProcess",),
}  # fmt: skip


def install(replace: Replace) -> None:
    """Put the stand-ins in place."""
    start = subprocess.Popen.__init__

    def popen_in_world(self: Any, *args: Any, **kwargs: Any) -> None:
        if context.current() is not None:
            # Popen's destructor expects these of an object that never got anywhere.
            self.returncode, self._child_created = 1, False
            raise PermissionError(REFUSAL)
        start(self, *args, **kwargs)

    subprocess.Popen.__init__ = popen_in_world  # type: ignore[method-assign]
    # What multiprocessing and the rest of `os` are built on.
    for module, names in STARTERS.items():
        try:
            starter = importlib.import_module(module)
        except ImportError:
            continue
        for name in names:
            if hasattr(starter, name):
                replace(starter, name, _refusing(getattr(starter, name)))


def _refusing(original: Callable[..., Any]) -> Callable[..., Any]:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        if context.current() is not None:
            raise PermissionError(REFUSAL)
        return original(*args, **kwargs)

    refuse.__name__ = original.__name__
    refuse.__doc__ = original.__doc__
    return refuse
