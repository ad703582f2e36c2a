"""What came out of checking: the object that `--json` prints and the page shows.

Plain dataclasses of plain data. `as_dict` is the documented shape; whatever else these objects
know (`note`, `untried`) is for the people who look at a terminal.

To change the shape, change `as_dict`, `docs/architecture.md` and the page together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

#: "skip": this check cannot run on this stack; it neither earns nor costs points.
Outcome = Literal["pass", "fail", "error", "skip"]

#: Exit status of a command that checks.
EXIT_PASS, EXIT_FAIL, EXIT_ERROR = 0, 1, 2


class CannotCheck(Exception):
    """The checks could not be run at all; the text says why."""


@dataclass(frozen=True)
class CheckResult:
    """One check, over all its seeds: it passes when it passes on every one."""

    #: The function's name, such as `test_no_order_is_lost_when_a_worker_dies`.
    name: str
    outcome: Outcome
    #: Empty when it passed; else what happened and what to think about.
    message: str = ""
    #: How long the run took on the world's clock (the run that failed, or else the last one).
    seconds_virtual: float = 0.0
    #: For a terminal: how thoroughly it was tried, such as "3 seeds".
    note: str = ""

    @property
    def sentence(self) -> str:
        """The name as a sentence for people."""
        return self.name.removeprefix("test_").replace("_", " ")


@dataclass(frozen=True)
class ExerciseResult:
    """One exercise: all its points, or none."""

    id: str
    title: str
    max_points: int
    checks: tuple[CheckResult, ...]
    #: Set when nobody has begun: the sentence says which line still raises NotImplementedError.
    untried: str = ""

    @property
    def outcome(self) -> Outcome:
        """`error` when a check could not be run, else `fail` when one failed, else `pass`."""
        outcomes = {check.outcome for check in self.checks}
        if "error" in outcomes or not outcomes - {"skip"}:
            return "error"
        return "fail" if "fail" in outcomes else "pass"

    @property
    def points(self) -> int:
        """Points earned."""
        return self.max_points if self.outcome == "pass" else 0


@dataclass(frozen=True)
class Result:
    """One lab, as far as it was checked."""

    lab: str
    stack: str
    #: The first seed; a message names the one that failed.
    seed: int
    exercises: tuple[ExerciseResult, ...]

    @property
    def points(self) -> int:
        """Points earned."""
        return sum(exercise.points for exercise in self.exercises)

    @property
    def max_points(self) -> int:
        """Points there were to earn."""
        return sum(exercise.max_points for exercise in self.exercises)

    @property
    def exit_status(self) -> int:
        """0 when all passed, 1 when some failed, 2 when some could not be checked."""
        outcomes = {exercise.outcome for exercise in self.exercises}
        if "error" in outcomes or not outcomes:
            return EXIT_ERROR
        return EXIT_FAIL if "fail" in outcomes else EXIT_PASS

    def as_dict(self) -> dict[str, Any]:
        """The documented object, ready for `json.dumps`."""
        return {
            "lab": self.lab,
            "stack": self.stack,
            "seed": self.seed,
            "exercises": [
                {
                    "id": exercise.id,
                    "title": exercise.title,
                    "points": exercise.points,
                    "max_points": exercise.max_points,
                    "outcome": exercise.outcome,
                    "checks": [
                        {
                            "name": check.name,
                            "outcome": check.outcome,
                            "message": check.message,
                            "seconds_virtual": check.seconds_virtual,
                        }
                        for check in exercise.checks
                    ],
                }
                for exercise in self.exercises
            ],
            "points": self.points,
            "max_points": self.max_points,
        }
