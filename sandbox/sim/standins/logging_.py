"""Stand-in for the state of `logging`: each process configures loggers for itself.

Loggers are shared, because the libraries that made them are; what a program says about them
(handlers, levels, propagation) is memory of its process. Each such attribute of `Logger` becomes a
property that finds the running process's value. What a library set while it was imported outside a
world is the starting point; the root logger starts fresh, as in a new interpreter.
"""

from __future__ import annotations

import logging
import threading
from typing import Any

from sandbox.sim.standins import context
from sandbox.sim.standins.installation import Replace
from sandbox.sim.standins.process import InProcess
from sandbox.sim.standins.threading_ import Lock

_KEPT = "logging"

#: What a new logger starts with.
_FRESH: dict[str, Any] = {
    "level": logging.NOTSET,
    "propagate": True,
    "disabled": False,
    "handlers": [],
    "filters": [],
    "_cache": {},
}


class _State:
    """One process's view of every logger."""

    def __init__(self) -> None:
        self.attributes: dict[logging.Filterer, dict[str, Any]] = {}
        self.disable = 0

    def of(self, logger: logging.Logger) -> dict[str, Any]:
        """The attributes of one logger."""
        found = self.attributes.get(logger)
        if found is None:
            start = _FRESH | {} if logger is logging.root else _FRESH | logger.__dict__
            found = {name: _copied(start[name]) for name in _FRESH}
            found["_cache"] = {}
            if logger is logging.root:
                found["level"] = logging.WARNING
            self.attributes[logger] = found
        return found


def _copied(value: Any) -> Any:
    return value.copy() if isinstance(value, (list, dict)) else value


def _state(process: InProcess) -> _State:
    state: _State | None = process.kept.get(_KEPT)
    if state is None:
        state = process.kept[_KEPT] = _State()
    return state


def _property(name: str) -> property:
    def read(self: logging.Logger) -> Any:
        process = context.current()
        if process is not None:
            return _state(process).of(self)[name]
        try:
            return self.__dict__[name]
        except KeyError:  # made by a process of a world
            return self.__dict__.setdefault(name, _copied(_FRESH[name]))

    def write(self: logging.Logger, value: Any) -> None:
        process = context.current()
        if process is None:
            self.__dict__[name] = value
            return
        _state(process).of(self)[name] = value
        process.enabled_loggers.clear()

    return property(read, write)


def install(replace: Replace) -> None:
    """Put the stand-ins in place."""
    logger: Any = logging.Logger
    manager: Any = logging.Manager
    for name in _FRESH:
        setattr(logger, name, _property(name))
    is_enabled, clear_cache = logger.isEnabledFor, manager._clear_cache
    disable = manager.disable

    def is_enabled_in_world(self: logging.Logger, level: int) -> bool:
        process = context.current()
        if process is None:
            return bool(is_enabled(self, level))
        # Asked several times for every message that a client library does not log.
        enabled = process.enabled_loggers
        answer = enabled.get((self, level))
        if answer is None:
            answer = enabled[self, level] = bool(
                not self.disabled
                and level > _state(process).disable
                and level >= self.getEffectiveLevel()
            )
        return answer

    def clear_cache_in_world(self: logging.Manager) -> None:
        process = context.current()
        if process is None:
            clear_cache(self)
        else:
            process.enabled_loggers.clear()

    def read_disable(self: logging.Manager) -> Any:
        process = context.current()
        return disable.fget(self) if process is None else _state(process).disable

    def write_disable(self: logging.Manager, value: Any) -> None:
        process = context.current()
        if process is None:
            disable.fset(self, value)
        else:
            _state(process).disable = int(value)
            process.enabled_loggers.clear()

    is_enabled_in_world.__name__ = "isEnabledFor"
    is_enabled_in_world.__doc__ = is_enabled.__doc__
    logger.isEnabledFor = is_enabled_in_world
    manager._clear_cache = clear_cache_in_world
    manager.disable = property(read_disable, write_disable)
    # Written to by every process that has configured nothing.
    if logging.lastResort is not None:
        lock = threading._PyRLock()  # type: ignore[attr-defined]
        lock._block = Lock()
        logging.lastResort.lock = lock
