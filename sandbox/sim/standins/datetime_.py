"""Stand-in for `datetime`: `now`, `utcnow` and `today` on the world's wall clock.

The types cannot be patched, so `datetime.datetime` and `datetime.date` become subclasses that only
ever make objects of the real types: every value is a real one, `isinstance` answers as before.
"""

from __future__ import annotations

import datetime
from typing import Any

from sandbox.sim.standins.installation import Replace
from sandbox.sim.standins.time_ import wall_ns

_datetime, _date = datetime.datetime, datetime.date
_EPOCH = _datetime(1970, 1, 1, tzinfo=datetime.UTC)


class _Stands(type):
    """Answers `isinstance` and `issubclass` for the type that a class stands in for."""

    _for: type

    def __instancecheck__(cls, instance: Any) -> bool:
        if "_for" in cls.__dict__:
            return isinstance(instance, cls._for)
        return super().__instancecheck__(instance)

    def __subclasscheck__(cls, subclass: type) -> bool:
        if "_for" in cls.__dict__:
            return issubclass(subclass, cls._for)
        return super().__subclasscheck__(subclass)


def _now(zone: datetime.tzinfo | None) -> datetime.datetime | None:
    now_ns = wall_ns()
    if now_ns is None:
        return None
    moment = _EPOCH + datetime.timedelta(microseconds=now_ns // 1000)
    return moment.astimezone(zone) if zone is not None else moment.astimezone().replace(tzinfo=None)


class _Datetime(datetime.datetime, metaclass=_Stands):
    """`datetime.datetime` with the world's clock."""

    _for = _datetime

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        if cls is _Datetime:
            return _datetime.__new__(_datetime, *args, **kwargs)
        return _datetime.__new__(cls, *args, **kwargs)

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> Any:
        moment = _now(tz)
        if moment is None:
            return _real(cls).now(tz)
        return _as(cls, moment)

    @classmethod
    def utcnow(cls) -> Any:
        moment = _now(datetime.UTC)
        if moment is None:
            return _real(cls).utcnow()
        return _as(cls, moment.replace(tzinfo=None))

    @classmethod
    def today(cls) -> Any:
        moment = _now(None)
        return _real(cls).today() if moment is None else _as(cls, moment)


class _Date(datetime.date, metaclass=_Stands):
    """`datetime.date` with the world's clock."""

    _for = _date

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        if cls is _Date:
            return _date.__new__(_date, *args, **kwargs)
        return _date.__new__(cls, *args, **kwargs)

    @classmethod
    def today(cls) -> Any:
        moment = _now(None)
        if moment is None:
            return _date.today() if cls is _Date else super().today()
        return (_date if cls is _Date else cls)(moment.year, moment.month, moment.day)


def _real(cls: type) -> Any:
    return _datetime if cls is _Datetime else super(_Datetime, cls)


def _as(cls: Any, moment: datetime.datetime) -> Any:
    """`moment` as an object of a subclass, which inherits these class methods."""
    if cls is _Datetime:
        return moment
    return cls.combine(moment.date(), moment.timetz())


def _constructors(stand_in: type, real: type, names: tuple[str, ...]) -> None:
    """Alternative constructors make real objects unless called on a learner's subclass."""
    for name in names:
        if not hasattr(real, name):
            continue

        def construct(cls: type, /, *args: Any, _name: str = name, **kwargs: Any) -> Any:
            if cls is stand_in:
                return getattr(real, _name)(*args, **kwargs)
            return getattr(super(stand_in, cls), _name)(*args, **kwargs)

        setattr(stand_in, name, classmethod(construct))


_constructors(
    _Datetime,
    _datetime,
    ("fromtimestamp", "utcfromtimestamp", "fromisoformat", "strptime", "combine", "fromordinal",
     "fromisocalendar"),
)  # fmt: skip
_constructors(
    _Date, _date, ("fromtimestamp", "fromisoformat", "fromordinal", "fromisocalendar", "strptime")
)


def install(replace: Replace) -> None:
    """Put the stand-ins in place."""
    for stand_in, real in ((_Datetime, _datetime), (_Date, _date)):
        stand_in.__name__ = real.__name__
        stand_in.__qualname__ = real.__qualname__
        stand_in.__module__ = "datetime"
        replace(datetime, real.__name__, stand_in)
