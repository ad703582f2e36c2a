"""Stored outputs: which are stale, and writing them anew."""

from __future__ import annotations

from pathlib import Path

from sandbox.course.manifest import load_lab
from sandbox.course.update import stale_cells, update_lesson


def test_a_lesson_that_prints_what_it_stores_is_left_alone(tiny: Path) -> None:
    before = (tiny / "lesson.md").read_bytes()
    assert update_lesson(load_lab(tiny)) == []
    assert (tiny / "lesson.md").read_bytes() == before


def test_a_stale_cell_is_named_with_its_line_and_what_differs(tiny: Path) -> None:
    path = tiny / "lesson.md"
    path.write_text(path.read_text().replace("```output\nhello", "```output\ngoodbye"))
    (stale,) = stale_cells(load_lab(tiny))
    assert str(stale) == (
        "cell 1 (lesson.md:5) prints 'hello' where 'goodbye' is stored (line 1 of its output)"
    )


def test_updating_writes_what_is_printed_and_then_has_nothing_to_do(tiny: Path) -> None:
    path = tiny / "lesson.md"
    right = path.read_text()
    path.write_text(right.replace("```output\nhello\n```\n\n", ""))
    lab = load_lab(tiny)
    assert [cell.number for cell in update_lesson(lab)] == [1]
    assert path.read_text() == right
    assert update_lesson(lab) == []
