"""Stand-in for the parts of `os` and `atexit` that are about this process."""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable
from typing import Any

from sandbox.sim.standins import context
from sandbox.sim.standins.installation import Replace

#: How many processors a world's machines have; thread pools choose their size by it.
CORES = 4

#: Who a world's programs run as, and their group: nobody special, whoever runs the world.
USER = 1000


def install(replace: Replace) -> None:
    """Put the stand-ins in place."""
    urandom, getpid, kill, exit_now = os.urandom, os.getpid, os.kill, os._exit
    abort = os.abort
    register, unregister = atexit.register, atexit.unregister

    def urandom_in_world(size: int, /) -> bytes:
        process = context.current()
        return urandom(size) if process is None else process.syscalls.random_bytes(size)

    def getpid_in_world() -> int:
        process = context.current()
        return getpid() if process is None else process.pid

    def kill_in_world(pid: int, signum: int, /) -> None:
        process = context.current()
        if process is None:
            kill(pid, signum)
        else:
            process.syscalls.kill(pid, signum)

    def exit_in_world(status: int) -> Any:
        process = context.current()
        if process is None:
            exit_now(status)
        else:
            process.syscalls.exit(status)

    def register_in_world(function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        process = context.current()
        if process is None:
            return register(function, *args, **kwargs)
        process.at_exit.append((function, args, kwargs))
        return function

    def unregister_in_world(function: Callable[..., Any], /) -> None:
        process = context.current()
        if process is None:
            unregister(function)
        else:
            process.at_exit[:] = [entry for entry in process.at_exit if entry[0] != function]

    def abort_in_world() -> Any:
        process = context.current()
        if process is None:
            abort()
        else:
            process.syscalls.kill(process.pid, 6)

    def cores(count: Callable[[], int | None]) -> Callable[[], int | None]:
        def cpu_count() -> int | None:
            return count() if context.current() is None else CORES

        return cpu_count

    def learner(ask: Callable[[], int]) -> Callable[[], int]:
        def user() -> int:
            return ask() if context.current() is None else USER

        return user

    if hasattr(os, "getuid"):  # Windows has no users of this kind
        for name in ("getuid", "geteuid", "getgid", "getegid"):
            if not hasattr(os, name):  # Pyodide
                setattr(os, name, os.getuid)
            replace(os, name, learner(getattr(os, name)))
    if hasattr(os, "getloadavg"):
        load = os.getloadavg

        def load_in_world() -> tuple[float, float, float]:
            return load() if context.current() is None else (0.0, 0.0, 0.0)

        replace(os, "getloadavg", load_in_world)
    for name in ("cpu_count", "process_cpu_count"):
        if hasattr(os, name):
            replace(os, name, cores(getattr(os, name)))
    if hasattr(os, "getrandom"):
        getrandom = os.getrandom

        def getrandom_in_world(size: int, flags: int = 0) -> bytes:
            if context.current() is None:
                return getrandom(size, flags)
            return urandom_in_world(size)

        replace(os, "getrandom", getrandom_in_world)
    replace(os, "abort", abort_in_world)
    replace(os, "urandom", urandom_in_world)
    replace(os, "getpid", getpid_in_world)
    replace(os, "kill", kill_in_world)
    replace(os, "_exit", exit_in_world)
    replace(atexit, "register", register_in_world)
    replace(atexit, "unregister", unregister_in_world)
