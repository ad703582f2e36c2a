"""Where programs and brokers run: the simulated world, or real processes and servers."""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.stack.base import Stack, StackUnavailable

#: What `--stack` takes.
NAMES = ("simulated", "embedded", "live")


def open_stack(name: str, *, seed: int, brokers: Sequence[str] = ("rabbitmq",)) -> Stack:
    """A fresh run on the stack of that name, with these brokers.

    Raises:
        StackUnavailable: there is no such stack, or it cannot be used here; says what to do.
    """
    if name == "simulated":
        from sandbox.stack.simulated import SimulatedStack

        return SimulatedStack(seed=seed, brokers=brokers)
    if name == "embedded":
        from sandbox.stack.embedded import EmbeddedStack

        return EmbeddedStack(seed, brokers=brokers)
    if name == "live":
        from sandbox.stack.live.stack import LiveStack

        return LiveStack(seed, brokers=brokers)
    raise StackUnavailable(f"There is no stack called {name!r}; choose {' or '.join(NAMES)}.")
