"""Stand-in for `asyncio`'s choice of event loop.

Everything else of asyncio runs unchanged: its selector event loop asks `selectors`, `socket` and
`time`, which are answered by the world. Where another loop is the default (Windows' proactor,
Pyodide's browser loop) a fiber gets the selector one.
"""

from __future__ import annotations

import asyncio
import asyncio.base_events
import asyncio.events
import asyncio.selector_events
from typing import Any

from sandbox.sim.standins import context
from sandbox.sim.standins.installation import Replace
from sandbox.sim.standins.subprocess_ import REFUSAL


class WorldEventLoop(asyncio.SelectorEventLoop):
    """The stock selector loop, which cannot start programs here."""

    async def subprocess_exec(self, *args: Any, **kwargs: Any) -> Any:
        raise PermissionError(REFUSAL)

    async def subprocess_shell(self, *args: Any, **kwargs: Any) -> Any:
        raise PermissionError(REFUSAL)


def install(replace: Replace) -> None:
    """Put the stand-ins in place."""
    new_event_loop = asyncio.events.new_event_loop
    get_event_loop = asyncio.events.get_event_loop
    set_event_loop = asyncio.events.set_event_loop

    def new_event_loop_in_world() -> asyncio.AbstractEventLoop:
        """`asyncio.new_event_loop`."""
        if context.current() is None:
            return new_event_loop()
        return WorldEventLoop()

    def get_event_loop_in_world() -> asyncio.AbstractEventLoop:
        """`asyncio.get_event_loop`."""
        process = context.current()
        if process is None:
            return get_event_loop()
        running = asyncio._get_running_loop()
        if running is not None:
            return running
        loop = process.event_loops.get(process.ident)
        if loop is None:
            raise RuntimeError(f"There is no current event loop in thread {process.thread_name!r}.")
        return loop

    def set_event_loop_in_world(loop: asyncio.AbstractEventLoop | None) -> None:
        """`asyncio.set_event_loop`."""
        process = context.current()
        if process is None:
            set_event_loop(loop)
        else:
            process.event_loops[process.ident] = loop

    replace(asyncio.events, "new_event_loop", new_event_loop_in_world)
    replace(asyncio.events, "get_event_loop", get_event_loop_in_world)
    replace(asyncio.events, "set_event_loop", set_event_loop_in_world)
