"""What a lab is, as plain data.

These types carry no file format and import nothing beyond the standard library, so the same
objects serve the command line, the site's pages and Python in a browser. `manifest` fills them
from a `lab.toml`.

To add a property to labs, add it here, say in `manifest` how it is written, and it is read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Exercise:
    """One graded task of a lab: one file for the learner, one file of checks."""

    #: The stem of `exercises/<id>.py` and `checks/test_<id>.py`.
    id: str
    title: str
    points: int
    #: What must be true when it is done: two or three sentences.
    goal: str = ""
    #: From a nudge to nearly the answer; shown one at a time.
    hints: tuple[str, ...] = ()
    #: After how many failed attempts the page shows the solution; None: only once passed.
    solution_after: int | None = None


@dataclass(frozen=True)
class Mistake:
    """A known wrong answer: the checks must catch it, and the learner should be asked `hint`."""

    exercise: str
    path: Path
    #: Names of the checks that must fail; every other check of the exercise must pass.
    caught_by: tuple[str, ...]
    hint: str

    @property
    def name(self) -> str:
        """The file's stem, such as `ack_before_work`."""
        return self.path.stem


@dataclass(frozen=True)
class Lab:
    """One lab: where its files are and what its `lab.toml` says."""

    #: What URLs and stored progress call it; never renamed.
    slug: str
    title: str
    minutes: int
    order: int
    #: `labs/<slug>`: lesson, exercises, checks, mistakes.
    folder: Path
    #: `solutions/<slug>`: reference answers, alternatives, notes.
    solutions: Path
    exercises: tuple[Exercise, ...]
    #: Brokers its world holds, such as `rabbitmq`.
    needs: tuple[str, ...] = ()
    #: Slugs of the labs to do first.
    after: tuple[str, ...] = ()
    #: Every check runs once with each of these.
    seeds: tuple[int, ...] = (1,)
    #: One sentence for lists of labs.
    summary: str = ""
    points: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "points", sum(exercise.points for exercise in self.exercises))

    @property
    def lesson_path(self) -> Path:
        """The lesson's Markdown."""
        return self.folder / "lesson.md"

    def exercise(self, exercise_id: str) -> Exercise:
        """Return the exercise called `exercise_id`.

        Raises:
            KeyError: there is none.
        """
        for exercise in self.exercises:
            if exercise.id == exercise_id:
                return exercise
        raise KeyError(exercise_id)

    def starter(self, exercise_id: str) -> Path:
        """What the learner starts from."""
        return self.folder / "exercises" / f"{exercise_id}.py"

    def checks(self, exercise_id: str) -> Path:
        """What must be true of the system."""
        return self.folder / "checks" / f"test_{exercise_id}.py"

    def solution(self, exercise_id: str) -> Path:
        """The reference answer."""
        return self.solutions / f"{exercise_id}.py"

    def alternatives(self, exercise_id: str) -> list[Path]:
        """Other right answers, by name."""
        return _python_files(self.solutions / "alternatives" / exercise_id)

    def mistakes(self, exercise_id: str) -> list[Path]:
        """Known wrong answers, by name; `manifest.read_mistake` reads their headers."""
        return _python_files(self.folder / "mistakes" / exercise_id)


def _python_files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix == ".py")
