"""A world: programs, brokers and a network on one virtual clock.

    world = World(seed=1)
    world.add_service("rabbitmq", 5672, lambda observe: Broker(observe=observe, ...))
    receiver = world.start_script(Path("receive.py"))
    ending = world.run()

Everything that happens is decided by the programs and the seed.
"""

from __future__ import annotations

import importlib
import json
import linecache
import types
import weakref
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from sandbox.sim import collecting, standins
from sandbox.sim.clock import SECOND
from sandbox.sim.endings import Ending
from sandbox.sim.faults import Faults
from sandbox.sim.kernel import Kernel
from sandbox.sim.processes import Process
from sandbox.sim.services import MakeBroker, Service
from sandbox.sim.stacks import Stacks
from sandbox.sim.standins.process import InProcess
from sandbox.sim.trace import Trace
from sandbox.sim.watchdog import Watchdog

#: Limits of a run that asks for none.
STEP_LIMIT = 20_000_000
VIRTUAL_LIMIT_S = 24 * 3600.0


class ProcessHandle:
    """A process of a world, for whoever runs the world."""

    def __init__(self, world: World, process: Process, runtime: InProcess) -> None:
        self._world = world
        self._process = process
        self._runtime = runtime

    @property
    def name(self) -> str:
        """What it is called in output and trace."""
        return self._process.name

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    @property
    def output(self) -> str:
        """Everything it printed so far, both streams, in order."""
        return self._process.output

    @property
    def printed(self) -> list[tuple[int, int, str]]:
        """What it printed, as (virtual ns, stream, text)."""
        return self._process.printed

    @property
    def exit(self) -> int | None:
        """Its exit status, or None while it runs; minus the signal's number when killed."""
        return self._process.exit

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        return self._process.alive

    @property
    def killed(self) -> bool:
        """Whether it was killed."""
        return self._process.killed

    @property
    def result(self) -> Any:
        """What its function returned."""
        return self._runtime.result

    @property
    def error(self) -> BaseException | None:
        """What its main thread raised."""
        return self._runtime.error

    @property
    def reports(self) -> list[dict[str, Any]]:
        """What ended its threads by an exception; see `Syscalls.write`."""
        return [json.loads(text) for text in self._process.reports]

    @property
    def crash_points(self) -> list[tuple[int, str, str]]:
        """Moments worth crashing at: (virtual ns, the call it was about to make, its line)."""
        return self._process.crash_points

    def crash_at(self, point: int) -> None:
        """Let it die at its crash point of this number, counted from 1."""
        self._process.crash_at = point

    @property
    def own_files(self) -> set[str]:
        """Files whose lines count as the learner's own."""
        return self._runtime.own_files

    def kill(self) -> None:
        """End it now, as SIGKILL does. Idempotent."""
        self._world.kernel.end_process(self._process, -9, "killed")

    def signal(self, signum: int) -> None:
        """Send it a signal."""
        self._world.kernel.signal_process(self._process, signum)

    def pause(self) -> None:
        """Stop it where it is, as SIGSTOP does; time goes on. Idempotent."""
        self._process.paused = True

    def resume(self) -> None:
        """Let it go on. Idempotent."""
        self._world.kernel.scheduler.resume(self._process)


class World:
    """See the module."""

    def __init__(
        self,
        seed: int = 0,
        *,
        stacks: Stacks | None = None,
        preload: Sequence[str] = (),
    ) -> None:
        """Make an empty world. `preload` names libraries that its programs will import."""
        standins.install()
        with standins.importing():
            for module in preload:
                importlib.import_module(module)
        self.kernel = Kernel(seed, stacks)
        self.kernel.scheduler.step_limit = STEP_LIMIT
        self.kernel.limit_ns = int(VIRTUAL_LIMIT_S * SECOND)
        self.faults = Faults(self.kernel)
        self.processes: list[ProcessHandle] = []
        self._watchdog = Watchdog(self.kernel)
        weakref.finalize(self, _dispose, self.kernel).atexit = False

    @property
    def seed(self) -> int:
        """What every random stream comes from."""
        return self.kernel.seed

    @property
    def trace(self) -> Trace:
        """Everything that happened."""
        return self.kernel.trace

    @property
    def now_s(self) -> float:
        """Virtual seconds since the world began."""
        return self.kernel.clock.now_ns / SECOND

    @property
    def steps(self) -> int:
        """How many system calls its programs have made."""
        return self.kernel.scheduler.steps

    @property
    def last_event_s(self) -> float:
        """When the last thing happened that was not mere waiting."""
        return self.kernel.scheduler.last_event_ns / SECOND

    def recorded(self, name: str) -> list[Any]:
        """The values recorded under a name, oldest first."""
        return [json.loads(text) for _, _, key, text in self.kernel.recorded if key == name]

    # what is in it

    def add_service(
        self, name: str, port: int, make: MakeBroker, *, host: str | None = None
    ) -> Service:
        """Put a broker on a host, its own unless said otherwise, and on everybody's localhost."""
        kernel = self.kernel
        service = Service(
            name,
            port,
            make,
            kernel.network,
            kernel.trace,
            kernel.scheduler.eventful,
            kernel.services,
            host=host,
        )
        kernel.services[name] = service
        return service

    def start_script(
        self,
        file: Path,
        *,
        name: str | None = None,
        argv: Sequence[str] = (),
        host: str = "localhost",
        source: str | None = None,
    ) -> ProcessHandle:
        """Start a file as a program, as `python FILE` does.

        `source` is used instead of reading the file. A syntax error is the program's error, not an
        error of this call.
        """
        text = file.read_text(encoding="utf-8") if source is None else source
        path = str(file)
        runtime = InProcess(
            self.kernel,
            name or file.name,
            own_files=[path],
            folder=file.resolve().parent,
            argv=[path, *argv],
        )

        def run() -> None:
            run_as_main(runtime, text, path)

        return self._start(runtime, host, run)

    def start_function(
        self,
        function: Callable[..., Any],
        *args: Any,
        name: str | None = None,
        host: str = "localhost",
        own_files: Sequence[str] | None = None,
    ) -> ProcessHandle:
        """Start a function as the main function of a process."""
        if own_files is None:
            code = getattr(function, "__code__", None)
            own_files = [] if code is None else [code.co_filename]
        runtime = InProcess(
            self.kernel,
            name or str(getattr(function, "__name__", "process")),
            own_files=own_files,
        )
        return self._start(runtime, host, lambda: function(*args))

    def start_source(
        self,
        source: str,
        path: str,
        function: str,
        args: Sequence[Any] = (),
        *,
        name: str | None = None,
        folder: Path | None = None,
        host: str = "localhost",
    ) -> ProcessHandle:
        """Start a process that loads a file as a module and calls one of its functions."""
        runtime = InProcess(self.kernel, name or function, own_files=[path], folder=folder)

        def run() -> Any:
            module = load(runtime, source, path, Path(path).stem)
            target = getattr(module, function, None)
            if target is None:
                raise AttributeError(f"{Path(path).name} has no function called {function!r}")
            return target(*args)

        return self._start(runtime, host, run)

    def _start(self, runtime: InProcess, host: str, function: Callable[[], Any]) -> ProcessHandle:
        process = self.kernel.start_process(runtime.name, host, runtime, runtime.enter(function))
        handle = ProcessHandle(self, process, runtime)
        self.processes.append(handle)
        return handle

    # letting it run

    def run(
        self,
        *,
        until_s: float | None = None,
        real_s: float | None = None,
        stall_s: float | None = None,
        to_idle: bool = True,
    ) -> Ending:
        """Run until one of the endings, at the latest at virtual time `until_s`.

        `real_s` limits real seconds, `stall_s` those between two system calls. Without `to_idle`,
        an idle world goes on until `until_s`.
        """
        if until_s is None and not to_idle:
            raise ValueError("a run that does not end when idle needs until_s")
        self.kernel.until_idle = to_idle
        until_ns = None if until_s is None else round(until_s * SECOND)
        with self._watchdog.limit(real_s, stall_s), collecting.not_by_itself():
            return self.kernel.scheduler.run(until_ns)

    def run_until_exit(
        self,
        process: ProcessHandle,
        *,
        until_s: float | None = None,
        real_s: float | None = None,
        stall_s: float | None = None,
    ) -> Ending | None:
        """Run until a process has ended; None when it has, else what ended the run first."""
        if not process.alive:
            return None
        self.kernel.watched.add(process.pid)
        try:
            ending = self.run(until_s=until_s, real_s=real_s, stall_s=stall_s)
        finally:
            self.kernel.watched.discard(process.pid)
        # Out of real time it is dead too, but not because it was done.
        return ending if process.alive or ending.kind == "real-time" else None

    def close(self) -> None:
        """Kill everything that still runs. Idempotent."""
        for process in list(self.kernel.processes.values()):
            self.kernel.end_process(process, -9, "the world ended")


def _dispose(kernel: Kernel) -> None:
    """Forget a world that nobody can reach any more.

    Its suspended stacks must not be collected (that would run their clean-up code) and hold on to
    the kernel, so the kernel lets go of everything large.
    """
    for process in kernel.processes.values():
        if process.alive:
            process.runtime.over()
            for fiber in process.fibers:
                if fiber.stack is not None:
                    kernel.scheduler.stacks.abandon(fiber.stack)
    for service in kernel.services.values():
        vars(service).clear()
    for process in list(kernel.processes.values()):
        vars(process).clear()
    vars(kernel.network).clear()
    vars(kernel).clear()


def run_as_main(runtime: InProcess, source: str, path: str) -> None:
    """Run a program's text as the process's `__main__`."""
    load(runtime, source, path, "__main__")


def load(runtime: InProcess, source: str, path: str, name: str) -> types.ModuleType:
    """Run a file's text as a module that belongs to one process."""
    module = types.ModuleType(name)
    module.__file__ = path
    runtime.own_module(module)
    remember_source(source, path)
    exec(_compiled(source, path), module.__dict__)
    return module


@lru_cache(maxsize=64)
def _compiled(source: str, path: str) -> types.CodeType:
    """A program's code; one check starts the same file dozens of times."""
    return compile(source, path, "exec", dont_inherit=True)


def remember_source(source: str, path: str) -> None:
    """Let tracebacks show lines of a text that is not (or no longer) in a file."""
    linecache.cache[path] = (len(source), None, source.splitlines(keepends=True), path)
