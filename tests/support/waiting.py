"""Waiting for something that a real server does in its own time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

#: Generous: it is only used up when something is wrong.
PATIENCE_S = 120.0
_LOOK_EVERY_S = 0.05

Found = TypeVar("Found")


def until(look: Callable[[], Found], what: str) -> Found:
    """Look again and again until something true is found, and return it."""
    deadline = time.monotonic() + PATIENCE_S
    while not (found := look()):
        assert time.monotonic() < deadline, f"waited {PATIENCE_S:g} s in vain for {what}"
        time.sleep(_LOOK_EVERY_S)
    return found
