"""How results look in a terminal: one line a check, messages indented below theirs.

Everything is composed as `rich.text.Text`, so colour and plain text come from one place and a log
file gets exactly the same words. To change how a verdict looks, change `exercise_lines`.
"""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Iterator
from functools import cache

from rich.console import Console
from rich.text import Text

from sandbox.grading.result import CheckResult, ExerciseResult, Result

WIDTH = 80
MARKS = {
    "pass": ("✓", "green"),
    "fail": ("✗", "red"),
    "error": ("!", "yellow"),
    "skip": ("-", "dim"),
}


#: The part of a message that says what broke in the learner's code: up to the seed or the question.
CAUSE = re.compile(
    r"^(?P<named>`[^`]+` ended with [\w.]+).*?(?=^\(|^Think about: |\Z)", re.MULTILINE | re.DOTALL
)


@cache
def console() -> Console:
    """Where commands print; colour on a terminal only.

    It keeps the standard output of now: while a world runs, `sys.stdout` is one of its programs'.
    """
    return Console(file=sys.stdout, highlight=False, soft_wrap=True)


def width() -> int:
    """Columns to write in."""
    return max(40, min(WIDTH, console().width))


class Meanwhile:
    """One line that says what has been done so far; on a terminal only, and gone afterwards."""

    def __init__(self) -> None:
        self._terminal = sys.stderr if sys.stderr.isatty() else None
        self._done = 0

    def checked(self, exercise: str, check: CheckResult) -> None:
        """A check is done."""
        self._done += 1
        if self._terminal:
            said = f" {self._done} checked: {exercise}, {check.sentence}"
            self._terminal.write(f"\r\033[K{said[: width() - 1]}")
            self._terminal.flush()

    def over(self) -> None:
        """Remove the line."""
        if self._terminal and self._done:
            self._terminal.write("\r\033[K")
            self._terminal.flush()


def show_result(result: Result) -> None:
    """Print a whole result."""
    for exercise in result.exercises:
        for line in exercise_lines(exercise):
            console().print(line)


def exercise_lines(exercise: ExerciseResult) -> Iterator[Text]:
    """An exercise: its title and points, then its checks."""
    if exercise.untried:
        points, style = "not tried", "dim"
    else:
        points = f"{exercise.points} of {exercise.max_points}"
        style = {"pass": "green", "error": "yellow"}.get(exercise.outcome, "")
    room = width() - 1 - len(points) - 2
    title = textwrap.shorten(exercise.title, room, placeholder="…")
    yield Text.assemble(" ", (title.ljust(room), "bold"), "  ", (points, style))
    if exercise.untried:
        yield from _message(exercise.untried, indent=3)
        return
    told: set[str] = set()
    for check in exercise.checks:
        yield from _check_lines(check, told)


def _check_lines(check: CheckResult, told: set[str]) -> Iterator[Text]:
    mark, style = MARKS[check.outcome]
    note = f"    {check.note}" if check.note else ""
    yield Text.assemble("   ", (mark, style), f" {check.sentence}", (note, "dim"))
    if check.message:
        yield from _message(_once(check.message, told), indent=7)


def _once(message: str, told: set[str]) -> str:
    """The message, with an exception that was explained further up only named.

    One line that breaks makes many checks fail; its explanation is worth reading once.
    """
    found = CAUSE.search(message)
    if found is None:
        return message
    if found[0] not in told:
        told.add(found[0])
        return message
    named = found["named"].rstrip(".:")
    return message.replace(found[0], f"{named}, as above.\n")


def _message(message: str, indent: int) -> Iterator[Text]:
    """A message, each of its lines wrapped; lines that are indented (code) are not."""
    space = " " * indent
    for line in message.splitlines():
        if line.startswith(" "):
            yield Text(space + line[:400], style="cyan")
            continue
        style = "bold" if line.startswith("Think about: ") else ""
        for part in textwrap.wrap(line, width() - indent) or [""]:
            yield Text(space + part, style=style)
