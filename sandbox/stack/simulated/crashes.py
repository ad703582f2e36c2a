"""Which crash points of a run are worth a run of their own.

The world counts every moment at which a process asks it for something. Between many of those
nothing has happened that a crash could interrupt: a handshake goes back and forth, a socket is
looked at. Two crash points with nothing but such housekeeping between them leave the same world
behind, so one of them is enough; that makes trying all of them two or three times as fast.

To make something count as worth a crash, take it out of `HOUSEKEEPING`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from sandbox.sim.trace import Event

#: Kinds after which a crash is no other crash than before: nothing that outlives it has changed.
HOUSEKEEPING = frozenset(
    {
        "channel.close",
        "channel.open",
        "connection.close",
        "connection.open",
        "error",
        "fetch",  # Kafka hands out records and forgets that it did
        "net.close",
        "net.connect",
        "net.refuse",
        "output",
        "process.exit",
        "process.kill",
        "process.start",
        "thread.end",
        "thread.start",
    }
)


def distinct(
    times_ns: Sequence[int], events: Sequence[Event], brokers: set[str], *, in_flight: bool = True
) -> list[int]:
    """Positions of the crash points that leave a world of their own behind.

    Args:
        times_ns: When each crash point came, ascending.
        events: The trace of the run.
        brokers: Names of the world's brokers.
        in_flight: Whether anything was still on its way when the run ended.
    """
    effects = _effects_ns(events, brokers, in_flight)
    kept: list[int] = []
    for position, time_ns in enumerate(times_ns):
        if position == 0 or _any_between(effects, times_ns[position - 1], time_ns):
            kept.append(position)
    return kept


def _any_between(effects_ns: Sequence[int], begin_ns: int, end_ns: int) -> bool:
    """Whether an effect lies at or after `begin_ns` and before `end_ns`.

    What a process does at a crash point has that point's own time, so it counts as after it.
    """
    return bisect_left(effects_ns, begin_ns) < bisect_left(effects_ns, end_ns)


def _effects_ns(events: Sequence[Event], brokers: set[str], in_flight: bool) -> list[int]:
    """When something happened that outlives a crash, ascending.

    Bytes on their way to a broker count if the broker made something of them, also when it has not
    yet: they arrive although their sender is dead. Those still on their way when the run ended
    count too, since nobody knows what it would have made of them. So do bytes between processes.
    """
    caused = {
        event.fields.get("cause", 0) for event in events if event.kind not in HOUSEKEEPING
    } - {0}
    last_taken = max(caused, default=0) if in_flight else len(events)
    to_broker = {
        event.fields["connection"]
        for event in events
        if event.kind == "net.connect" and event.fields["to"] in brokers
    }
    return [
        event.t_ns
        for event in events
        if (
            event.id in caused
            or event.id > last_taken
            or event.fields["connection"] not in to_broker
            if event.kind == "net.send"
            else event.kind not in HOUSEKEEPING
        )
    ]
