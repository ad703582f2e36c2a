"""Stand-in for `time`.

Every clock of a world is the world's; its local time is UTC, wherever it runs.
"""

from __future__ import annotations

import calendar
import time
from collections.abc import Callable
from typing import Any, TypeVar

from sandbox.sim.clock import SECOND, WALL_EPOCH_NS
from sandbox.sim.standins import context
from sandbox.sim.standins.installation import Replace

#: Monotonic clocks start here, so that no program mistakes zero for "never".
MONOTONIC_EPOCH_NS = 1_000 * SECOND

_sleep = time.sleep

Function = TypeVar("Function", bound=Callable[..., Any])


def wall_ns() -> int | None:
    """The running process's wall clock in nanoseconds since 1970, or None outside a world."""
    process = context.current()
    return None if process is None else WALL_EPOCH_NS + process.syscalls.now()


def sleep(seconds: float) -> None:
    """`time.sleep`."""
    process = context.current()
    if process is None:
        _sleep(seconds)
        return
    if not hasattr(seconds, "__float__") and not hasattr(seconds, "__index__"):
        raise TypeError(f"'{type(seconds).__name__}' object cannot be interpreted as an integer")
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    process.flush()
    process.syscalls.sleep(round(seconds * SECOND))


def _seconds(original: Callable[[], float], epoch_ns: int) -> Callable[[], float]:
    def read() -> float:
        process = context.current()
        if process is None:
            return original()
        return (epoch_ns + process.syscalls.now()) / SECOND

    return _named(read, original)


def _nanoseconds(original: Callable[[], int], epoch_ns: int) -> Callable[[], int]:
    def read() -> int:
        process = context.current()
        if process is None:
            return original()
        return epoch_ns + process.syscalls.now()

    return _named(read, original)


def _of_now(original: Callable[..., Any], inside: Callable[[float], Any]) -> Callable[..., Any]:
    """Functions of a moment that defaults to now: localtime, gmtime, ctime."""

    def convert(seconds: float | None = None, /) -> Any:
        now_ns = wall_ns()
        if now_ns is None:
            return original(seconds)
        return inside(now_ns / SECOND if seconds is None else seconds)

    return _named(convert, original)


def _clock(original: Callable[[int], Any], units: Callable[[int], Any]) -> Callable[[int], Any]:
    """`clock_gettime` and its sister: the real-time clock is the wall's, the others monotonic."""

    def read(clock: int, /) -> Any:
        process = context.current()
        if process is None:
            return original(clock)
        wall = clock == getattr(time, "CLOCK_REALTIME", 0)
        return units((WALL_EPOCH_NS if wall else MONOTONIC_EPOCH_NS) + process.syscalls.now())

    return _named(read, original)


def _named(standin: Function, original: Any) -> Function:
    standin.__name__ = original.__name__
    standin.__doc__ = original.__doc__
    return standin


def install(replace: Replace) -> None:
    """Put the stand-ins in place."""
    replace(time, "sleep", _named(sleep, _sleep))
    replace(time, "time", _seconds(time.time, WALL_EPOCH_NS))
    replace(time, "time_ns", _nanoseconds(time.time_ns, WALL_EPOCH_NS))
    replace(time, "monotonic", _seconds(time.monotonic, MONOTONIC_EPOCH_NS))
    replace(time, "monotonic_ns", _nanoseconds(time.monotonic_ns, MONOTONIC_EPOCH_NS))
    replace(time, "perf_counter", _seconds(time.perf_counter, MONOTONIC_EPOCH_NS))
    replace(time, "perf_counter_ns", _nanoseconds(time.perf_counter_ns, MONOTONIC_EPOCH_NS))
    for name in ("process_time", "thread_time"):
        if hasattr(time, name):
            replace(time, name, _seconds(getattr(time, name), 0))
            replace(time, f"{name}_ns", _nanoseconds(getattr(time, f"{name}_ns"), 0))
    if hasattr(time, "clock_gettime"):
        replace(time, "clock_gettime", _clock(time.clock_gettime, lambda ns: ns / SECOND))
        replace(time, "clock_gettime_ns", _clock(time.clock_gettime_ns, lambda ns: ns))
    gmtime, asctime, strftime, mktime = time.gmtime, time.asctime, time.strftime, time.mktime

    def utc(seconds: float) -> time.struct_time:
        # Systems disagree on what to call the zone.
        return time.struct_time(tuple(gmtime(seconds)), {"tm_zone": "UTC", "tm_gmtoff": 0})

    replace(time, "localtime", _of_now(time.localtime, utc))
    replace(time, "gmtime", _of_now(gmtime, utc))
    replace(time, "ctime", _of_now(time.ctime, lambda seconds: asctime(utc(seconds))))

    def strftime_now(layout: str, moment: Any = None, /) -> str:
        return strftime(layout, time.localtime() if moment is None else moment)

    def asctime_now(moment: Any = None, /) -> str:
        return asctime(time.localtime() if moment is None else moment)

    def mktime_in_world(moment: Any, /) -> float:
        return mktime(moment) if context.current() is None else float(calendar.timegm(moment))

    replace(time, "strftime", _named(strftime_now, strftime))
    replace(time, "asctime", _named(asctime_now, asctime))
    replace(time, "mktime", _named(mktime_in_world, mktime))
