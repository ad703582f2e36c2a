"""Objects of a world are hashed by the order they were made in, where libraries keep them in sets.

A set's order follows from hashes, and the hash of most objects from their address in memory. Thread
pools join the threads of a set, `as_completed` yields from one, asyncio cancels the tasks of one:
what happens first must come from the program and its seed.
"""

from __future__ import annotations

from typing import Any

from sandbox.sim.standins import context

#: Where an object keeps its number.
_NUMBER = "_number_in_world"


def number_objects(kind: Any) -> None:
    """Give a class of Python's own library such hashes, for objects that are made in a world."""
    make = kind.__new__

    def new(cls: type, *args: Any, **kwargs: Any) -> Any:
        made = make(cls)
        process = context.current()
        if process is not None:
            made.__dict__[_NUMBER] = process.count("object")
        return made

    def number(self: Any) -> int:
        found: int | None = self.__dict__.get(_NUMBER)
        return object.__hash__(self) if found is None else found

    kind.__new__ = new
    kind.__hash__ = number


def numbered(base: Any) -> Any:
    """A subclass with such hashes, of a class that is written in C."""

    def new(cls: type, *args: Any, **kwargs: Any) -> Any:
        made = base.__new__(cls, *args, **kwargs)
        process = context.current()
        setattr(made, _NUMBER, id(made) if process is None else process.count("object"))
        return made

    def number(self: Any) -> int:
        found: int = getattr(self, _NUMBER)
        return found

    return type(
        base.__name__,
        (base,),
        {
            "__slots__": (_NUMBER,),
            "__module__": base.__module__,
            "__doc__": base.__doc__,
            "__new__": new,
            "__hash__": number,
        },
    )
