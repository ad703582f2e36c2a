"""What an exercise raised, as text for its author and as data for the checks.

The author's own lines come first, then what those lines met inside libraries. The checks get an
exception of the original's type where it can be built from plain data again: built-in exceptions
and those of the client libraries named in `_REBUILT`.
"""

from __future__ import annotations

import importlib
import traceback
from pathlib import Path
from typing import Any

from sandbox.stack.base import ExerciseError
from sandbox.stack.live.control import pack

#: Modules whose exceptions are rebuilt on the checks' side; nothing else is imported for a process.
_REBUILT = ("builtins", "asyncio.exceptions", "concurrent.futures", "pika.exceptions", "socket")


def describe(error: BaseException, folder: Path) -> dict[str, Any]:
    """Turn an exception into plain data; `folder` holds the author's files."""
    try:
        arguments = pack(list(error.args))
    except TypeError:
        arguments = [str(error)]
    kind = type(error)
    return {
        "module": kind.__module__,
        "type": kind.__qualname__,
        "args": arguments,
        "summary": "".join(traceback.format_exception_only(error)).strip(),
        "traceback": own_lines_first(error, folder),
    }


def rebuild(failure: dict[str, Any]) -> BaseException:
    """The exception behind what `describe` returned, or an `ExerciseError` with its text."""
    if failure["module"] in _REBUILT:
        kind = getattr(importlib.import_module(failure["module"]), failure["type"], None)
        if isinstance(kind, type) and issubclass(kind, BaseException):
            try:
                return kind(*failure["args"])
            except TypeError:
                pass
    return ExerciseError(failure["summary"])


def own_lines_first(error: BaseException, folder: Path) -> str:
    """Format an exception: its name, the author's lines (innermost last), then everything.

    An error whose author wrote no line of it (it never got that far) is shown whole.
    """
    summary = "".join(traceback.format_exception_only(error)).rstrip()
    frames = _frames_of_exercise(error)
    own = [frame for frame in frames if Path(frame.filename).resolve().parent == folder]
    lines = [summary]
    lines += [f"  {Path(f.filename).name}:{f.lineno}  {(f.line or '').strip()}" for f in own]
    if len(own) < len(frames) or error.__cause__ or error.__context__:
        whole = "".join(traceback.format_exception(error)).rstrip()
        lines += ["", "The whole traceback:", whole]
    return "\n".join(lines) + "\n"


def _frames_of_exercise(error: BaseException) -> list[traceback.FrameSummary]:
    """The traceback without the lines that started the exercise."""
    here = Path(__file__).parent
    frames = traceback.extract_tb(error.__traceback__)
    while frames and (Path(frames[0].filename).parent == here or "<frozen" in frames[0].filename):
        frames.pop(0)
    return list(frames)
