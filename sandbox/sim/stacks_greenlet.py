"""Stacks on CPython: greenlets."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Callable
from typing import Any

import greenlet


class GreenletStacks:
    """See `sandbox.sim.stacks.Stacks`."""

    def current(self) -> greenlet.greenlet:
        return greenlet.getcurrent()

    def create(self, run: Callable[[], Any]) -> greenlet.greenlet:
        def body(*_: Any) -> None:
            # A greenlet that ends hands over to its parent, so the parent is chosen at the end.
            successor = run()
            greenlet.getcurrent().parent = successor

        return greenlet.greenlet(body)

    def switch(self, stack: greenlet.greenlet) -> None:
        stack.switch()

    def abandon(self, stack: greenlet.greenlet) -> None:
        # Collecting a suspended greenlet would raise GreenletExit inside it and so run the dead
        # program's `finally` clauses. One reference too many keeps it from ever being collected.
        if stack:
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(stack))

    def collect(self) -> None:
        gc.collect()
