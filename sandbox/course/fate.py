"""What became of a message, as a clause for a check's failure message.

A check that says "order-3 was never shipped" should also say where order-3 went: who acknowledged
it, when, and on which line. That is read from the trace, so it is "" on a stack without one.

To tell of another end that a message can meet, add it to `_settled` or to `_unsettled`.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

#: Reads trace events of a kind; raises NotImplementedError where there is no trace.
Events = Callable[[str], list[Mapping[str, Any]]]


def fate(events: Events, file: Path, queue: str, body: bytes) -> str:
    """Say what became of the message with this body, or "" if nobody can know.

    Args:
        events: The stack's trace.
        file: The exercise, whose lines are quoted.
        queue: The queue it was published to.
        body: Of several messages with this body, the last one counts.
    """
    try:
        numbers = [
            event["message"]
            for event in events("basic.publish")
            if queue in event["queues"] and event["body"] == body
        ]
        if not numbers:
            return f"it was never published to `{queue}`"
        return _settled(events, file, numbers[-1]) or _unsettled(events, numbers[-1])
    except NotImplementedError:
        return ""


def _settled(events: Events, file: Path, number: int) -> str:
    """The end of a message that has met one."""
    for event in events("basic.ack"):
        if number in event["messages"]:
            covered = ""
            if event["multiple"]:
                covered = (
                    f", with everything up to delivery tag {event['tags'][-1]} (multiple=True)"
                )
            return f"{_who(event)} acknowledged it{_at(event)}{covered}{_line(events, file, event)}"
    for kind in ("basic.reject", "basic.nack"):
        for event in events(kind):
            if number in event["messages"] and not event["requeue"]:
                return (
                    f"{_who(event)} refused it{_at(event)} with requeue=False, which throws it "
                    f"away{_line(events, file, event)}"
                )
    for event in [*events("basic.deliver"), *events("basic.get")]:
        if event["message"] == number and event["no_ack"]:
            consume = next(
                (
                    each
                    for each in events("consumer.add")
                    if each["consumer_tag"] == event.get("consumer_tag")
                    and each["connection"] == event["connection"]
                ),
                event,
            )
            return (
                f"RabbitMQ forgot it{_at(event)}, the moment it handed it to {_who(event)}, whose "
                f"deliveries need no acknowledgement{_line(events, file, consume)}"
            )
    return ""


def _unsettled(events: Events, number: int) -> str:
    """Where a message is that has not met its end."""
    moves = [
        *(
            (event["id"], "requeue", event)
            for event in events("requeue")
            if number in event["messages"]
        ),
        *(
            (event["id"], kind, event)
            for kind in ("basic.deliver", "basic.get")
            for event in events(kind)
            if event["message"] == number
        ),
    ]
    if not moves:
        return "no worker was ever given it"
    _, kind, last = max(moves)
    if kind == "requeue":
        return f"it went back to the queue{_at(last)} and waits there"
    return f"{_who(last)} has held it, unacknowledged, since t = {last['t_s']:.3f} s"


def _who(event: Mapping[str, Any]) -> str:
    return f"`{event['connection'].partition(':')[0]}`"


def _at(event: Mapping[str, Any]) -> str:
    return f" at t = {event['t_s']:.3f} s"


def _line(events: Events, file: Path, event: Mapping[str, Any]) -> str:
    """The learner's line that brought an event about, on a line of its own."""
    where = next((sent["where"] for sent in events("net.send") if sent["id"] == event["cause"]), "")
    name, _, number = where.rpartition(":")
    if name != file.name:
        return ""
    linecache.checkcache(str(file))
    return f"\n  {where}  {linecache.getline(str(file), int(number)).strip()}"
