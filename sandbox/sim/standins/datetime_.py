"""Stand-in for `datetime`: a world's wall clock, and UTC as its local time zone.

The types cannot be replaced without breaking pickling, `type(x) is datetime` and C code, so they
stay, and the class methods that ask what time or which zone it is are exchanged inside them. Time
in a world is the same wherever it runs: local time there is UTC.
"""

from __future__ import annotations

import ctypes
import datetime
import gc
from collections.abc import Callable
from typing import Any

from sandbox.sim.standins import context
from sandbox.sim.standins.installation import Replace
from sandbox.sim.standins.time_ import wall_ns

_datetime, _date = datetime.datetime, datetime.date
_EPOCH = _datetime(1970, 1, 1, tzinfo=datetime.UTC)
_real: dict[tuple[type, str], Any] = {
    (kind, name): kind.__dict__[name]
    for kind, names in (
        (_datetime, ("now", "utcnow", "fromtimestamp", "timestamp", "astimezone")),
        (_date, ("today", "fromtimestamp")),
    )
    for name in names
}


def _bound(kind: type, name: str, cls: type) -> Callable[..., Any]:
    """The original class method, called on `cls`."""
    method: Callable[..., Any] = _real[kind, name].__get__(None, cls)
    return method


def _moment() -> datetime.datetime | None:
    """Now in UTC, or None outside a world."""
    now_ns = wall_ns()
    if now_ns is None:
        return None
    return _EPOCH + datetime.timedelta(microseconds=now_ns // 1000)


def _as(cls: type, moment: datetime.datetime) -> Any:
    """`moment` as an object of a learner's subclass."""
    if cls is _datetime:
        return moment
    return cls(
        moment.year,
        moment.month,
        moment.day,
        moment.hour,
        moment.minute,
        moment.second,
        moment.microsecond,
        moment.tzinfo,
        fold=moment.fold,
    )


def now(cls: type, tz: datetime.tzinfo | None = None) -> Any:
    """Return the time in the zone `tz`, or local time without one."""
    moment = _moment()
    if moment is None:
        return _bound(_datetime, "now", cls)(tz)
    return _as(cls, moment.replace(tzinfo=None) if tz is None else moment.astimezone(tz))


def utcnow(cls: type) -> Any:
    """Return the time in UTC, without a zone."""
    moment = _moment()
    if moment is None:
        return _bound(_datetime, "utcnow", cls)()
    return _as(cls, moment.replace(tzinfo=None))


def fromtimestamp(cls: Any, timestamp: float, tz: datetime.tzinfo | None = None) -> Any:
    """Return the time that is `timestamp` seconds after 1970 in UTC."""
    real = _bound(_datetime, "fromtimestamp", cls)
    if tz is not None or context.current() is None:
        return real(timestamp, tz)
    return real(timestamp, datetime.UTC).replace(tzinfo=None)


def timestamp(self: datetime.datetime) -> float:
    """Return seconds since 1970 in UTC."""
    if context.current() is not None and self.utcoffset() is None:
        self = self.replace(tzinfo=datetime.UTC)
    seconds: float = _real[_datetime, "timestamp"](self)
    return seconds


def astimezone(self: datetime.datetime, tz: datetime.tzinfo | None = None) -> Any:
    """Return the same moment in another zone, the local one by default."""
    if context.current() is not None:
        if self.utcoffset() is None:
            self = self.replace(tzinfo=datetime.UTC)
        tz = datetime.UTC if tz is None else tz
    return _real[_datetime, "astimezone"](self, tz)


def date_today(cls: Any) -> Any:
    """Return the date, local."""
    moment = _moment()
    if moment is None:
        return _bound(_date, "today", cls)()
    if issubclass(cls, _datetime):
        return _as(cls, moment.replace(tzinfo=None))
    return cls(moment.year, moment.month, moment.day)


def date_fromtimestamp(cls: Any, timestamp: float, /) -> Any:
    """Return the date of a moment, local."""
    if context.current() is None:
        return _bound(_date, "fromtimestamp", cls)(timestamp)
    moment = _bound(_datetime, "fromtimestamp", _datetime)(timestamp, datetime.UTC)
    return cls(moment.year, moment.month, moment.day)


def _exchange(kind: type, name: str, method: Any) -> None:
    """Put a method into a type that forbids it."""
    # `__dict__` is a read-only view of the dictionary that the interpreter looks in.
    (attributes,) = gc.get_referents(kind.__dict__)
    function = getattr(method, "__func__", method)
    function.__name__ = name
    function.__qualname__ = f"{kind.__qualname__}.{name}"
    function.__doc__ = getattr(kind, name).__doc__
    attributes[name] = method
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(kind))


def install(replace: Replace) -> None:
    """Put the stand-ins in place."""
    _exchange(_datetime, "now", classmethod(now))
    _exchange(_datetime, "utcnow", classmethod(utcnow))
    _exchange(_datetime, "fromtimestamp", classmethod(fromtimestamp))
    _exchange(_datetime, "timestamp", timestamp)
    _exchange(_datetime, "astimezone", astimezone)
    _exchange(_date, "today", classmethod(date_today))
    _exchange(_date, "fromtimestamp", classmethod(date_fromtimestamp))
