"""An event of a trace, and how traces are written: shared by worlds and the embedded server.

The schema is described in `sandbox.sim.trace`, kind by kind. Written as JSON lines, the first line
names it: `{"schema": "sandbox-trace", "version": 1, "seed": 7}`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

SCHEMA = "sandbox-trace"
VERSION = 1


class Event(NamedTuple):
    """One thing that happened; see the table in `sandbox.sim.trace`."""

    id: int
    t_ns: int
    process: str
    kind: str
    fields: Mapping[str, Any]

    @property
    def t_s(self) -> float:
        """Seconds since the world, or the server, began."""
        return self.t_ns / 1e9

    def to_json(self) -> str:
        """One line of JSON, without the line feed."""
        return json.dumps(
            {"id": self.id, "t_ns": self.t_ns, "process": self.process, "kind": self.kind}
            | dict(self.fields),
            default=_plain,
            ensure_ascii=True,
            separators=(",", ":"),
        )


def header(seed: int | None) -> str:
    """The first line of a trace, without the line feed."""
    return json.dumps({"schema": SCHEMA, "version": VERSION, "seed": seed}, separators=(",", ":"))


def _plain(value: Any) -> Any:
    """What JSON lacks: bytes as base64, everything else by its text."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"b64": base64.b64encode(value).decode("ascii")}
    return str(value)
