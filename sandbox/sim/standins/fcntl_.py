"""Stand-in for `fcntl.fcntl`, where there is one: flags of a world's descriptors.

A program of a world never starts another with its descriptors open, and whether a socket blocks is
kept by the socket's object; so flags are answered as Python sets them, and settings accepted.
"""

from __future__ import annotations

import errno
import os
from typing import Any

from sandbox.sim.standins import context
from sandbox.sim.standins.installation import Replace
from sandbox.sim.syscalls import FIRST_FD


def install(replace: Replace) -> None:
    """Put the stand-in in place."""
    try:
        import fcntl
    except ImportError:  # Windows
        return
    real = fcntl.fcntl
    answers = {
        fcntl.F_GETFD: fcntl.FD_CLOEXEC,
        fcntl.F_SETFD: 0,
        fcntl.F_GETFL: os.O_RDWR,
        fcntl.F_SETFL: 0,
    }

    def fcntl_in_world(fd: Any, command: int, argument: Any = 0, /) -> Any:
        number = fd if isinstance(fd, int) else fd.fileno()
        if context.current() is None or number < FIRST_FD:
            return real(fd, command, argument)
        if command not in answers:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        return answers[command]

    replace(fcntl, "fcntl", fcntl_in_world)
