"""Cells: pieces of one program, run one after another in one process of one world.

A session's process lives from the first cell to the last, so variables, connections and the
world's clock carry over, as in a notebook. Between cells nothing happens: the world stands still
until the next cell is run. The page, notebooks and `sandbox lab update` all run cells here, so all
of them print the same.

What a cell shows is what it prints; like a notebook, it also shows the value of a last expression
that is not None, and `await` works at its top level.

To change what a cell may contain, change `compile_cell`.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import signal
import traceback
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.course.errors import CourseError
from sandbox.course.explain import explain
from sandbox.course.lesson import Cell, cells, read_lesson
from sandbox.course.model import Lab
from sandbox.sim.endings import Ending
from sandbox.sim.standins import context
from sandbox.sim.world import ProcessHandle, remember_source
from sandbox.stack.simulated import SimulatedStack
from sandbox.stack.simulated.imports import import_before

#: What the session's process waits on between two cells; the threads' own keys are positive.
NEXT_CELL = -1

#: What the last expression of a cell is handed to; no name that a learner would choose.
SHOW = "__show_last_value__"

#: Real seconds that one cell may take.
REAL_LIMIT_S = 10.0

#: Endings at which a cell is interrupted and the session goes on.
_GOES_ON = ("idle", "deadlock", "finished", "virtual-time")


@dataclass(frozen=True)
class CellResult:
    """What running one cell gave."""

    #: Everything that was printed meanwhile, by the cell and by processes it started.
    output: str
    #: The exception that ended it, with the learner's lines; "" when none did.
    error: str
    #: How long it took on the world's clock.
    seconds_virtual: float
    #: Why the world stopped before the cell was done, as a sentence; "" when it was done.
    ending: str

    @property
    def shown(self) -> str:
        """All of it as one text: what a lesson stores below the cell."""
        parts = [self.output]
        for part in (self.error, self.ending):
            if part:
                before = "".join(parts)
                parts.append(("\n" if before and not before.endswith("\n") else "") + part + "\n")
        return "".join(parts)


class Session:
    """The process of a lesson, and the world around it."""

    def __init__(
        self,
        seed: int = 1,
        brokers: Sequence[str] = ("rabbitmq",),
        *,
        late: Sequence[str] = (),
        on_output: Callable[[str], None] | None = None,
    ) -> None:
        """Make a fresh world.

        Args:
            seed: What everything random in it comes from.
            brokers: The brokers it holds.
            late: Brokers that it holds once a cell connects to them.
            on_output: Told every piece of text as it is printed.
        """
        self.stack = SimulatedStack(seed=seed, brokers=brokers, late=late)
        self.world = self.stack.world
        self.namespace: dict[str, Any] = {}
        self._on_output = on_output
        self._printed: list[str] = []
        self._waiting: list[types.CodeType] = []
        self._done = 0
        self._begun = 0
        self._error: tuple[BaseException, str] | None = None
        #: What ended the last cell and its traceback, or None.
        self.failure: tuple[BaseException, str] | None = None
        #: How the world came to rest in the last cell, or None.
        self.ended: Ending | None = None
        self.world.kernel.on_output = lambda process, stream, text: self._output(text)
        self._process: ProcessHandle = self.world.start_function(
            self._live, name="lesson", own_files=[]
        )

    @property
    def alive(self) -> bool:
        """Whether another cell can be run."""
        return self._process.alive

    def run(self, number: int, source: str) -> CellResult:
        """Run one cell until it is done, or until the world has a reason to stop.

        A cell that waits for something that cannot come is interrupted, as by Ctrl-C, and the
        session goes on; one that computes without end takes the session with it.
        """
        self._printed = []
        self.failure = None
        self.ended = None
        if not self.alive:
            return CellResult("", "", 0.0, "The program has ended. Restart to run more.")
        name = f"cell {number}"
        began_s = self.world.now_s
        remember_source(source, name)
        try:
            code = compile_cell(source, name)
        except (SyntaxError, ValueError) as error:
            self.failure = (error, "".join(traceback.format_exception(error)))
            return CellResult("", _syntax(error, name), 0.0, "")
        import_before(source, None)
        self._process.own_files.add(name)
        self._error = None
        self._begun += 1
        self._waiting.append(code)
        self.world.kernel.notify(NEXT_CELL)
        ending = self._run_to_end()
        if ending and self.alive and not self._is_done():
            first = self.ended
            self._process.signal(signal.SIGINT)
            self._run_to_end()
            self.ended = first
            if not self._is_done():
                self._process.kill()
                ending += " The program did not react to Ctrl-C and was ended."
            self._error = None
        self.failure = self._error
        return CellResult(
            output="".join(self._printed),
            error="" if self._error is None else self._explained(*self._error),
            seconds_virtual=round(self.world.now_s - began_s, 9),
            ending=ending,
        )

    def close(self) -> None:
        """End the process and everything it started. Idempotent."""
        self.stack.close()

    def _run_to_end(self) -> str:
        """Let the world run until the cell is done; else the sentence of what came first."""
        kernel = self.world.kernel
        kernel.condition = lambda: self._is_done() or not self.alive
        try:
            ending = self.world.run(real_s=REAL_LIMIT_S)
        finally:
            kernel.condition = None
        self.ended = ending
        if self._is_done():
            return ""
        return "The program has ended." if ending.kind == "until" else ending.sentence

    def _is_done(self) -> bool:
        return self._done == self._begun

    def _output(self, text: str) -> None:
        self._printed.append(text)
        if self._on_output is not None:
            self._on_output(text)

    def _explained(self, error: BaseException, told: str) -> str:
        return explain(error, told, self._process.own_files)

    # on the session's own fiber

    def _live(self) -> None:
        process = context.current()
        assert process is not None
        module = types.ModuleType("__main__")
        module.__dict__[SHOW] = show
        self.namespace = module.__dict__
        process.own_module(module)
        while True:
            while not self._waiting:
                try:
                    process.syscalls.wait(NEXT_CELL, None)
                except KeyboardInterrupt:
                    continue  # it came too late: the cell was done
            code = self._waiting.pop(0)
            try:
                self._execute(code)
            except SystemExit:
                pass  # `sys.exit()` ends the cell; the notebook stays
            except (Exception, KeyboardInterrupt) as error:
                self._error = (error, "".join(traceback.format_exception(error)))
            process.flush()
            self._done += 1

    def _execute(self, code: types.CodeType) -> None:
        # One code object may be a coroutine: that is what `await` at the top level makes of it.
        value = eval(code, self.namespace)
        if inspect.iscoroutine(value):
            asyncio.run(value)


def compile_cell(source: str, name: str) -> types.CodeType:
    """Compile a cell; the value of a last expression is printed unless it is None.

    Raises:
        SyntaxError: it is not Python.
    """
    tree = ast.parse(source, name)
    if tree.body and isinstance(tree.body[-1], ast.Expr):
        last = tree.body[-1]
        call = ast.Call(ast.Name(SHOW, ast.Load()), [last.value], [])
        tree.body[-1] = ast.copy_location(ast.Expr(ast.copy_location(call, last)), last)
        ast.copy_location(call.func, last)
    code: types.CodeType = compile(
        tree, name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True
    )
    return code


def show(value: object) -> None:
    """Print the value of a cell's last expression."""
    if value is not None:
        print(repr(value))


def _syntax(error: SyntaxError | ValueError, name: str) -> str:
    if not isinstance(error, SyntaxError):
        return f"{name} is not valid Python: {error}."
    line = (error.text or "").strip()
    return f"SyntaxError: {error.msg}\n  {name}:{error.lineno}  {line}"


def run_lesson(lab: Lab) -> list[tuple[Cell, CellResult]]:
    """Run every cell of a lab's lesson in order, with the lab's first seed.

    Raises:
        CourseError: the lesson cannot be read, or ends its own program before its last cell.
    """
    session = Session(lab.seeds[0], lab.needs)
    results: list[tuple[Cell, CellResult]] = []
    try:
        for cell in cells(read_lesson(lab.lesson_path)):
            if not session.alive:
                raise CourseError(
                    "An earlier cell ended the lesson's program, so this one cannot run.",
                    path=lab.lesson_path,
                    line=cell.line,
                )
            results.append((cell, session.run(cell.number, cell.source)))
    finally:
        session.close()
    return results
