"""The trace: everything that happened in a world, in order.

Checks, the page, tests and bug reports all read it. An event has

- `id`       its number, from 1;
- `t_ns`     virtual nanoseconds since the world began;
- `process`  the process it happened to ("" for the world itself, a broker's name for a broker);
- `kind`     one of the kinds below, or a broker's own (documented in that broker's README);
- `fields`   plain data.

| kind             | fields                                                                   |
|------------------|--------------------------------------------------------------------------|
| process.start    | pid, host                                                                |
| process.exit     | pid, status                                                              |
| process.kill     | pid, reason                                                              |
| thread.start     | ident, name                                                              |
| thread.end       | ident                                                                    |
| signal           | signum                                                                   |
| net.connect      | connection, address, port, to                                            |
| net.refuse       | address, port                                                            |
| net.send         | connection, data, where (the learner's own line, "file.py:12", or "")     |
| net.close        | connection, how ("close", "shutdown", "reset")                           |
| output           | stream (1 or 2), text                                                    |
| error            | report (JSON text: what ended a thread; `Syscalls.write`, no traceback)   |
| record           | name, value (JSON text), where                                           |
| fault            | what, and what it was done to                                            |
| broker kinds     | cause (the `id` of the net.send that brought the bytes, or 0), and more   |

Written as JSON lines, the first line names the schema: `{"schema": "sandbox-trace", "version": 1,
"seed": 7}`. Bytes are written as `{"b64": "..."}`. Two runs with one seed write the same bytes.

To add a kind, add it to the table; raise VERSION in `sandbox.events` when a reader of the old one
would be misled.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TextIO

from sandbox.events import SCHEMA, VERSION, Event, header

__all__ = ["SCHEMA", "VERSION", "Event", "Trace"]


#: Half as dear as `Event(...)`, and there are several for every message.
_make = tuple.__new__


class Trace:
    """An append-only list of events."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.events: list[Event] = []

    def add(self, t_ns: int, process: str, kind: str, fields: Mapping[str, Any]) -> int:
        """Append an event and return its id. `fields` must not change afterwards."""
        events = self.events
        number = len(events) + 1
        events.append(_make(Event, (number, t_ns, process, kind, fields)))
        return number

    def of_kind(self, *kinds: str) -> Iterator[Event]:
        """The events of these kinds, oldest first."""
        return (event for event in self.events if event.kind in kinds)

    def lines(self) -> Iterator[str]:
        """The trace as JSON lines, header first, without line feeds."""
        yield header(self.seed)
        for event in self.events:
            yield event.to_json()

    def write_jsonl(self, file: TextIO) -> None:
        """Write the trace, one JSON object a line."""
        for line in self.lines():
            file.write(line + "\n")
