"""The clock and the dice that fakeredis reads, lent to it by whichever broker is acting.

fakeredis asks the modules `time` and `random` where it needs them. Its modules are given stand-ins
of those two here: while a broker acts (`lend`), they answer with the broker's own time and chance;
at all other times they pass everything on, so that fakeredis used for itself is what it always was.

A place in fakeredis that reads a clock or draws a number and is not in `_TIME` or `_RANDOM` would
break "same seed, same bytes"; `tests/brokers/redis/test_borrowed.py` looks for such places.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from random import Random

#: The modules of fakeredis that use `time`, and those that use `random`.
TIME_READERS: Final = (
    "_helpers",
    "_core._server",
    "_socket._base",
    "commands_mixins.connection_mixin",
    "commands_mixins.server_mixin",
    "model._client_info",
    "model._stream",
)
DICE_ROLLERS: Final = (
    "_core._database",
    "commands_mixins.hash_mixin",
    "commands_mixins.sortedset_mixin",
    "model._expiring_members_set",
)


class Lent:
    """What the acting broker lends; empty while none acts."""

    now_s: float | None = None
    now_ns: int = 0
    now_ms: int = 0
    random: Random | None = None


LENT: Final = Lent()


class _Clock:
    """`time`, as the acting broker has it."""

    def __init__(self, real: ModuleType) -> None:
        self._real = real

    def time(self) -> float:
        return self._real.time() if LENT.now_s is None else LENT.now_s

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


class _Dice:
    """`random`, as the acting broker throws it."""

    def __init__(self, real: ModuleType) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real if LENT.random is None else LENT.random, name)


def _install() -> None:
    for attribute, stand_in, names in (
        ("time", _Clock, TIME_READERS),
        ("random", _Dice, DICE_ROLLERS),
    ):
        for name in names:
            module = import_module(f"fakeredis.{name}")
            real = getattr(module, attribute)
            if isinstance(real, ModuleType):
                setattr(module, attribute, stand_in(real))


_install()


@contextmanager
def lend(now_ns: int, random: Random) -> Iterator[None]:
    """Let fakeredis see this time (of the wall, in nanoseconds) and this chance for a while.

    Redis counts in milliseconds, so what it sees is cut off to those.
    """
    before = (LENT.now_s, LENT.now_ns, LENT.now_ms, LENT.random)
    # A quarter of a millisecond more, so that times 1000 is never a hair below what it should be.
    LENT.now_s = (now_ns // 1_000_000 + 0.25) / 1000
    LENT.now_ns, LENT.now_ms, LENT.random = now_ns, now_ns // 1_000_000, random
    try:
        yield
    finally:
        LENT.now_s, LENT.now_ns, LENT.now_ms, LENT.random = before
