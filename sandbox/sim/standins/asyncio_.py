"""Stand-in for `asyncio`'s event loop.

Nearly all of asyncio runs unchanged: its selector event loop asks `selectors`, `socket` and `time`,
which are answered by the world. Where another loop is the default (Windows' proactor, Pyodide's
browser loop) a fiber gets the selector one.

What differs is what depends on addresses in memory. asyncio keeps tasks in sets (`all_tasks`,
`TaskGroup`, `wait`), whose order follows from hashes, so tasks and futures of a world are hashed by
a number of their own.
"""

from __future__ import annotations

import asyncio
import asyncio.base_events
import asyncio.events
import asyncio.selector_events
import asyncio.tasks
from collections.abc import Callable
from typing import Any

from sandbox.sim.standins import context
from sandbox.sim.standins.hashes import numbered
from sandbox.sim.standins.installation import Replace
from sandbox.sim.standins.subprocess_ import REFUSAL

WorldTask = numbered(asyncio.Task)
WorldFuture = numbered(asyncio.Future)


class WorldEventLoop(asyncio.SelectorEventLoop):
    """The stock selector loop, which cannot start programs here."""

    def create_future(self) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = WorldFuture(loop=self)
        return future

    def create_task(self, coro: Any, *, name: object = None, **kwargs: Any) -> Any:
        if self.get_task_factory() is not None:
            return super().create_task(coro, name=name, **kwargs)
        self._check_closed()  # type: ignore[attr-defined]
        if name is None:
            name = f"Task-{context.here().count('task')}"
        task = WorldTask(coro, loop=self, name=name, **kwargs)
        if task._source_traceback:
            del task._source_traceback[-1]
        return task

    async def subprocess_exec(self, *args: Any, **kwargs: Any) -> Any:
        raise PermissionError(REFUSAL)

    async def subprocess_shell(self, *args: Any, **kwargs: Any) -> Any:
        raise PermissionError(REFUSAL)


def _current_loop(process: Any) -> asyncio.AbstractEventLoop:
    """What `get_event_loop` returns where no loop runs."""
    loops = process.event_loops
    if process.ident not in loops and process.threads[process.ident] is process.main_thread:
        loops[process.ident] = WorldEventLoop()
    loop: asyncio.AbstractEventLoop | None = loops.get(process.ident)
    if loop is None:
        raise RuntimeError(f"There is no current event loop in thread {process.thread_name!r}.")
    return loop


def install(replace: Replace) -> None:
    """Put the stand-ins in place."""
    events, tasks = asyncio.events, asyncio.tasks
    new_event_loop, set_event_loop = events.new_event_loop, events.set_event_loop
    get_event_loop = events.get_event_loop
    all_tasks, as_completed = tasks.all_tasks, tasks.as_completed

    def new_event_loop_in_world() -> asyncio.AbstractEventLoop:
        return new_event_loop() if context.current() is None else WorldEventLoop()

    def get_event_loop_in_world() -> asyncio.AbstractEventLoop:
        process = context.current()
        if process is None:
            return get_event_loop()
        return asyncio._get_running_loop() or _current_loop(process)

    def set_event_loop_in_world(loop: asyncio.AbstractEventLoop | None) -> None:
        process = context.current()
        if process is None:
            set_event_loop(loop)
        else:
            process.event_loops[process.ident] = loop

    def all_tasks_in_world(loop: asyncio.AbstractEventLoop | None = None) -> Any:
        found = all_tasks(loop)
        if context.current() is None:
            return found
        # Two sets of the same members differ in order when they were filled in another order.
        return set(sorted(found, key=hash))  # noqa: C414

    def as_completed_in_world(fs: Any, *, timeout: float | None = None) -> Any:
        if context.current() is not None and not asyncio.isfuture(fs):
            # The original starts coroutines in the order of a set.
            fs = [asyncio.ensure_future(each) for each in dict.fromkeys(fs)]
        return as_completed(fs, timeout=timeout)

    def put(module: Any, name: str, standin: Callable[..., Any]) -> None:
        standin.__name__ = name
        standin.__doc__ = getattr(module, name).__doc__
        replace(module, name, standin)

    put(events, "new_event_loop", new_event_loop_in_world)
    put(events, "get_event_loop", get_event_loop_in_world)
    put(events, "set_event_loop", set_event_loop_in_world)
    put(tasks, "all_tasks", all_tasks_in_world)
    put(tasks, "as_completed", as_completed_in_world)
