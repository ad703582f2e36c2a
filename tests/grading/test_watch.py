"""A session of `sandbox watch`, without a terminal and without waiting."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from sandbox.course.manifest import load_lab
from sandbox.course.model import Exercise
from sandbox.grading.result import CheckResult, ExerciseResult
from sandbox.grading.watch import Watch


@dataclass
class Screen:
    """Writes down what it is told to show."""

    shown: list[str] = field(default_factory=list)

    def checking(self, exercise: Exercise) -> None:
        self.shown.append(f"checking {exercise.id}")

    def result(self, exercise: Exercise, result: ExerciseResult, place: str) -> None:
        self.shown.append(f"{exercise.id} {result.outcome}, {place}")

    def hint(self, number: int, count: int, text: str) -> None:
        self.shown.append(f"hint {number} of {count}: {text}")

    def finished(self) -> None:
        self.shown.append("finished")


@pytest.fixture
def screen() -> Screen:
    return Screen()


@pytest.fixture
def watch(tiny: Path, tmp_path: Path, screen: Screen) -> Watch:
    """A session in which an exercise passes when its file says so."""
    lab = load_lab(tiny)

    def file(exercise: Exercise) -> Path:
        return tmp_path / f"{exercise.id}.py"

    def check(exercise: Exercise) -> ExerciseResult:
        outcome = "pass" if file(exercise).read_text() == "right" else "fail"
        made = CheckResult("test_it", outcome)  # type: ignore[arg-type]
        return ExerciseResult(exercise.id, exercise.title, exercise.points, (made,))

    for exercise in lab.exercises:
        file(exercise).write_text("wrong")
    return Watch(lab, file, check, screen)


def save(watch: Watch, exercise: str, text: str) -> None:
    path = watch.file(watch.lab.exercise(exercise))
    before = path.stat()
    path.write_text(text)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1_000_000))


def test_the_first_exercise_that_does_not_pass_is_shown(watch: Watch, screen: Screen) -> None:
    save(watch, "total", "right")
    watch.begin()
    assert screen.shown == [
        "checking total",
        "total pass, 1 of 2",
        "checking relay",
        "relay fail, 2 of 2",
    ]


def test_what_passed_before_is_not_checked_again(watch: Watch, screen: Screen) -> None:
    watch.passed = {"total"}
    watch.begin()
    assert screen.shown[0] == "checking relay"


def test_nothing_is_checked_until_the_file_is_saved(watch: Watch, screen: Screen) -> None:
    watch.begin()
    screen.shown.clear()
    watch.look()
    watch.look()
    assert screen.shown == []
    save(watch, "total", "wrong still")
    watch.look()
    watch.look()
    assert screen.shown == ["checking total", "total fail, 1 of 2"]


def test_a_pass_moves_on_to_the_next_and_the_last_one_finishes(
    watch: Watch, screen: Screen
) -> None:
    watch.begin()
    save(watch, "total", "right")
    watch.look()
    assert screen.shown[-2:] == ["checking relay", "relay fail, 2 of 2"]
    save(watch, "relay", "right")
    watch.look()
    assert screen.shown[-1] == "finished"


def test_a_file_that_is_gone_for_a_moment_is_waited_for(watch: Watch, screen: Screen) -> None:
    watch.begin()
    screen.shown.clear()
    path = watch.file(watch.exercise)
    path.unlink()
    watch.look()
    assert screen.shown == []
    path.write_text("wrong again")
    watch.look()
    assert screen.shown == ["checking total", "total fail, 1 of 2"]


def test_keys_ask_for_hints_move_and_quit(watch: Watch, screen: Screen) -> None:
    told: list[tuple[str, int]] = []
    watch.hinted = lambda exercise, number: told.append((exercise.id, number))
    watch.run(iter(["h", "H", "h", "n", "p", "r", "x", None, "q", "h"]))
    assert screen.shown == [
        "checking total",
        "total fail, 1 of 2",
        "hint 1 of 2: What is a total?",
        "hint 2 of 2: Look at `sum`.",
        "hint 2 of 2: Look at `sum`.",
        "checking relay",
        "relay fail, 2 of 2",
        "checking total",
        "total fail, 1 of 2",
        "checking total",
        "total fail, 1 of 2",
    ]
    assert told == [("total", 1), ("total", 2), ("total", 2)]
    assert not watch.running


def test_a_lab_that_passes_whole_says_so_at_once(watch: Watch, screen: Screen) -> None:
    watch.passed = {"total", "relay"}
    watch.begin()
    assert screen.shown == ["finished"]
