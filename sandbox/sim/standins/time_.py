"""Stand-in for `time`."""

from __future__ import annotations

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


def _of_now(original: Callable[..., Any]) -> Callable[..., Any]:
    """Functions whose last argument defaults to now: localtime, gmtime, ctime."""

    def convert(seconds: float | None = None) -> Any:
        if seconds is None:
            now_ns = wall_ns()
            if now_ns is not None:
                seconds = now_ns / SECOND
        return original(seconds) if seconds is not None else original()

    return _named(convert, original)


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
    for name in ("localtime", "gmtime", "ctime"):
        replace(time, name, _of_now(getattr(time, name)))
    strftime, asctime, localtime = time.strftime, time.asctime, time.localtime

    def strftime_now(layout: str, moment: Any = None) -> str:
        return strftime(layout, localtime() if moment is None else moment)

    def asctime_now(moment: Any = None) -> str:
        return asctime(localtime() if moment is None else moment)

    replace(time, "strftime", _named(strftime_now, strftime))
    replace(time, "asctime", _named(asctime_now, asctime))
