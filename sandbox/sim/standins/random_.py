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
    uuid1 = uuid.uuid1

    def uuid1_in_world(node: int | None = None, clock_seq: int | None = None) -> uuid.UUID:
        process = context.current()
        if process is not None:
            drawn = int.from_bytes(process.syscalls.random_bytes(8), "big")
            node = (drawn & 0xFFFFFFFFFFFF) | 0x010000000000 if node is None else node
            clock_seq = (drawn >> 48) & 0x3FFF if clock_seq is None else clock_seq
        return uuid1(node, clock_seq)

    replace(uuid, "uuid1", uuid1_in_world)
