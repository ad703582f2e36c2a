"""Trace events as checks get them: plain dicts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sandbox.sim.trace import Event, Trace


def as_dict(event: Event) -> dict[str, Any]:
    """An event's fields, with its number, its time and whose it is."""
    return {"id": event.id, "t_s": event.t_s, "process": event.process, **event.fields}


def events_of(trace: Trace, kind: str, processes: Collection[str]) -> list[Mapping[str, Any]]:
    """The events of a kind that happened to these, oldest first."""
    return [as_dict(event) for event in trace.of_kind(kind) if event.process in processes]
