"""The inside of a process that lives in this interpreter.

What a real process keeps in its own memory is kept here: its threads, its signal handlers, what it
runs at exit, its `sys` attributes and its own modules. Processes of one world share the client
libraries' modules, as they would share their files; their own files they import each for itself.
"""

from __future__ import annotations

import builtins
import io
import json
import random
import sys
import traceback
import types
import warnings
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from sandbox.sim.standins import context
from sandbox.sim.standins.libraries_ import occupy, restore
from sandbox.sim.standins.modules import OwnModules
from sandbox.sim.standins.streams_ import ProcessStream, ask
from sandbox.sim.syscalls import REPORT, STDERR, STDOUT

if TYPE_CHECKING:
    import asyncio
    import threading

    from sandbox.sim.scheduler import Fiber
    from sandbox.sim.standins.threading_ import MainThread
    from sandbox.sim.syscalls import Syscalls


#: How many of the learner's own lines a report names at either end of a deep stack.
OWN_LINES = 10


class InProcess:
    """A process whose code runs on fibers of this interpreter. A `processes.Runtime`."""

    def __init__(
        self,
        syscalls: Syscalls,
        name: str,
        *,
        own_files: Sequence[str] = (),
        folder: Path | None = None,
        argv: Sequence[str] = (),
    ) -> None:
        self.syscalls = syscalls
        self.name = name
        #: Files that count as the learner's own, as their code objects name them.
        self.own_files = set(own_files)
        self.folder = folder
        self.argv = list(argv) or [name]
        self.pid = 0
        #: The running fiber's identity.
        self.ident = 0
        #: Too late for signals; and everything is over.
        self.ending = False
        self.ended = False
        self.threads: dict[int, threading.Thread] = {}
        self.started: list[threading.Thread] = []
        self.main_thread: MainThread = None  # type: ignore[assignment]
        self.default_timeout_s: float | None = None
        self.event_loops: dict[int, asyncio.AbstractEventLoop | None] = {}
        self.executors: list[weakref.ref[Any]] = []
        self.at_exit: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]] = []
        self.signal_handlers: dict[int, Any] = {}
        self.wakeup_fd = -1
        #: What `main` returned, and what it raised.
        self.result: Any = None
        self.error: BaseException | None = None
        #: What `logging` and others keep per process, by the name of their stand-in.
        self.kept: dict[Any, Any] = {}
        #: Answers of `Logger.isEnabledFor`, by logger and level.
        self.enabled_loggers: dict[tuple[Any, int], bool] = {}
        self.stdout = ProcessStream(self, STDOUT)
        self.stderr = ProcessStream(self, STDERR)
        self._stdin = io.StringIO("")
        self._entries: dict[int, Callable[[], Any]] = {}
        self._counts: dict[str, int] = {}
        self._random: random.Random | None = None
        self._modules = OwnModules(folder, self.own_files)
        self._outside: tuple[Any, ...] | None = None
        self._first: tuple[Any, ...] = ()

    # for whoever starts it

    def enter(self, function: Callable[[], Any]) -> int:
        """Keep a function to be run by a fiber; its key."""
        key = self.count("entry")
        self._entries[key] = function
        return key

    # the kernel's side: processes.Runtime

    def main(self, entry: int) -> int:
        from sandbox.sim.standins.threading_ import MainThread, adopt

        with warnings.catch_warnings():
            pass  # forget what has been warned of: a new process is told again
        self.main_thread = MainThread()
        adopt(self, self.main_thread)
        status = self._live(self._entries[entry])
        self._wind_up()
        self.ending = True
        self.flush()
        return status

    def thread(self, entry: int) -> None:
        self._entries.pop(entry)()
        self.flush()

    def handle_signal(self, signum: int) -> None:
        from sandbox.sim.standins.signal_ import handle

        handle(self, signum)

    def fork(self, entry: int, name: str) -> InProcess:
        child = InProcess(
            self.syscalls,
            name,
            own_files=tuple(self.own_files),
            folder=self.folder,
            argv=self.argv,
        )
        child._entries[entry] = self._entries.pop(entry)
        child._counts["entry"] = entry
        return child

    def where(self) -> str:
        if self._outside is not None:
            self._modules.keep_new()
        return self.place(sys._getframe(1))

    def place(self, frame: types.FrameType | None) -> str:
        own = self.own_files
        while frame is not None:
            if frame.f_code.co_filename in own:
                return f"{_base_name(frame.f_code.co_filename)}:{frame.f_lineno}"
            frame = frame.f_back
        return ""

    def owns(self, file: str) -> bool:
        return file in self.own_files

    def over(self) -> None:
        self.ended = True
        self._modules.over()

    def resumed(self, fiber: Fiber | None) -> None:
        if fiber is None:
            context.enter(None)
            self._restore()
            return
        self.pid = fiber.process.pid
        self.ident = fiber.ident
        context.enter(self)
        if self._outside is None:
            self._occupy()

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Be nobody for a while, between two system calls of the running fiber: import, say."""
        assert context.current() is self
        context.enter(None)
        self._restore()
        try:
            yield
        finally:
            context.enter(self)
            self._occupy()

    # for the stand-ins

    @property
    def thread_name(self) -> str:
        """The running thread's name."""
        return self.threads[self.ident].name

    def spawn(self, function: Callable[[], Any], name: str) -> int:
        """Start a thread; its identity."""
        return self.syscalls.spawn(self.enter(function), name, False)

    def random(self) -> random.Random:
        """The generator behind `random.random()` and its sisters."""
        if self._random is None:
            self._random = random.Random(int.from_bytes(self.syscalls.random_bytes(16), "big"))
        return self._random

    def count(self, what: str) -> int:
        """The next number of a thread, a task and so on: each process counts from 1."""
        number = self._counts.get(what, 0) + 1
        self._counts[what] = number
        return number

    def outside_stream(self, stream: int) -> TextIO | None:
        """What this process's stream hides from everybody else, while one of its fibers runs."""
        if self._outside is None:
            return None
        hidden: TextIO = self._outside[0 if stream == STDOUT else 1]
        return hidden

    def flush(self) -> None:
        """Write out half lines."""
        if self.stdout.line:
            self.stdout.flush()
        if self.stderr.line:
            self.stderr.flush()

    def report(self, error: BaseException, thread: str) -> None:
        """Tell whoever watches what ended a thread."""
        self.flush()
        self.syscalls.write(REPORT, json.dumps(self._describe(error, thread)))

    # inside

    def _live(self, function: Callable[[], Any]) -> int:
        """Run the program and turn how it ended into an exit status."""
        try:
            self.result = function()
        except SystemExit as stop:
            if stop.code is None:
                return 0
            if isinstance(stop.code, int):
                return stop.code & 0xFF
            self.stderr.write(f"{stop.code}\n")
            return 1
        except KeyboardInterrupt as error:
            self.error = error
            self.report(error, "MainThread")
            return 130
        except BaseException as error:
            self.error = error
            self.report(error, "MainThread")
            return 1
        return 0

    def _wind_up(self) -> None:
        """What Python does between the end of the program and the end of the process."""
        try:
            self.main_thread.finish(self)
            for reference in self.executors:
                executor = reference()
                if executor is not None:
                    executor.shutdown(wait=True)
            for thread in self.started:
                if not thread.daemon and thread.is_alive():
                    thread.join()
        except KeyboardInterrupt:
            pass  # do not wait for threads any longer
        while self.at_exit:
            function, args, kwargs = self.at_exit.pop()
            try:
                function(*args, **kwargs)
            except SystemExit:
                pass
            except BaseException as error:
                self.report(error, "MainThread")

    def _describe(self, error: BaseException, thread: str) -> dict[str, Any]:
        self._modules.keep_new()
        frames = traceback.extract_tb(error.__traceback__)
        own = [
            {"file": Path(frame.filename).name, "line": frame.lineno or 0, "code": frame.line or ""}
            for frame in frames
            if frame.filename in self.own_files
        ]
        if isinstance(error, SyntaxError) and error.filename in self.own_files:
            own.append(
                {
                    "file": Path(error.filename or "").name,
                    "line": error.lineno or 0,
                    "code": (error.text or "").strip(),
                }
            )
        if len(own) > 2 * OWN_LINES:  # endless recursion
            own = own[:OWN_LINES] + own[-OWN_LINES:]
        kind = type(error)
        module = "" if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}."
        return {
            "type": f"{module}{kind.__qualname__}",
            "message": _text(error),
            "thread": thread,
            "own": own,
            "traceback": "".join(self._formatted(error)),
        }

    def _formatted(self, error: BaseException) -> list[str]:
        """The traceback from the learner's first line on, without the machinery above it."""
        tb = error.__traceback__
        while tb is not None and tb.tb_frame.f_code.co_filename not in self.own_files:
            tb = tb.tb_next
        return traceback.format_exception(type(error), error, tb or error.__traceback__)

    def _occupy(self) -> None:
        """Make `sys` this process's own."""
        self._outside = (
            sys.stdout,
            sys.stderr,
            sys.stdin,
            sys.argv,
            builtins.input,
            sys.unraisablehook,
        )
        self._first = (sys.__stdout__, sys.__stderr__)
        sys.stdout, sys.stderr, sys.stdin = self.stdout, self.stderr, self._stdin
        sys.__stdout__, sys.__stderr__ = self.stdout, self.stderr  # type: ignore[misc, assignment]
        sys.argv = self.argv
        builtins.input = self._input
        sys.unraisablehook = sys.__unraisablehook__
        self._modules.show()
        occupy(self)

    def _restore(self) -> None:
        """Give `sys` back."""
        if self._outside is None:
            return
        restore(self)
        self._modules.hide()
        (
            sys.stdout,
            sys.stderr,
            sys.stdin,
            sys.argv,
            builtins.input,
            sys.unraisablehook,
        ) = self._outside
        sys.__stdout__, sys.__stderr__ = self._first  # type: ignore[misc]
        self._outside = None

    def _input(self, prompt: object = "", /) -> str:
        if context.current() is not self and self._outside is not None:
            answer: str = self._outside[4](prompt)
            return answer
        return ask(self, prompt)

    def own_module(self, module: types.ModuleType) -> None:
        """Put a module into this process's `sys.modules` alone."""
        self._modules.add(module)


def _text(error: BaseException) -> str:
    """What an exception says, if it can."""
    try:
        return str(error)
    except Exception:
        return f"<{type(error).__name__} whose text cannot be shown>"


@lru_cache(maxsize=1024)
def _base_name(path: str) -> str:
    """A file's name without its folders; asked at every send."""
    return Path(path).name
