"""Stand-ins for classes: a name that makes what fits the place.

`socket.socket(...)` makes a socket of the world inside a fiber and a real one elsewhere, while
`isinstance`, subclassing and annotations such as `socket.socket | None` go on as before.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.sim.standins import context
from sandbox.sim.standins.installation import is_importing


class _Standing(type):
    """The metaclass of what `standing_for` makes."""

    #: What is made outside, what is made inside, the types of both.
    _outside: Callable[..., Any]
    _inside: Callable[..., Any]
    _types: tuple[type, ...]

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if "_types" not in cls.__dict__:  # a subclass
            return super().__call__(*args, **kwargs)
        if context.current() is None and not (cls._importable and is_importing()):
            return cls._outside(*args, **kwargs)
        return cls._inside(*args, **kwargs)

    _importable = False

    def __instancecheck__(cls, instance: Any) -> bool:
        if "_types" in cls.__dict__:
            return _inherits(type(instance), cls._types)
        return super().__instancecheck__(instance)

    def __subclasscheck__(cls, subclass: type) -> bool:
        if "_types" in cls.__dict__:
            return _inherits(subclass, (cls, *cls._types))
        return super().__subclasscheck__(subclass)


def standing_for(
    real: Any,
    inside: Callable[..., Any],
    *types: type,
    name: str = "",
    base: type | None = None,
    importable: bool = False,
) -> Any:
    """A class that makes `real` objects outside a world and `inside` ones inside.

    `types` are those of what `inside` makes; `base` is what subclasses inherit from, by default
    `real`; `name` is for a `real` that is a function. With `importable`, libraries imported for
    use in worlds get inside ones as well.
    """
    parent: type = real if base is None else base
    known: tuple[type, ...] = (real,) if isinstance(real, type) else (type(real()),)
    if parent in types and parent is not real:
        known = (*known, parent)
    meta: Any = type("Standing", (_Standing, type(parent)), {}) if _differs(parent) else _Standing
    return meta(
        name or real.__name__,
        (parent,),
        {
            "__slots__": (),
            "__doc__": real.__doc__,
            "__module__": real.__module__,
            "__qualname__": name or real.__qualname__,
            "_outside": staticmethod(real),
            "_inside": staticmethod(inside),
            "_types": (*known, *types),
            "_importable": importable,
        },
    )


def _inherits(subclass: type, types: tuple[type, ...]) -> bool:
    # Not `issubclass`: an abstract base class would ask its subclasses, of which we are one.
    return any(kind in types for kind in subclass.__mro__)


def _differs(parent: type) -> bool:
    return not issubclass(_Standing, type(parent))
