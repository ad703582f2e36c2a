"""What a learner has passed, tried and asked for, kept in `.sandbox/progress.json`.

Stored under slugs and exercise ids, which never change. A file that cannot be read is put aside
and never silently overwritten: it may be somebody's weeks of work.

To remember something else about an exercise, add it to `Attempted`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from sandbox.course.model import Exercise, Lab

FORMAT = 1


@dataclass
class Attempted:
    """What is known about one exercise."""

    passed: bool = False
    points: int = 0
    attempts: int = 0
    hints: int = 0


class Progress:
    """The progress kept in one file; without a path, nothing yet and nothing kept."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._exercises: dict[str, Attempted] = {}
        if path is not None:
            self._load(path)

    def of(self, lab: Lab, exercise: Exercise) -> Attempted:
        """What is known about an exercise; nothing yet is all zeros."""
        return self._exercises.setdefault(f"{lab.slug}/{exercise.id}", Attempted())

    def checked(self, lab: Lab, exercise: Exercise, *, passed: bool) -> None:
        """Count an attempt. What was passed once stays passed."""
        known = self.of(lab, exercise)
        known.attempts += 1
        if passed:
            known.passed = True
            known.points = exercise.points

    def points(self, lab: Lab) -> int:
        """Points earned in a lab."""
        return sum(self.of(lab, exercise).points for exercise in lab.exercises)

    def next_lab(self, labs: Sequence[Lab]) -> Lab | None:
        """The first lab with something left to do."""
        return next((lab for lab in labs if self.next_exercise(lab)), None)

    def next_exercise(self, lab: Lab) -> Exercise | None:
        """The first exercise of a lab that has not been passed."""
        return next((each for each in lab.exercises if not self.of(lab, each).passed), None)

    def save(self) -> None:
        """Write the file, whole or not at all."""
        if self.path is None:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        labs: dict[str, dict[str, object]] = {}
        for name, known in sorted(self._exercises.items()):
            if known != Attempted():
                slug, _, exercise_id = name.partition("/")
                labs.setdefault(slug, {})[exercise_id] = asdict(known)
        text = json.dumps({"format": FORMAT, "labs": labs}, indent=1) + "\n"
        unfinished = self.path.with_suffix(".tmp")
        unfinished.write_text(text, encoding="utf-8")
        os.replace(unfinished, self.path)

    def _load(self, path: Path) -> None:
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            wanted = {each.name for each in fields(Attempted)}
            for slug, exercises in stored["labs"].items():
                for exercise_id, known in exercises.items():
                    kept = {key: value for key, value in known.items() if key in wanted}
                    self._exercises[f"{slug}/{exercise_id}"] = Attempted(**kept)
        except FileNotFoundError:
            return
        except (ValueError, KeyError, AttributeError, TypeError):
            self._exercises.clear()
            os.replace(path, path.with_suffix(".unreadable"))
