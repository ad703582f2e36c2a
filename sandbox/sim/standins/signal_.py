"""Stand-in for `signal`: handlers of a process, run on its main fiber."""

from __future__ import annotations

import errno
import signal
import sys
from typing import TYPE_CHECKING, Any

from sandbox.sim.standins import context
from sandbox.sim.standins.installation import Replace
from sandbox.sim.standins.threading_ import next_key
from sandbox.sim.syscalls import SIGNAL_DEFAULT, SIGNAL_HANDLED, SIGNAL_IGNORED

if TYPE_CHECKING:
    from sandbox.sim.standins.process import InProcess

#: Where a process that called `signal.pause` keeps the key it waits on.
_PAUSED = "signal.pause"


def _refusing(original: Any) -> Any:
    def refuse(*args: Any) -> Any:
        if context.current() is None:
            return original(*args)
        raise OSError(
            errno.ENOSYS,
            f"signal.{original.__name__}() does not exist in the simulated world; "
            "threading.Timer and signal.signal do",
        )

    refuse.__name__ = original.__name__
    refuse.__doc__ = original.__doc__
    return refuse


def handle(process: InProcess, signum: int) -> None:
    """Run a process's handler of a signal; called on its main fiber."""
    if process.ending:
        return
    if process.wakeup_fd >= 0:
        try:
            process.syscalls.send(process.wakeup_fd, bytes([signum]), 0)
        except OSError:
            pass  # as the real one: a full or closed wake-up descriptor loses the byte
    handler = process.signal_handlers.get(signum)
    if handler is None and signum == signal.SIGINT:
        handler = signal.default_int_handler
    if handler == signal.default_int_handler:  # it may be put in charge of any signal
        raise KeyboardInterrupt
    if callable(handler):
        handler(signum, sys._getframe(1))
    key = process.kept.get(_PAUSED)
    if key is not None:
        process.syscalls.wake(key, 1)


def install(replace: Replace) -> None:
    """Put the stand-ins in place."""
    real_signal, real_getsignal = signal.signal, signal.getsignal
    real_raise, real_wakeup = signal.raise_signal, signal.set_wakeup_fd

    def signal_in_world(signalnum: int, handler: Any, /) -> Any:
        process = context.current()
        if process is None:
            return real_signal(signalnum, handler)
        if process.threads.get(process.ident) is not process.main_thread:
            raise ValueError("signal only works in main thread of the main interpreter")
        if not callable(handler) and handler not in (signal.SIG_DFL, signal.SIG_IGN):
            raise TypeError(
                "signal handler must be signal.SIG_IGN, signal.SIG_DFL, or a callable object"
            )
        before = getsignal_in_world(signalnum)
        process.signal_handlers[int(signalnum)] = handler
        action = SIGNAL_HANDLED
        if handler == signal.SIG_DFL:
            action = SIGNAL_DEFAULT
        elif handler == signal.SIG_IGN:
            action = SIGNAL_IGNORED
        process.syscalls.on_signal(int(signalnum), action)
        return before

    def getsignal_in_world(signalnum: int, /) -> Any:
        process = context.current()
        if process is None:
            return real_getsignal(signalnum)
        default = signal.default_int_handler if signalnum == signal.SIGINT else signal.SIG_DFL
        return process.signal_handlers.get(int(signalnum), default)

    def raise_in_world(signalnum: int, /) -> None:
        process = context.current()
        if process is None:
            real_raise(signalnum)
        else:
            process.syscalls.kill(process.pid, int(signalnum))

    def wakeup_in_world(fd: int, /, *, warn_on_full_buffer: bool = True) -> int:
        process = context.current()
        if process is None:
            return real_wakeup(fd, warn_on_full_buffer=warn_on_full_buffer)
        before, process.wakeup_fd = process.wakeup_fd, fd
        return before

    replace(signal, "signal", signal_in_world)
    replace(signal, "getsignal", getsignal_in_world)
    replace(signal, "raise_signal", raise_in_world)
    replace(signal, "set_wakeup_fd", wakeup_in_world)
    if hasattr(signal, "pause"):
        real_pause = signal.pause

        def pause_in_world() -> None:
            process = context.current()
            if process is None:
                real_pause()
                return
            process.flush()
            key = process.kept[_PAUSED] = next_key()
            try:
                process.syscalls.wait(key, None)
            finally:
                del process.kept[_PAUSED]

        replace(signal, "pause", pause_in_world)
    for name in ("alarm", "setitimer", "sigwait", "sigwaitinfo", "sigtimedwait", "pthread_kill"):
        if hasattr(signal, name):
            replace(signal, name, _refusing(getattr(signal, name)))
    if hasattr(signal, "siginterrupt"):
        real_interrupt = signal.siginterrupt

        def siginterrupt_in_world(signalnum: int, flag: bool, /) -> None:
            if context.current() is None:
                real_interrupt(signalnum, flag)

        replace(signal, "siginterrupt", siginterrupt_in_world)
