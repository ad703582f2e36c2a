"""How long a program may compute, in real seconds, before it counts as looping without end.

Every check runs the same program again. One that was found to loop is given less time from then on,
so that a learner with an endless loop waits for one long check and not for six.
"""

from __future__ import annotations

from typing import TypedDict

from sandbox.sim.endings import Ending

#: What one stretch of a run may take.
REAL_LIMIT_S = 10.0

#: What a program that has looped before may compute between two system calls.
SECOND_LIMIT_S = 2.0

#: Texts of programs that have looped, as hashes.
_looped: set[int] = set()


class Limits(TypedDict):
    """Arguments of `World.run`."""

    real_s: float
    stall_s: float | None


class Patience:
    """The limits of one run of programs."""

    def __init__(self) -> None:
        self._texts: set[int] = set()

    def begin(self, source: str) -> None:
        """A program of this text begins."""
        self._texts.add(hash(source))

    @property
    def limits(self) -> Limits:
        """The limits of the next stretch."""
        again = bool(self._texts & _looped)
        return {"real_s": REAL_LIMIT_S, "stall_s": SECOND_LIMIT_S if again else None}

    def note(self, ending: Ending | None) -> None:
        """Learn from how a stretch ended."""
        if ending is not None and ending.kind == "real-time":
            _looped.update(self._texts)
