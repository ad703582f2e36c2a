"""A new lab proves itself before its author changes a line."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.course.errors import CourseError
from sandbox.course.manifest import load_lab
from sandbox.course.scaffold import new_lab
from sandbox.grading.prove import claims, prove


def test_everything_a_new_lab_claims_holds(tmp_path: Path) -> None:
    new_lab("late-orders", "Late orders", tmp_path)
    lab = load_lab(tmp_path / "labs" / "late-orders")
    assert lab.title == "Late orders"
    wanted = claims([lab])
    assert {claim.kind for claim in wanted} == {
        "files",
        "lesson",
        "starter",
        "solution",
        "alternative",
        "mistake",
    }
    assert [proof.problem for proof in map(prove, wanted) if not proof.holds] == []


def test_a_slug_that_cannot_be_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="small letters"):
        new_lab("Late_Orders", "", tmp_path)


def test_what_is_there_is_never_overwritten(tmp_path: Path) -> None:
    new_lab("late-orders", "", tmp_path)
    lesson = tmp_path / "labs" / "late-orders" / "lesson.md"
    lesson.write_text("mine")
    with pytest.raises(CourseError):
        new_lab("late-orders", "", tmp_path)
    assert lesson.read_text() == "mine"
