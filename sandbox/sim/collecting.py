"""Garbage collection in a world.

The interpreter collects when it has made so many objects, at a moment that depends on all it did
before; the destructors that run then may make system calls. So that a run depends on its seed
alone, nothing is collected while a world runs but every so many system calls.

A destructor that runs during a collection cannot wait: the interpreter begins no other collection
before this one is over, and a fiber that is never resumed would keep it from ever ending.
"""

from __future__ import annotations

import gc
from _thread import get_ident
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

#: Collect when the world's programs have made so many system calls more.
EVERY_STEPS = 1_000_000

_thread = 0


def under_way() -> bool:
    """Whether a destructor is running as part of a collection on this thread."""
    return _thread != 0 and _thread == get_ident()


@contextmanager
def not_by_itself() -> Iterator[None]:
    """Leave it to `EVERY_STEPS`."""
    enabled = gc.isenabled()
    if _note not in gc.callbacks:
        gc.callbacks.append(_note)
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _note(phase: str, _: dict[str, Any]) -> None:
    global _thread
    _thread = get_ident() if phase == "start" else 0
