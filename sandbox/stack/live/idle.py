"""When is a live run idle? When every process waits and nothing has moved for a while.

The simulated world knows. Here it is inferred: no process starts, computes, sleeps in the middle of
its work, waits for an answer or for a time limit that it has not yet been seen to let pass; for
`QUIET_S` no frame passed except heartbeats and questions that found nothing new; and no queue holds
a message that a consumer has room for.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from sandbox.stack.live.process import LiveProcess

#: Long enough for a broker on a busy machine to answer, short enough to wait for in every check.
QUIET_S = 0.35
_LOOK_EVERY_S = 0.03
#: A machine too busy to let us look so often in that time has not let the others work either.
_QUIET_LOOKS = 8
#: If the broker withholds a message for this long, it has reasons that the ledger does not know.
_WITHHELD_S = 3.0


def wait_until_idle(
    processes: Sequence[LiveProcess],
    changed: threading.Condition,
    could_deliver: Callable[[], bool],
    timeout_s: float,
) -> float:
    """Return the `time.monotonic()` of the last thing that happened before all went quiet.

    Raises:
        TimeoutError: a process was still at work after `timeout_s`; says which, and at what.
    """
    deadline = time.monotonic() + timeout_s
    quiet_since = time.monotonic()
    withheld_since: float | None = None
    looks = 0
    while True:
        with changed:
            last = max((p.last_effect_s for p in processes), default=quiet_since)
            busy = [f"{p.name}: {why}" for p in processes if (why := p.at_work(last))]
        now = time.monotonic()
        if busy or last > quiet_since:
            quiet_since = now if busy else last
            looks = 0
        looks += 1
        if now - quiet_since >= QUIET_S and looks > _QUIET_LOOKS:
            if not could_deliver():
                return last
            withheld_since = withheld_since or now
            if now - withheld_since > _WITHHELD_S:
                return last
        if now > deadline:
            at_what = "; ".join(busy) or "messages keep moving"
            raise TimeoutError(
                f"After {timeout_s:g} s the processes were still at work ({at_what})."
            )
        with changed:
            changed.wait(_LOOK_EVERY_S)
