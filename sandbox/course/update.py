"""Keeping what lessons store equal to what their cells print.

`sandbox lab update` writes, `sandbox lab check` only compares; both ask `stale_cells`.
"""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.course.cells import run_lesson
from sandbox.course.lesson import write_outputs
from sandbox.course.model import Lab


@dataclass(frozen=True)
class StaleCell:
    """A cell that prints something else than the lesson says."""

    number: int
    line: int
    stored: str
    printed: str

    def __str__(self) -> str:
        return (
            f"cell {self.number} (lesson.md:{self.line}) "
            f"{_difference(self.stored.splitlines(), self.printed.splitlines())}"
        )


def stale_cells(lab: Lab) -> list[StaleCell]:
    """Run the lesson and return the cells whose stored output is not what they print."""
    return [
        StaleCell(cell.number, cell.line, cell.output or "", result.shown)
        for cell, result in run_lesson(lab)
        if (cell.output or "") != _whole_lines(result.shown)
    ]


def update_lesson(lab: Lab) -> list[StaleCell]:
    """Write what the cells print into `lesson.md`; return the cells that changed."""
    stale = stale_cells(lab)
    if stale:
        text = lab.lesson_path.read_text(encoding="utf-8")
        printed = {cell.number: cell.printed for cell in stale}
        lab.lesson_path.write_text(write_outputs(text, printed), encoding="utf-8")
    return stale


def _whole_lines(text: str) -> str:
    """As a fence stores it: every line ends."""
    return "".join(f"{line}\n" for line in text.splitlines())


def _difference(stored: list[str], printed: list[str]) -> str:
    """The first line that differs, in words."""
    for number in range(max(len(stored), len(printed))):
        old = repr(stored[number]) if number < len(stored) else "nothing"
        new = repr(printed[number]) if number < len(printed) else "nothing"
        if old != new:
            return f"prints {new} where {old} is stored (line {number + 1} of its output)"
    return "prints the same lines"
