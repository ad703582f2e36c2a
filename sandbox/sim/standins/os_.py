"""Stand-in for the parts of `os` and `atexit` that are about this process."""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable
from typing import Any

from sandbox.sim.standins import context
from sandbox.sim.standins.installation import Replace


def install(replace: Replace) -> None:
    """Put the stand-ins in place."""
    urandom, getpid, kill, exit_now = os.urandom, os.getpid, os.kill, os._exit
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

    replace(os, "urandom", urandom_in_world)
    replace(os, "getpid", getpid_in_world)
    replace(os, "kill", kill_in_world)
    replace(os, "_exit", exit_in_world)
    replace(atexit, "register", register_in_world)
    replace(atexit, "unregister", unregister_in_world)
