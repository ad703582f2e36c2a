"""Stacks in Pyodide: JavaScript promise integration.

A stack is suspended by waiting for a promise (`run_sync`) that whoever switches back resolves. A
new stack is started from a microtask with `callPromising`, so that it never runs on top of the
stack that created it.

All stacks share the C stack of one WebAssembly memory. Pyodide lays each new one below those that
are suspended, without asking whether there is room: the fifty-fifth would overwrite memory. So
every few starts all suspended stacks are moved out of the way, as Pyodide does when it resumes one
that another lies over; each is copied back when it goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_START = """
(run, module, makeRoom) => {
  Promise.resolve().then(() => {
    if (makeRoom) {
      const everything = Object.create(module.StackState.prototype);
      everything.start = module.stackSave();
      everything.stop = module._emscripten_stack_get_base();
      everything._copy = new Uint8Array(0);
      everything.restore();
    }
    run.callPromising();
  });
}
"""
#: How many stacks may lie below one another in the C stack (5 MB, about 0.1 MB each).
_SIDE_BY_SIDE = 16
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
        import pyodide_js
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
        self._module = pyodide_js._module
        self._started = 0
        self._current = _Stack(None)

    def current(self) -> _Stack:
        return self._current

    def create(self, run: Callable[[], Any]) -> _Stack:
        return _Stack(run)

    def switch(self, stack: _Stack) -> None:
        me = self._current
        me.gate = self._gate_js()
        self._resume(stack)
        self._run_sync(me.gate.promise)

    def abandon(self, stack: _Stack) -> None:
        stack.gate = None

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
        self._started += 1
        self._start_js(proxy, self._module, self._started % _SIDE_BY_SIDE == 0)
