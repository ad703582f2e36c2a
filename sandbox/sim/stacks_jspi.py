"""Stacks in Pyodide: JavaScript promise integration.

A stack is suspended by waiting for a promise (`run_sync`) that whoever switches back resolves. A
new stack is started from a microtask with `callPromising`, so that it never runs on top of the
stack that created it.

CPython 3.14's automatic collections walk the frames of the running stack from the top down, and
under JSPI such a walk may never end (seen with some sixty stacks suspended). Whole collections
only count references and are safe, so here they replace the automatic ones.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

_START = "(run) => { Promise.resolve().then(() => run.callPromising()); }"
#: A whole collection after this many new stacks. The page's snapshot froze what was there before.
_STACKS_PER_COLLECTION = 100
_GATE = "() => Promise.withResolvers()"


class _Stack:
    """One stack: its function until it starts, the gate it waits at while suspended."""

    __slots__ = ("gate", "proxy", "run")

    def __init__(self, run: Callable[[], Any] | None) -> None:
        self.run = run
        self.gate: Any = None
        self.proxy: Any = None


class JspiStacks:
    """See `sandbox.sim.stacks.Stacks`."""

    def __init__(self) -> None:
        from pyodide.code import run_js
        from pyodide.ffi import can_run_sync, create_proxy, run_sync

        if not can_run_sync():
            raise RuntimeError(
                "This browser cannot suspend WebAssembly (JSPI), so only one process can run. "
                "Current Chrome, Edge and Firefox can."
            )
        self._run_sync = run_sync
        self._create_proxy = create_proxy
        self._start_js = run_js(_START)
        self._gate_js = run_js(_GATE)
        self._current = _Stack(None)
        self._ended: list[Any] = []
        self._created = 0
        gc.disable()

    def current(self) -> _Stack:
        return self._current

    def create(self, run: Callable[[], Any]) -> _Stack:
        self._created += 1
        if self._created % _STACKS_PER_COLLECTION == 0:
            gc.collect()
        return _Stack(run)

    def switch(self, stack: _Stack) -> None:
        me = self._current
        me.gate = self._gate_js()
        self._resume(stack)
        self._run_sync(me.gate.promise)

    def abandon(self, stack: _Stack) -> None:
        stack.gate = None

    def collect(self) -> None:
        """`create` does, often enough."""

    def _resume(self, stack: _Stack) -> None:
        self._current = stack
        if stack.run is None:
            stack.gate.resolve()
            return
        run, stack.run = stack.run, None

        def body() -> None:
            proxy.destroy()
            self._resume(run())

        proxy = self._create_proxy(body)
        self._start_js(proxy)
