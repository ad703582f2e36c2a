"""Where a process can be killed, and which of those moments are worth the time.

A *moment* is something a process is about to do that others can notice: send a method to the
broker, `record`, go to sleep, wake up. Killing it at each of them would take minutes on a real
broker, so `sample` chooses few: of each kind that has an effect the first, the last and one
between, those first where messages are usually lost or repeated; then, if there is room, moments
of setting up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sandbox.stack.base import CrashPoint

MOST_POINTS = 6

#: Kinds whose moments matter most, by prefix, in this order; all others come after them.
_ORDER = (
    "record ",
    "basic.ack",
    "basic.nack",
    "basic.reject",
    "basic.publish",
    "waking",
    "sleep",
    "basic.get",
)
_SETTING_UP = ("basic.consume", "basic.qos", "queue.", "exchange.", "confirm.")
#: Nothing has happened yet at these, or nothing can happen any more.
_POINTLESS = ("connection.", "channel.", "hello", "returned", "raised")


def sample(process: str, moments: Sequence[str], most: int = MOST_POINTS) -> list[CrashPoint]:
    """Choose at most `most` crash points among the moments of a process, in order of time."""
    totals = Counter(kind for kind in moments if not kind.startswith(_POINTLESS))
    setting_up = [kind for kind in totals if kind.startswith(_SETTING_UP)]
    effects = sorted((kind for kind in totals if kind not in setting_up), key=_rank)
    candidates = [
        (kind, wanted(totals[kind]))
        for kinds, positions in ((effects, (_first, _last, _middle)), (setting_up, (_last,)))
        for wanted in positions
        for kind in kinds
    ]
    kept = set(list(dict.fromkeys(candidates))[:most])
    seen: Counter[str] = Counter()
    points = []
    for kind in moments:
        seen[kind] += 1
        if (kind, seen[kind]) in kept:
            points.append(CrashPoint(process, kind, seen[kind]))
    return points


def _rank(kind: str) -> int:
    return next((n for n, prefix in enumerate(_ORDER) if kind.startswith(prefix)), len(_ORDER))


def _first(total: int) -> int:
    return 1


def _last(total: int) -> int:
    return total


def _middle(total: int) -> int:
    return (total + 1) // 2
