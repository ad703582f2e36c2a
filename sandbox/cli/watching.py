"""What a `sandbox watch` session shows."""

from __future__ import annotations

from datetime import datetime

from sandbox.cli.screen import console, exercise_lines
from sandbox.course.model import Exercise, Lab
from sandbox.course.workspace import Workspace
from sandbox.grading.result import ExerciseResult

KEYS = "h hint   n next   p previous   r again   q quit"


class Terminal:
    """Draws every check on a cleared screen; writes one below the other into a pipe."""

    def __init__(self, lab: Lab, workspace: Workspace) -> None:
        self.lab = lab
        self.workspace = workspace

    def checking(self, exercise: Exercise) -> None:
        """A check begins."""
        if console().is_terminal:
            console().clear()
            console().print(f" checking {self.lab.slug}/{exercise.id} …", style="dim")

    def result(self, exercise: Exercise, result: ExerciseResult, place: str) -> None:
        """A check has ended."""
        if console().is_terminal:
            console().clear()
        file = self.workspace.file(self.lab, exercise.id)
        now = datetime.now().strftime("%H:%M:%S")
        console().print(f" {self.lab.title} · exercise {place} · checked {now}", style="dim")
        console().print(f" {file.relative_to(self.workspace.folder)}", style="dim")
        console().print()
        for line in exercise_lines(result):
            console().print(line)
        if result.outcome != "pass" and exercise.goal:
            console().print(f"\n {exercise.goal}", style="italic")
        console().print(f"\n {KEYS}", style="dim")

    def hint(self, number: int, count: int, text: str) -> None:
        """The next hint."""
        if not count:
            console().print(" This exercise has no hints.")
            return
        console().print(f"\n Hint {number} of {count}: {text}", style="bold")

    def finished(self) -> None:
        """Every exercise passes."""
        console().print(
            f"\n Every exercise of {self.lab.slug} passes. q to leave.", style="bold green"
        )
