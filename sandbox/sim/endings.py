"""How a run can end, and the sentence a person reads about it.

Five endings that are about the programs, and two that are about how they were run ("until" is the
normal return of a run that was asked for a stretch of time, "interrupted" is Ctrl-C).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "finished",
    "idle",
    "deadlock",
    "virtual-time",
    "steps",
    "real-time",
    "until",
    "interrupted",
]


@dataclass(frozen=True)
class Ending:
    """Why a run stopped.

    `at_s` is the time of the last thing that happened, in virtual seconds. `waiting` names the
    processes that were still waiting.
    """

    kind: Kind
    at_s: float
    sentence: str
    waiting: tuple[str, ...] = ()


def listed(names: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(names) < 2:
        return "".join(names)
    return ", ".join(names[:-1]) + " and " + names[-1]


def finished(at_s: float) -> Ending:
    """Every process ended by itself."""
    return Ending("finished", at_s, f"every program has ended (t = {at_s:.3f} s)")


def idle(at_s: float, waiting: list[str]) -> Ending:
    """All that could happen has happened; somebody outside could still send more."""
    verb = "waits" if len(waiting) == 1 else "wait"
    who = f"; {listed(waiting)} {verb} for more" if waiting else ""
    return Ending("idle", at_s, f"everything is handled{who} (t = {at_s:.3f} s)", tuple(waiting))


def deadlock(at_s: float, stuck: list[tuple[str, str, str]]) -> Ending:
    """Nothing can ever wake these: (process, what it waits for, where)."""
    parts = [
        f"`{name}` waits for {what}" + (f" ({where})" if where else "")
        for name, what, where in stuck
    ]
    return Ending(
        "deadlock",
        at_s,
        f"Nothing can ever wake this program: {listed(parts)}, and nobody is left who could end "
        f"the wait (world stopped at t = {at_s:.3f} s).",
        tuple(name for name, _, _ in stuck),
    )


def virtual_time(at_s: float, limit_s: float) -> Ending:
    """The programs went on past the limit of the world's clock."""
    return Ending(
        "virtual-time",
        at_s,
        f"Stopped at t = {at_s:.3f} s on the world's clock, the limit of this run "
        f"({limit_s:g} s): the programs were still at work.",
    )


def steps(at_s: float, limit: int, name: str, where: str) -> Ending:
    """The programs made more system calls than allowed."""
    at = f" around {where}" if where else ""
    return Ending(
        "steps",
        at_s,
        f"Stopped after {limit:,} system calls (t = {at_s:.3f} s): `{name}` keeps asking without "
        f"getting anywhere. A loop{at} that never waits?",
    )


def real_time(at_s: float, limit_s: float, name: str, where: str) -> Ending:
    """Real time ran out: a program computes without ever waiting."""
    at = f" An endless loop at {where}?" if where else f" An endless loop in `{name}`?"
    return Ending(
        "real-time",
        at_s,
        f"Stopped after {limit_s:g} s of real time: the program was still running without ever "
        f"waiting.{at}",
    )


def too_long(at_s: float, limit_s: float, name: str, where: str) -> Ending:
    """Real time ran out: the programs do wait now and then, but never come to an end."""
    at = f" at {where}" if where else ""
    return Ending(
        "real-time",
        at_s,
        f"Stopped after {limit_s:g} s of real time (t = {at_s:.3f} s): `{name}` was still at "
        f"work{at}. A loop that asks again and again without waiting?",
    )


def until(at_s: float) -> Ending:
    """The stretch of time that was asked for is over."""
    return Ending("until", at_s, f"stopped at t = {at_s:.3f} s as asked")


def interrupted(at_s: float) -> Ending:
    """A person stopped it."""
    return Ending("interrupted", at_s, f"stopped by you at t = {at_s:.3f} s")
