"""The inside of a process that lives in this interpreter.

What a real process keeps in its own memory is kept here: its threads, its signal handlers, what it
runs at exit, its `sys` attributes and its own modules. Processes of one world share the client
libraries' modules, as they would share their files; their own files they import each for itself.
"""

from __future__ import annotations

import io
import json
import random
import sys
import traceback
import types
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.sim.standins import context
from sandbox.sim.syscalls import REPORT, STDERR, STDOUT

if TYPE_CHECKING:
    import asyncio
    import threading

    from sandbox.sim.scheduler import Fiber
    from sandbox.sim.syscalls import Syscalls


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
        self.ended = False
        self.threads: dict[int, threading.Thread] = {}
        self.started: list[threading.Thread] = []
        self.main_thread: threading.Thread = None  # type: ignore[assignment]
        self.event_loops: dict[int, asyncio.AbstractEventLoop | None] = {}
        self.executors: list[weakref.ref[Any]] = []
        self.at_exit: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]] = []
        self.signal_handlers: dict[int, Any] = {}
        self.wakeup_fd = -1
        #: What `main` returned, and what it raised.
        self.result: Any = None
        self.error: BaseException | None = None
        self._entries: dict[int, Callable[[], Any]] = {}
        self._random: random.Random | None = None
        self._stdout = ProcessStream(self, STDOUT)
        self._stderr = ProcessStream(self, STDERR)
        self._stdin = io.StringIO("")
        self._modules: dict[str, types.ModuleType] = {}
        self._outside: tuple[Any, ...] | None = None
        self._hidden: dict[str, types.ModuleType | None] = {}
        self._module_count = 0

    # for whoever starts it

    def enter(self, function: Callable[[], Any]) -> int:
        """Keep a function to be run by a fiber; its key."""
        key = len(self._entries) + 1
        self._entries[key] = function
        return key

    # the kernel's side: processes.Runtime

    def main(self, entry: int) -> int:
        from sandbox.sim.standins.threading_ import MainThread, adopt

        self.main_thread = MainThread()
        adopt(self, self.main_thread)
        status = self._guarded(self._entries[entry])
        self._wind_up()
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
        return child

    def where(self) -> str:
        return self.place(sys._getframe(1))

    def place(self, frame: types.FrameType | None) -> str:
        own = self.own_files
        while frame is not None:
            if frame.f_code.co_filename in own:
                return f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"
            frame = frame.f_back
        return ""

    def owns(self, file: str) -> bool:
        return file in self.own_files

    def over(self) -> None:
        self.ended = True

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

    def flush(self) -> None:
        """Write out half lines."""
        self._stdout.flush()
        self._stderr.flush()

    def report(self, error: BaseException, thread: str) -> None:
        """Tell whoever watches what ended a thread."""
        self.flush()
        self.syscalls.write(REPORT, json.dumps(self._describe(error, thread)))

    # inside

    def _guarded(self, function: Callable[[], Any]) -> int:
        """Run the program and turn how it ended into an exit status."""
        try:
            self.result = function()
        except SystemExit as stop:
            if stop.code is None:
                return 0
            if isinstance(stop.code, int):
                return stop.code
            self._stderr.write(f"{stop.code}\n")
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
        for reference in self.executors:
            executor = reference()
            if executor is not None:
                executor.shutdown(wait=True)
        for thread in self.started:
            if not thread.daemon and thread.is_alive():
                thread.join()
        for function, args, kwargs in reversed(self.at_exit):
            self._guarded(lambda: function(*args, **kwargs))  # noqa: B023 - called at once

    def _describe(self, error: BaseException, thread: str) -> dict[str, Any]:
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
        kind = type(error)
        module = "" if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}."
        return {
            "type": f"{module}{kind.__qualname__}",
            "message": str(error),
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
        self._outside = (sys.stdout, sys.stderr, sys.stdin, sys.argv)
        sys.stdout, sys.stderr, sys.stdin = self._stdout, self._stderr, self._stdin
        sys.argv = self.argv
        if self.folder is not None:
            sys.path.insert(0, str(self.folder))
        for name, module in self._modules.items():
            self._hidden[name] = sys.modules.get(name)
            sys.modules[name] = module
        self._module_count = len(sys.modules)

    def _restore(self) -> None:
        """Give `sys` back."""
        if self._outside is None:
            return
        sys.stdout, sys.stderr, sys.stdin, sys.argv = self._outside
        self._outside = None
        if self.folder is not None:
            folder = str(self.folder)
            if folder in sys.path:
                sys.path.remove(folder)
            self._keep_own_modules(folder)
        for name, hidden in self._hidden.items():
            if hidden is None:
                sys.modules.pop(name, None)
            else:
                sys.modules[name] = hidden
        self._hidden.clear()

    def _keep_own_modules(self, folder: str) -> None:
        """Modules of the learner's own folder belong to the process that imported them."""
        if len(sys.modules) == self._module_count:
            return
        for name in list(sys.modules)[self._module_count :]:
            module = sys.modules[name]
            file = getattr(module, "__file__", None)
            if file is not None and str(Path(file).parent).startswith(folder):
                self.own_files.add(file)
                self._modules[name] = module
                self._hidden[name] = None

    def own_module(self, module: types.ModuleType) -> None:
        """Put a module into this process's `sys.modules` alone."""
        name = module.__name__
        self._modules[name] = module
        self._hidden[name] = sys.modules.get(name)
        sys.modules[name] = module
        self._module_count = len(sys.modules)


class ProcessStream(io.TextIOBase):
    """Standard output or error of a process: whole lines reach the world at once."""

    def __init__(self, process: InProcess, stream: int) -> None:
        super().__init__()
        self._process = process
        self._stream = stream
        self._line = ""

    encoding = "utf-8"
    errors = "backslashreplace"

    @property
    def buffer(self) -> Any:
        """A binary stream on top of this one."""
        return _Bytes(self)

    def writable(self) -> bool:
        return True

    def write(self, text: str, /) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self._line += text
        if "\n" in text:
            whole, _, self._line = self._line.rpartition("\n")
            self._send(whole + "\n")
        return len(text)

    def flush(self) -> None:
        if self._line:
            text, self._line = self._line, ""
            self._send(text)

    def _send(self, text: str) -> None:
        if context.current() is self._process:
            self._process.syscalls.write(self._stream, text)


class _Bytes(io.RawIOBase):
    """What `sys.stdout.buffer` is."""

    def __init__(self, stream: ProcessStream) -> None:
        super().__init__()
        self._text = stream

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self._text.write(bytes(data).decode("utf-8", "backslashreplace"))
        return len(data)

    def flush(self) -> None:
        if not self.closed:
            self._text.flush()
