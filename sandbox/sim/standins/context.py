"""Whose code is running: a process of a world, or somebody outside every world."""

from __future__ import annotations

from _thread import get_ident
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.sim.standins.process import InProcess

_current: InProcess | None = None
_thread = 0


def current() -> InProcess | None:
    """The process whose fiber is running on this operating-system thread, or None outside."""
    if _current is None or _thread != get_ident():
        return None
    return _current


def enter(process: InProcess | None) -> None:
    """Say whose code runs from now on. Called at every switch."""
    global _current, _thread
    _current = process
    _thread = get_ident()


def here() -> InProcess:
    """As `current`, where the caller knows that it is inside."""
    assert _current is not None
    return _current
