"""The real-time limit: stops a program that computes without ever waiting.

A program that makes system calls is stopped at its next one. One that makes none is interrupted:
on CPython by a timer's signal (a second thread's on Windows), in Pyodide, which has one thread, by
a callback on the backward jumps of the learner's own code (`sys.monitoring`). Either way the
interruption runs on the program's own stack and hands over to the driver from there, never to
return, so that no `except BaseException` can swallow it.
"""

from __future__ import annotations

import _thread
import math
import signal
import sys
import threading
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from sandbox.sim import endings
from sandbox.sim.clock import SECOND
from sandbox.sim.scheduler import HEADROOM

if TYPE_CHECKING:
    from sandbox.sim.kernel import Kernel

_real_clock = perf_counter
_Thread, _Event = threading.Thread, threading.Event
_main_thread, _current_thread = threading.main_thread, threading.current_thread
_get_signal, _set_signal = signal.getsignal, signal.signal

_SIGNAL = getattr(signal, "SIGALRM", getattr(signal, "SIGBREAK", signal.SIGINT))
_WORLD = str(Path(__file__).parent)
#: What belongs to the program: the stand-ins, and what loads its file.
_INSIDE = (str(Path(__file__).parent / "standins"), str(Path(__file__).parent / "world.py"))

#: How often to look at a run.
LOOK_S = 0.1

#: What of a process's inside the world calls to run the program's code (`processes.Runtime`).
_ENTRIES = ("main", "thread", "handle_signal")


class Watchdog:
    """Watches the runs of one world."""

    def __init__(self, kernel: Kernel) -> None:
        if sys.platform == "emscripten":
            _Jumps.install()
        self._kernel = kernel
        self._real_s = 0.0
        self._stall_s = 0.0
        self._began = 0.0
        #: The count of system calls when it was last seen to have changed, and when that was.
        self._steps = -1
        self._moved = 0.0

    @contextmanager
    def limit(self, real_s: float | None, stall_s: float | None) -> Iterator[None]:
        """Allow the run inside so many real seconds, and so many between two system calls."""
        if real_s is None and stall_s is None:
            yield
            return
        self._real_s = math.inf if real_s is None else real_s
        self._stall_s = math.inf if stall_s is None else stall_s
        self._began = self._moved = _real_clock()
        self._steps = -1
        if real_s is not None:
            self._kernel.out_of_time = self._check
        stop = self._watch_jumps() if sys.platform == "emscripten" else self._watch_signal()
        try:
            yield
        finally:
            stop()
            self._kernel.out_of_time = None

    def _check(self) -> None:
        """Called at every system call; ends the run when time is up."""
        if _real_clock() - self._began >= self._real_s and not self._kernel.scheduler.stopping:
            self._end("", stalled=False)

    def _verdict(self) -> bool | None:
        """None to let it go on; else whether it stalled, or (False) is merely taking too long."""
        now, steps = _real_clock(), self._kernel.scheduler.steps
        if steps != self._steps:
            self._steps, self._moved = steps, now
        if now - self._moved >= self._stall_s:
            return True
        if now - self._began >= self._real_s:
            return now - self._moved >= self._real_s / 2
        return None

    def _end(self, where: str, *, stalled: bool) -> None:
        kernel = self._kernel
        fiber = kernel.scheduler.current
        assert fiber is not None
        process = fiber.process
        where = where or process.runtime.where()
        at_s = kernel.clock.now_ns / SECOND
        if stalled:
            limit_s = min(self._stall_s, self._real_s)
            ending = endings.real_time(at_s, limit_s, process.name, where)
        else:
            ending = endings.too_long(at_s, self._real_s, process.name, where)
        kernel.scheduler.stop(ending)
        # The program is beyond saving; it never runs again.
        kernel.end_process(process, -9, "out of real time")

    # CPython: a signal

    def _watch_signal(self) -> Callable[[], None]:
        if _current_thread() is not _main_thread():
            return lambda: None  # signals reach the main thread only; system calls still end a run

        def interrupt(signum: int, frame: types.FrameType | None) -> None:
            scheduler = self._kernel.scheduler
            if scheduler.current is None or scheduler.stopping:
                return
            limit = sys.getrecursionlimit()
            sys.setrecursionlimit(limit + HEADROOM)
            try:
                if frame is None or not _is_programs(frame):
                    return  # the world is at work; the next signal comes soon
                stalled = self._verdict()
                if stalled is not None:
                    where = scheduler.current.process.runtime.place(frame)
                    self._end(where, stalled=stalled)
            finally:
                sys.setrecursionlimit(limit)

        before = _set_signal(_SIGNAL, interrupt)
        disarm = _alarm(LOOK_S)

        def stop() -> None:
            disarm()
            _set_signal(_SIGNAL, before)

        return stop

    # Pyodide: the learner's own loops

    def _watch_jumps(self) -> Callable[[], None]:
        _Jumps.watching = self

        def stop() -> None:
            _Jumps.watching = None

        return stop

    def owns(self, code: types.CodeType) -> bool:
        """Whether `code` is of the running program's own files."""
        fiber = self._kernel.scheduler.current
        return fiber is not None and code.co_filename in fiber.process.runtime.own_files

    def jumped(self) -> None:
        """The running program went round a loop of its own."""
        if self._kernel.scheduler.stopping:
            return
        stalled = self._verdict()
        if stalled is not None:
            self._end("", stalled=stalled)


def _is_programs(frame: types.FrameType | None) -> bool:
    """Whether a program (or its stand-ins) is running, rather than the world itself."""
    entered = ""
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith(_WORLD) and not file.startswith(_INSIDE):
            # The world's innermost frame: what did it call?
            return entered in _ENTRIES
        entered = frame.f_code.co_name if file.startswith(_INSIDE) else ""
        frame = frame.f_back
    return False


def _alarm(every_s: float) -> Callable[[], None]:
    """Set `_SIGNAL` off again and again; returns how to stop it."""
    if hasattr(signal, "setitimer"):
        theirs = signal.setitimer(signal.ITIMER_REAL, every_s, every_s)

        def disarm() -> None:
            signal.setitimer(signal.ITIMER_REAL, *theirs)

        return disarm
    over = _Event()

    def watch() -> None:
        while not over.wait(every_s):
            _thread.interrupt_main(_SIGNAL)

    thread = _Thread(target=watch, name="real-time limit", daemon=True)
    thread.start()

    def stop() -> None:
        over.set()
        thread.join()

    return stop


class _Jumps:
    """Callbacks on the loops of learners' code, set up once for the interpreter's life.

    It must happen before the first fiber begins. Changing which events are on makes the interpreter
    walk the frames of every stack, and those of suspended ones lead through memory that others use
    meanwhile. For the same reason events are on for all code; what is not a learner's is disabled
    jump by jump, the first time it is met.
    """

    watching: Watchdog | None = None
    _installed = False
    _count = 0

    @classmethod
    def install(cls) -> None:
        """Register the callbacks. Idempotent."""
        if cls._installed:
            return
        cls._installed = True
        monitoring: Any = sys.monitoring  # type: ignore[attr-defined]
        tool = monitoring.DEBUGGER_ID

        def jumped(code: types.CodeType, source: int, target: int) -> Any:
            watching = cls.watching
            if watching is None or not watching.owns(code):
                return monitoring.DISABLE
            cls._count += 1
            if target <= source and not cls._count & 255:
                watching.jumped()
            return None

        monitoring.use_tool_id(tool, "sandbox")
        monitoring.register_callback(tool, monitoring.events.JUMP, jumped)
        monitoring.set_events(tool, monitoring.events.JUMP)
