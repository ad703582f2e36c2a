"""Stand-in for chance: `random` and `uuid`, each process with a stream of its own."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from typing import Any

from sandbox.sim.standins import context
from sandbox.sim.standins.installation import Replace

#: Module functions of `random` that draw from its hidden generator.
FUNCTIONS = (
    "seed", "random", "uniform", "triangular", "randint", "choice", "randrange", "sample",
    "shuffle", "choices", "normalvariate", "lognormvariate", "expovariate", "vonmisesvariate",
    "gammavariate", "gauss", "betavariate", "binomialvariate", "paretovariate", "weibullvariate",
    "getstate", "setstate", "getrandbits", "randbytes",
)  # fmt: skip


def _function(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
    def draw(*args: Any, **kwargs: Any) -> Any:
        process = context.current()
        if process is None:
            return original(*args, **kwargs)
        return getattr(process.random(), name)(*args, **kwargs)

    draw.__name__ = name
    draw.__doc__ = original.__doc__
    return draw


#: The network card of every host of every world.
NODE = 0x02_00_5A_4D_42_01

#: What `uuid` remembers of the last identifier it made from the time.
_LAST = ("_last_timestamp", "_last_timestamp_v6", "_last_timestamp_v7", "_last_counter_v7")


def _of_time(original: Callable[..., uuid.UUID], noded: bool) -> Callable[..., uuid.UUID]:
    """Identifiers made of the time, which never repeat: each process remembers its own last."""

    def make(*args: Any, **kwargs: Any) -> uuid.UUID:
        process = context.current()
        if process is None:
            return original(*args, **kwargs)
        if noded and not args and not kwargs:
            # Else the operating system's generator would be asked.
            drawn = int.from_bytes(process.syscalls.random_bytes(2), "big")
            kwargs = {"node": NODE, "clock_seq": drawn & 0x3FFF}
        names = [name for name in _LAST if hasattr(uuid, name)]
        outside = {name: getattr(uuid, name) for name in names}
        inside = process.kept.setdefault("uuid", dict.fromkeys(names))
        if "_last_counter_v7" in inside and inside["_last_counter_v7"] is None:
            inside["_last_counter_v7"] = 0
        vars(uuid).update(inside)
        try:
            return original(*args, **kwargs)
        finally:
            inside.update({name: getattr(uuid, name) for name in names})
            vars(uuid).update(outside)

    make.__name__ = original.__name__
    make.__doc__ = original.__doc__
    return make


def install(replace: Replace) -> None:
    """Put the stand-ins in place."""
    for name in FUNCTIONS:
        if hasattr(random, name):
            replace(random, name, _function(name, getattr(random, name)))
    seed = random.Random.seed

    def seeded(self: random.Random, a: Any = None, version: int = 2) -> None:
        process = context.current()
        if a is None and process is not None:
            a = int.from_bytes(process.syscalls.random_bytes(16), "big")
        seed(self, a, version)

    random.Random.seed = seeded  # type: ignore[method-assign]
    for name in ("uuid1", "uuid6", "uuid7"):
        if hasattr(uuid, name):
            replace(uuid, name, _of_time(getattr(uuid, name), name != "uuid7"))
    getnode = uuid.getnode

    def getnode_in_world() -> int:
        return getnode() if context.current() is None else NODE

    replace(uuid, "getnode", getnode_in_world)
