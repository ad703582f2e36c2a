"""Python call stacks that can hand over to one another: what a fiber is made of.

Two backends behind one interface: `greenlet` on CPython, and JavaScript promise integration (JSPI)
in Pyodide. The scheduler decides who runs; a backend only moves control.

A stack that is never switched to again is *abandoned*: nothing of its code runs any more, not even
a `finally` clause, which is what being killed means. It stays in memory for that reason.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Protocol


class Stacks(Protocol):
    """One backend. Stacks are opaque to the caller."""

    def current(self) -> Any:
        """The stack that is running."""
        ...

    def create(self, run: Callable[[], Any]) -> Any:
        """A stack that calls `run` when it is first switched to.

        `run` returns the stack that goes on when it has ended.
        """
        ...

    def switch(self, stack: Any) -> None:
        """Suspend the running stack and let `stack` go on; returns when switched back to."""
        ...

    def abandon(self, stack: Any) -> None:
        """Promise never to switch to `stack` again."""
        ...

    def collect(self) -> None:
        """Collect garbage, unless the backend does so by itself. Any stack may be running."""
        ...


def best_stacks() -> Stacks:
    """The backend of this interpreter.

    Raises: RuntimeError in a browser without JSPI.
    """
    if sys.platform == "emscripten":
        from sandbox.sim.stacks_jspi import JspiStacks

        return JspiStacks()
    from sandbox.sim.stacks_greenlet import GreenletStacks

    return GreenletStacks()
