"""How verdicts look in a terminal."""

from __future__ import annotations

import pytest

from sandbox.cli import screen
from sandbox.grading.result import CheckResult, ExerciseResult

BROKE = (
    "`main` ended with NameError: name 'x' is not defined\n"
    "  answer.py:3  x\n"
    "Python runs a file from top to bottom."
)


@pytest.fixture(autouse=True)
def plain() -> None:
    screen.console.cache_clear()


def lines(*checks: CheckResult, untried: str = "") -> list[str]:
    result = ExerciseResult("one", "Ship every order", 3, checks, untried)
    return [line.plain for line in screen.exercise_lines(result)]


def test_a_pass_is_one_line_with_how_thoroughly_it_was_tried() -> None:
    shown = lines(CheckResult("test_all_is_well", "pass", note="37 crash points, 3 seeds"))
    assert shown[0].startswith(" Ship every order")
    assert shown[0].endswith("3 of 3")
    assert shown[1:] == ["   ✓ all is well    37 crash points, 3 seeds"]


def test_what_broke_is_explained_once_and_named_after_that() -> None:
    shown = lines(
        CheckResult("test_a", "fail", f"Lost.\n{BROKE}\n(seed 1)"),
        CheckResult("test_b", "fail", f"Late.\n{BROKE}\n(seed 1)\nThink about: why?"),
    )
    assert [line.strip() for line in shown[1:]] == [
        "✗ a",
        "Lost.",
        "`main` ended with NameError: name 'x' is not defined",
        "answer.py:3  x",
        "Python runs a file from top to bottom.",
        "(seed 1)",
        "✗ b",
        "Late.",
        "`main` ended with NameError, as above.",
        "(seed 1)",
        "Think about: why?",
    ]


def test_another_cause_is_explained_too() -> None:
    other = BROKE.replace("'x'", "'y'")
    shown = lines(CheckResult("test_a", "fail", BROKE), CheckResult("test_b", "fail", other))
    assert sum("is not defined" in line for line in shown) == 2


def test_an_exercise_nobody_began_shows_its_line_and_no_checks() -> None:
    sentence = "answer.py:3 still raises NotImplementedError."
    shown = lines(CheckResult("test_a", "fail", sentence), untried=sentence)
    assert shown[0].endswith("not tried")
    assert shown[1:] == [f"   {sentence}"]


def test_errors_and_skips_have_marks_of_their_own() -> None:
    shown = lines(
        CheckResult("test_a", "error", "The check itself broke."),
        CheckResult("test_b", "skip", "This check runs on the live stack only."),
    )
    assert [line.strip()[0] for line in shown if line.startswith("   ") and line[3] != " "] == [
        "!",
        "-",
    ]
