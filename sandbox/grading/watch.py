"""`sandbox watch`: which exercise is on the screen, and when it is checked again.

The loop knows no terminal and no clock of its own: it is handed keys, a way to check and a way to
show, so a test plays a whole session without waiting. Files are watched by asking for their
modification time and size: a handful of files a few times a second costs nothing and behaves the
same on every system, on network drives and in containers.

To add a key, add it to `KEYS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from sandbox.course.model import Exercise, Lab
from sandbox.grading.result import ExerciseResult

#: What a key does, by the name of a method of `Watch`.
KEYS = {"h": "hint", "n": "forward", "p": "back", "r": "again", "q": "quit", "\x03": "quit"}


class Screen(Protocol):
    """Where a session is shown."""

    def checking(self, exercise: Exercise) -> None:
        """A check begins."""

    def result(self, exercise: Exercise, result: ExerciseResult, place: str) -> None:
        """A check has ended; `place` is "2 of 3"."""

    def hint(self, number: int, count: int, text: str) -> None:
        """The next hint; number 0 when the exercise has none."""

    def finished(self) -> None:
        """Every exercise passes."""


def fingerprint(path: Path) -> tuple[int, int] | None:
    """Something that changes when a file is saved; None while it is not there."""
    try:
        status = path.stat()
    except OSError:  # editors that save by renaming leave a gap
        return None
    return status.st_mtime_ns, status.st_size


@dataclass
class Watch:
    """One session over the exercises of one lab."""

    lab: Lab
    file: Callable[[Exercise], Path]
    check: Callable[[Exercise], ExerciseResult]
    screen: Screen
    #: Ids of the exercises that are known to pass.
    passed: set[str] = field(default_factory=set)
    #: How many hints of each exercise have been shown.
    hints: dict[str, int] = field(default_factory=dict)
    #: Told after every hint, to remember it.
    hinted: Callable[[Exercise, int], None] | None = None
    position: int = 0
    running: bool = True
    _seen: tuple[int, int] | None = None

    @property
    def exercise(self) -> Exercise:
        """The exercise on the screen."""
        return self.lab.exercises[self.position]

    def run(self, keys: Iterable[str | None]) -> None:
        """Show the first exercise that does not pass, then live until a key quits.

        Args:
            keys: A key, or None when a moment passed without one. It sets the pace: each None is
                one look at the file.
        """
        self.begin()
        for key in keys:
            if key is not None:
                self.press(key)
            if not self.running:
                return
            self.look()

    def begin(self) -> None:
        """Go to the first exercise that does not pass."""
        for position, exercise in enumerate(self.lab.exercises):
            self.position = position
            self._seen = fingerprint(self.file(exercise))
            if exercise.id in self.passed:
                continue
            if not self._check():
                return
        self.position = len(self.lab.exercises) - 1
        self._seen = fingerprint(self.file(self.exercise))
        self.screen.finished()

    def look(self) -> None:
        """Check again when the file was saved since the last look."""
        now = fingerprint(self.file(self.exercise))
        if now is not None and now != self._seen:
            self._seen = now
            if self._check():
                self._onward()

    def press(self, key: str) -> None:
        """Do what a key says; other keys do nothing."""
        action = KEYS.get(key.lower())
        if action:
            getattr(self, action)()

    def hint(self) -> None:
        """Show the next hint; the last one again when there are no more."""
        hints = self.exercise.hints
        number = min(self.hints.get(self.exercise.id, 0) + 1, len(hints))
        self.hints[self.exercise.id] = number
        self.screen.hint(number, len(hints), hints[number - 1] if hints else "")
        if hints and self.hinted:
            self.hinted(self.exercise, number)

    def forward(self) -> None:
        """Go to the next exercise, whether this one passes or not."""
        self._go(self.position + 1)

    def back(self) -> None:
        """Go to the exercise before."""
        self._go(self.position - 1)

    def again(self) -> None:
        """Check once more without a change."""
        self._check()

    def quit(self) -> None:
        """End the session."""
        self.running = False

    def _go(self, position: int) -> None:
        self.position = position % len(self.lab.exercises)
        self._seen = fingerprint(self.file(self.exercise))
        self._check()

    def _onward(self) -> None:
        """After a pass: to the next exercise that does not, if there is one."""
        count = len(self.lab.exercises)
        for step in range(1, count):
            position = (self.position + step) % count
            if self.lab.exercises[position].id not in self.passed:
                self._go(position)
                return
        self.screen.finished()

    def _check(self) -> bool:
        exercise = self.exercise
        self.screen.checking(exercise)
        result = self.check(exercise)
        passes = result.outcome == "pass"
        (self.passed.add if passes else self.passed.discard)(exercise.id)
        self.screen.result(exercise, result, f"{self.position + 1} of {len(self.lab.exercises)}")
        return passes
