"""Lets time pass for a run's processes only while a check waits.

In the simulated world a process does nothing while the check itself is at work: it is killed
exactly where the check found it. Real processes go on, so here they are held at the next thing they
tell the stack: every control message is answered only when the check waits again. It may wait

- *freely*: everything is answered at once;
- *up to a moment*: a sleep that ends after that moment ends after it for the check too, however
  late a busy machine wakes the check up;
- *step by step*, until a condition holds: what a process told is answered once the condition was
  looked at with it and did not hold.

Used by the hub's thread, which holds the lock already, and by the check's.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

Answer = Callable[[], None]


class Flow:
    """What is held, and until when."""

    def __init__(self, lock: AbstractContextManager[Any]) -> None:
        self._lock = lock
        #: Time passes up to this moment (`time.monotonic`); None while it stands still.
        self._until_s: float | None = None
        self._held: list[tuple[float, Answer]] = []
        self._passed_s = 0.0
        self._since_s: float | None = None

    def pass_on(self, due_s: float, answer: Answer) -> None:
        """Answer a message that is due at `due_s`, now or when the check lets time pass."""
        if self._until_s is not None and due_s <= self._until_s:
            answer()
        else:
            self._held.append((due_s, answer))

    @contextmanager
    def passing(self, moment_s: float = math.inf) -> Iterator[None]:
        """Let time pass up to a moment, or freely; then it stands still again."""
        with self._lock:
            going = [answer for due_s, answer in self._held if due_s <= moment_s]
            self._held = [(due_s, answer) for due_s, answer in self._held if due_s > moment_s]
            self._until_s = moment_s
            for answer in going:
                answer()
        try:
            with self.counting():
                yield
        finally:
            with self._lock:
                self._until_s = None

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Count the time inside as time that passes, also while messages are held."""
        if self._since_s is not None:
            yield
            return
        self._since_s = time.monotonic()
        try:
            yield
        finally:
            self._passed_s, self._since_s = self.passed_s(), None

    def passed_s(self) -> float:
        """How long time has passed for the run's processes, in seconds."""
        since_s = self._since_s
        return self._passed_s + (0.0 if since_s is None else time.monotonic() - since_s)

    def held(self) -> int:
        """How many messages wait for an answer."""
        with self._lock:
            return len(self._held)

    def step(self, count: int) -> None:
        """Answer the first `count` of those held."""
        with self._lock:
            going, self._held = self._held[:count], self._held[count:]
            for _, answer in going:
                answer()
