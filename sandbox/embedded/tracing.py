"""`--trace FILE`: what the brokers report, as lines of JSON, while it happens.

The schema is that of a world's trace (`sandbox.sim.trace` has the table), so the same tools read
both. Times count from the start of the server. What a client or a broker sends is a `net.send`
whose `process` is the client's address or the broker's name; `cause` in a broker's event is the id
of the one that brought the bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from sandbox.brokers.base import Observer
from sandbox.embedded.errors import EmbeddedError
from sandbox.events import Event, header


class TraceFile:
    """A trace that is written as it grows.

    Raises:
        EmbeddedError: the file cannot be made.
    """

    def __init__(self, path: Path, seed: int | None, log: Callable[[str], None]) -> None:
        self.path = path
        self._log = log
        self._last = 0
        self._began_ns = 0
        self._now_ns: Callable[[], int] = lambda: 0
        try:
            self._file = path.open("w", encoding="ascii")
        except OSError as error:
            raise EmbeddedError(
                f"The trace cannot be written to {path} ({error.strerror})."
            ) from error
        self._broken = False
        self._write(header(seed))

    def begin(self, now_ns: Callable[[], int]) -> None:
        """Count time from now on."""
        self._now_ns = now_ns
        self._began_ns = now_ns()

    def add(self, process: str, kind: str, fields: Mapping[str, Any]) -> int:
        """Write an event; return its id."""
        self._last += 1
        t_ns = self._now_ns() - self._began_ns
        self._write(Event(self._last, t_ns, process, kind, fields).to_json())
        return self._last

    def sent(self, process: str, connection: str, data: bytes) -> int:
        """Write that a client or a broker sent bytes; return the event's id."""
        return self.add(process, "net.send", {"connection": connection, "data": data, "where": ""})

    def observer(self, process: str, cause: Callable[[], int]) -> Observer:
        """What a broker reports to; `cause` tells which event brought the bytes in hand."""

        def observe(kind: str, fields: Mapping[str, Any]) -> None:
            self.add(process, kind, {"cause": cause(), **fields})

        return observe

    def flush(self) -> None:
        """Let others read what was written."""
        try:
            self._file.flush()
        except (OSError, ValueError) as error:
            self._stop(error)

    def close(self) -> None:
        """No more."""
        with suppress(OSError):
            self._file.close()

    def _write(self, line: str) -> None:
        if self._broken:
            return
        try:
            self._file.write(line + "\n")
        except (OSError, ValueError) as error:
            self._stop(error)

    def _stop(self, error: Exception) -> None:
        if not self._broken:
            self._broken = True
            why = getattr(error, "strerror", None) or error
            self._log(f"the trace in {self.path} ends here: it cannot be written ({why})")
