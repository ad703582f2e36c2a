"""Inside an exercise's process: tells the stack of sleeps and of waits with a time limit.

A process that waits without limit does nothing until something arrives. One that sleeps, or waits
for at most a second, will do something all by itself; the stack must not call it idle too soon.

Sleeping: `time.sleep`, `asyncio.sleep`, pika's `connection.sleep`. Waiting with a limit: `select`
in all its forms (and so asyncio's loop and pika's), conditions (and so events and queues). To count
another call, wrap it in `report`.
"""

from __future__ import annotations

import asyncio
import functools
import select
import selectors
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

#: Shorter ones are over before anybody could mistake the process for an idle one.
_WORTH_TELLING_S = 0.02
#: Longer limits are housekeeping: heartbeats, connections watched for being dead.
_HOUSEKEEPING_S = 10.0
#: Pollers count in milliseconds and may be a little early.
_ROUNDING_S = 0.005

#: What a thread's next wait is really limited to, where the time-out it passes says less.
_true_limits = threading.local()


class Tell(Protocol):
    """Sends a message to the stack and waits until it has been noted."""

    def __call__(self, kind: str, **fields: Any) -> None:
        """Send `kind` and its fields."""
        ...


def report(tell: Tell) -> None:
    """From now on, tell the stack of every sleep and every wait with a limit."""
    _report_sleeps(tell)
    _report_selects(tell)
    _report_conditions(tell)
    _report_pika(tell)


def _put(owner: Any, name: str, replacement: Any) -> None:
    setattr(owner, name, replacement)


def _report_sleeps(tell: Tell) -> None:
    _put(time, "sleep", _as_sleep(time.sleep, tell, position=0))
    async_sleep = asyncio.sleep

    @functools.wraps(async_sleep)
    async def sleep(delay: float, result: Any = None) -> Any:
        if not delay >= _WORTH_TELLING_S:
            return await async_sleep(delay, result)
        tell("sleep", seconds=float(delay))
        try:
            return await async_sleep(delay, result)
        finally:
            tell("waking", seconds=float(delay))

    _put(asyncio, "sleep", sleep)
    _put(asyncio.tasks, "sleep", sleep)


def _as_sleep(sleep: Callable[..., None], tell: Tell, position: int) -> Callable[..., None]:
    """The same sleep, announced; its argument at `position` says how long it is."""

    @functools.wraps(sleep)
    def announced(*arguments: Any, **named: Any) -> None:
        seconds = [*arguments, *named.values()][position]
        if not seconds >= _WORTH_TELLING_S:
            sleep(*arguments, **named)
            return
        tell("sleep", seconds=float(seconds))
        sleep(*arguments, **named)
        tell("waking", seconds=float(seconds))

    return announced


def _limited(wait: Callable[[], Any], limit_s: float | None, tell: Tell) -> Any:
    """Wait, and tell of it if it has a limit: before, and after whether the limit was reached."""
    limit_s = vars(_true_limits).pop("limit_s", limit_s)
    if limit_s is None or not _WORTH_TELLING_S <= limit_s <= _HOUSEKEEPING_S:
        return wait()
    thread = threading.get_ident()
    began_s = time.monotonic()
    tell("wait", seconds=float(limit_s), thread=thread)
    found: Any = None
    try:
        found = wait()
    finally:
        nothing = not any(found) if isinstance(found, tuple) else not found
        reached = time.monotonic() - began_s >= limit_s - _ROUNDING_S
        tell("lapsed" if nothing and reached else "woken", thread=thread)
    return found


def _report_selects(tell: Tell) -> None:
    system_select = select.select

    @functools.wraps(system_select)
    def announced(
        rlist: Any, wlist: Any, xlist: Any, timeout: float | None = None, /
    ) -> tuple[list[Any], list[Any], list[Any]]:
        found: tuple[list[Any], list[Any], list[Any]] = _limited(
            lambda: system_select(rlist, wlist, xlist, timeout), timeout, tell
        )
        return found

    _put(select, "select", announced)
    # These give their time-outs in seconds (epoll, kqueue) and in milliseconds (poll).
    for name, position, unit_s in (("epoll", 0, 1.0), ("poll", 0, 0.001), ("kqueue", 2, 1.0)):
        system = getattr(select, name, None)
        if system is not None:
            _put(select, name, _poller(system, tell, position, unit_s))
    for name, attribute in (("EpollSelector", "epoll"), ("PollSelector", "poll")):
        selector: Any = getattr(selectors, name, None)
        if selector is not None and hasattr(selector, "_selector_cls"):
            selector._selector_cls = getattr(select, attribute)


def _poller(system: Any, tell: Tell, position: int, unit_s: float) -> Callable[..., Any]:
    """A factory of pollers that tell of their waits."""
    method = "control" if system is getattr(select, "kqueue", None) else "poll"

    class Poller:
        """A system poller, and an ear for its time-outs."""

        def __init__(self, *arguments: Any, **named: Any) -> None:
            self._poller = system(*arguments, **named)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._poller, name)

        def __enter__(self) -> Any:
            self._poller.__enter__()
            return self

        def __exit__(self, *reason: Any) -> Any:
            return self._poller.__exit__(*reason)

    def wait(self: Any, *arguments: Any, **named: Any) -> Any:
        timeout = named.get("timeout")
        if timeout is None and len(arguments) > position:
            timeout = arguments[position]
        limit_s = None if timeout is None or timeout < 0 else timeout * unit_s
        act = getattr(self._poller, method)
        return _limited(lambda: act(*arguments, **named), limit_s, tell)

    _put(Poller, method, wait)
    return Poller


def _report_conditions(tell: Tell) -> None:
    system_wait = threading.Condition.wait

    @functools.wraps(system_wait)
    def wait(self: threading.Condition, timeout: float | None = None) -> bool:
        return bool(_limited(lambda: system_wait(self, timeout), timeout, tell))

    _put(threading.Condition, "wait", wait)


def _report_pika(tell: Tell) -> None:
    """While `connection.sleep` pika serves the connection; it is a sleep all the same.

    pika also wakes up every five seconds, for heartbeats, and for timers that were removed since;
    only timers that are still set and not pika's own housekeeping say what the exercise waits for.
    """
    try:
        from pika.adapters import select_connection as pika_loop
        from pika.adapters.blocking_connection import BlockingConnection
    except ImportError:
        return
    _put(BlockingConnection, "sleep", _as_sleep(BlockingConnection.sleep, tell, position=1))

    call_later = pika_loop._Timer.call_later

    @functools.wraps(call_later)
    def marked(self: Any, delay: float, callback: Callable[[], Any]) -> Any:
        longer = delay > _HOUSEKEEPING_S
        return call_later(self, delay, _Housekeeping(callback) if longer else callback)

    _put(pika_loop._Timer, "call_later", marked)
    next_timer = pika_loop._Timer.get_remaining_interval

    @functools.wraps(next_timer)
    def with_true_limit(self: Any) -> Any:
        """Called just before pika polls, to learn how long it may."""
        due = [
            timer.deadline
            for timer in self._timeout_heap or ()
            if timer.callback is not None and not isinstance(timer.callback, _Housekeeping)
        ]
        _true_limits.limit_s = max(0.0, min(due) - time.monotonic()) if due else None
        return next_timer(self)

    _put(pika_loop._Timer, "get_remaining_interval", with_true_limit)


class _Housekeeping:
    """A timer's callback that is no part of what the exercise does."""

    def __init__(self, callback: Callable[[], Any]) -> None:
        self._callback = callback

    def __call__(self) -> Any:
        return self._callback()
