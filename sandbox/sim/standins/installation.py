"""Putting the stand-ins in place, once for the interpreter's life.

A stand-in replaces an attribute of the real module. Modules imported earlier may hold the original
under a name of their own (`from time import sleep`), so those names are rebound too.
"""

from __future__ import annotations

import importlib
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

#: The stand-in modules, in the order they are installed.
MODULES = (
    "os_",
    "time_",
    "datetime_",
    "random_",
    "threading_",
    "socket_",
    "select_",
    "selectors_",
    "signal_",
    "asyncio_",
    "logging_",
    "platform_",
    "subprocess_",
)

#: Replaces `module.name` by `standin` everywhere.
Replace = Callable[[types.ModuleType, str, Any], None]

_installed = False
_importing = 0


def install() -> None:
    """Install every stand-in. Idempotent; cheap after the first time."""
    global _installed
    if _installed:
        return
    _installed = True
    replaced: dict[int, tuple[Any, Any]] = {}

    def replace(module: types.ModuleType, name: str, standin: Any) -> None:
        original = getattr(module, name)
        setattr(module, name, standin)
        replaced[id(original)] = (original, standin)

    for name in MODULES:
        importlib.import_module(f"sandbox.sim.standins.{name}").install(replace)
    _rebind(replaced)


def _rebind(replaced: dict[int, tuple[Any, Any]]) -> None:
    """Rebind names that modules imported earlier hold to what has been replaced."""
    for module_name, module in list(sys.modules.items()):
        if module is None or module_name.startswith("sandbox.sim."):
            continue
        names = getattr(module, "__dict__", None)
        if not isinstance(names, dict):
            continue
        for name, value in list(names.items()):
            known = replaced.get(id(value))
            if known is not None and known[0] is value and not name.startswith("__"):
                names[name] = known[1]


@contextmanager
def importing() -> Iterator[None]:
    """Import libraries for use in worlds: locks made at import time work inside fibers too."""
    global _importing
    install()
    _importing += 1
    try:
        yield
    finally:
        _importing -= 1


def is_importing() -> bool:
    """Whether `importing` is active."""
    return _importing > 0
