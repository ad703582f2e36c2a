"""Where a process can be killed, and which of those moments are worth the time.

A *moment* is something a process is about to do that others can notice: send a method to the
broker, `record`, go to sleep, wake up. Killing it at each of them would take minutes on a real
broker, so `sample` chooses few. Messages are lost or repeated around the moments that have an
effect, so it takes those: just before one and just after it (which is just before whatever comes
next), the first time and the last time, and then others while there is room.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from sandbox.stack.base import CrashPoint

MOST_POINTS = 6

#: What tells the broker that a message is done with, or sends one.
_SETTLING = (
    *("basic.ack", "basic.nack", "basic.reject", "basic.publish"),
    *("kafka Produce", "kafka OffsetCommit", "kafka TxnOffsetCommit", "kafka EndTxn"),
    *("redis ", "mqtt PUB"),
)
_RECORDING = ("record ",)
_ASKING = ("basic.get", "sleep", "waking")
_SETTING_UP = (
    *("basic.consume", "basic.qos", "queue.", "exchange.", "confirm."),
    *("kafka ", "mqtt "),
)
#: Nothing has happened yet at these, or nothing can happen any more.
_POINTLESS = ("connection.", "channel.", "hello", "returned", "raised")


def sample(process: str, moments: Sequence[str], most: int = MOST_POINTS) -> list[CrashPoint]:
    """Choose at most `most` crash points among the moments of a process, in order of time."""
    useful = [n for n, kind in enumerate(moments) if not kind.startswith(_POINTLESS)]
    chosen = list(dict.fromkeys(n for n in _candidates(moments) if n in useful))[:most]
    points = []
    seen: Counter[str] = Counter()
    for number, kind in enumerate(moments):
        seen[kind] += 1
        if number in chosen:
            points.append(CrashPoint(process, kind, seen[kind]))
    return points


def _candidates(moments: Sequence[str]) -> Iterator[int]:
    """Positions worth dying at, the best first; some twice."""
    settling, recording, asking, setting_up = (
        [n for n, kind in enumerate(moments) if kind.startswith(kinds)]
        for kinds in (_SETTLING, _RECORDING, _ASKING, _SETTING_UP)
    )
    for place in (0, -1):
        for effects in (settling, recording):
            if effects:
                yield effects[place]
                yield effects[place] + 1  # just after it
    for effects in (settling, recording):
        if effects:
            yield effects[len(effects) // 2]
    for others in (setting_up[-1:], asking[:1], asking[-1:]):
        yield from others
    yield from settling
    yield from recording
