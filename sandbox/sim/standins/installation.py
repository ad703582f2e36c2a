"""Putting the stand-ins in place, once for the interpreter's life.

A stand-in replaces an attribute of the real module. Modules imported earlier may hold the original
under a name of their own (`from time import sleep`), in a class or as a default argument, so those
are rebound too.
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
    "fcntl_",
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
    """Rebind what modules imported earlier hold.

    Looked through are their names, classes' attributes (of those that are dicts, the values too),
    and functions' default arguments.
    """

    def standin(value: Any) -> Any:
        known = replaced.get(id(value))
        return known[1] if known is not None and known[0] is value else None

    def rebind_defaults(function: types.FunctionType) -> None:
        defaults: tuple[Any, ...] = function.__defaults__ or ()
        keywords: dict[str, Any] = function.__kwdefaults__ or {}
        if any(id(value) in replaced for value in defaults):
            function.__defaults__ = tuple(standin(value) or value for value in defaults)
        for name, value in keywords.items():
            if standin(value) is not None:
                keywords[name] = standin(value)

    def rebind_values(settings: dict[Any, Any]) -> None:
        for name, value in settings.items():
            found = standin(value)
            if found is not None:
                settings[name] = found

    def rebind_class(kind: type) -> None:
        for name, value in list(vars(kind).items()):
            found = standin(value)
            if isinstance(value, types.FunctionType):
                rebind_defaults(value)
            elif type(value) is dict and not name.startswith("__"):
                rebind_values(value)
            elif found is not None and not name.startswith("__"):
                # A builtin is no method of the class it is kept in; a function would become one.
                setattr(kind, name, found if isinstance(found, type) else staticmethod(found))

    for module_name, module in list(sys.modules.items()):
        if module is None or module_name.startswith("sandbox.sim."):
            continue
        names = getattr(module, "__dict__", None)
        if not isinstance(names, dict):
            continue
        for name, value in list(names.items()):
            if isinstance(value, types.FunctionType):
                if value.__module__ == module_name:
                    rebind_defaults(value)
            elif isinstance(value, type) and value.__module__ == module_name:
                rebind_class(value)
            found = standin(value)
            if found is not None and not name.startswith("__"):
                names[name] = found


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
        if not _importing:
            from sandbox.sim.standins import libraries_

            libraries_.adapt()


def is_importing() -> bool:
    """Whether `importing` is active."""
    return _importing > 0
