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
        head = {"id": self.id, "t_ns": self.t_ns, "process": self.process, "kind": self.kind}
        try:
            return _dumps(head | dict(self.fields))
        except TypeError:  # JSON's objects have text for keys; Redis's maps may have bytes
            return _dumps(head | _with_text_keys(self.fields))


def header(seed: int | None) -> str:
    """The first line of a trace, without the line feed."""
    return json.dumps({"schema": SCHEMA, "version": VERSION, "seed": seed}, separators=(",", ":"))


def _dumps(value: Any) -> str:
    return json.dumps(value, default=_plain, ensure_ascii=True, separators=(",", ":"))


def _with_text_keys(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            key.decode("utf-8", "backslashreplace") if isinstance(key, bytes) else key: (
                _with_text_keys(item)
            )
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [_with_text_keys(item) for item in value]
    return value


def _plain(value: Any) -> Any:
    """What JSON lacks: bytes as base64, everything else by its text."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"b64": base64.b64encode(value).decode("ascii")}
    return str(value)
