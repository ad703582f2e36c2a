"""Cells and files without a world, for browsers that cannot suspend WebAssembly.

One program can still run there, directly in the interpreter: plain Python, asyncio's arithmetic,
queueing formulas. It has no broker to talk to and its `time.sleep` is real; what needs either says
which browsers have it.
"""

from __future__ import annotations

import contextlib
import io
import sys
import traceback
from collections.abc import Callable
from typing import Any, cast

from sandbox.course.cells import SHOW, CellResult, compile_cell, show
from sandbox.sim.endings import Ending
from sandbox.sim.world import remember_source

#: Said where a world would be needed and cannot be.
NO_WORLDS = (
    "This browser cannot suspend WebAssembly (JSPI), which a world with brokers and several "
    "programs needs. Use a current Chrome, Edge or Firefox; or a terminal: sandbox run, "
    "sandbox check."
)

#: Told an exception, its traceback and the learner's files; see `runtime.failure`.
Explain = Callable[[BaseException, str, list[str]], dict[str, Any]]


def can_have_worlds() -> bool:
    """Whether programs can take turns here: everywhere but in a browser without JSPI."""
    if sys.platform != "emscripten":
        return True
    from pyodide.ffi import can_run_sync

    return bool(can_run_sync())


def needs_world(error: BaseException) -> bool:
    """Whether a program broke because there is no network here."""
    return isinstance(error, OSError) or "AMQPConnection" in type(error).__name__


class PlainSession:
    """The cells of a lesson in one namespace; the counterpart of `sandbox.course.cells.Session`."""

    ended: Ending | None = None

    def __init__(self, write: Callable[[str], None]) -> None:
        self.failure: tuple[BaseException, str] | None = None
        self._write = write
        self._namespace: dict[str, Any] = {"__name__": "__main__", SHOW: show}

    def run(self, number: int, source: str) -> CellResult:
        """Run one cell; what ended it is in `failure`."""
        name = f"cell {number}"
        output, self.failure = _execute(name, source, self._namespace, self._write)
        return CellResult(output, "", 0.0, "")

    def close(self) -> None:
        """Nothing outlives a cell."""


def run_plain(
    name: str, source: str, write: Callable[[str], None], explain: Explain
) -> dict[str, Any]:
    """Run a file as a program, without a world."""
    namespace = {"__name__": "__main__", "__file__": name, SHOW: lambda value: None}
    output, broken = _execute(name, source, namespace, write)
    error = explain(*broken, [name]) if broken else None
    return {"output": output, "error": error, "seconds_virtual": 0.0, "ending": None}


def _execute(
    name: str, source: str, namespace: dict[str, Any], write: Callable[[str], None]
) -> tuple[str, tuple[BaseException, str] | None]:
    remember_source(source, name)
    stream = _Stream(write)
    broken = None
    file = cast(Any, stream)
    with contextlib.redirect_stdout(file), contextlib.redirect_stderr(file):
        try:
            eval(compile_cell(source, name), namespace)
        except SystemExit:
            pass
        except BaseException as error:
            broken = (error, "".join(traceback.format_exception(error)))
    return stream.getvalue(), broken


class _Stream(io.StringIO):
    """Keeps what is written and passes it on."""

    def __init__(self, write: Callable[[str], None]) -> None:
        super().__init__()
        self._tell = write

    def write(self, text: str) -> int:
        self._tell(text)
        return super().write(text)
