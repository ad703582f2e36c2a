"""What `sandbox up` shows: a status that fits one screen, or plain lines where nobody watches.

On a terminal, one table is drawn again twice a second: what there is to connect to, who is
connected, what the brokers hold and how much moves; below it the last things that happened.
Anywhere else each of those is a line of its own, so that a log file can be read and searched.

To show more of a broker, see `sandbox.embedded.figures`.
"""

from __future__ import annotations

import os
import sys
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from rich.console import RenderableType

    from sandbox.embedded.engine import Engine
    from sandbox.embedded.figures import Figures
    from sandbox.embedded.options import Options

#: How many of the last things that happened are on the screen.
LINES = 10


class Display(Protocol):
    """Tells the person at the terminal what the server does."""

    #: How often `look` is worth calling.
    every_s: float

    def log(self, service: str, text: str) -> None:
        """Something happened; service "" is the server itself."""
        ...

    def begin(self, engine: Engine) -> None:
        """Clients are served from now on."""
        ...

    def look(self, engine: Engine) -> None:
        """Take the figures of this moment."""
        ...

    def end(self) -> None:
        """The server has stopped. Idempotent."""
        ...


def display_for(options: Options) -> Display:
    """The one that suits where standard output goes."""
    drawable = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
    return Screen(options) if drawable else Lines(options)


def notes(engine: Engine) -> list[str]:
    """What else the person should know at the start."""
    options = engine.options
    told = []
    if options.data is not None:
        told.append(f"Durable things are kept in {options.data}.")
    if engine.forgetful:
        told.append(f"Not kept over restarts: {', '.join(engine.forgetful)}.")
    if options.trace is not None:
        told.append(f"Every event is written to {options.trace}.")
    if options.users is None and options.host not in ("127.0.0.1", "::1", "localhost"):
        told.append("Anybody who can reach this machine can use the brokers (--users FILE).")
    return told


class Lines:
    """Plain lines."""

    every_s = 3600.0

    def __init__(self, options: Options) -> None:
        self._began_s = time.monotonic()

    def log(self, service: str, text: str) -> None:
        """One line, or as many as the text has."""
        head = f"{time.strftime('%H:%M:%S')} {service:<9} " if service else "sandbox: "
        _print(head + text)

    def begin(self, engine: Engine) -> None:
        """Where to connect to."""
        for purpose, address in _addresses(engine).items():
            _print(f"{purpose:<10} {address}")
        for note in notes(engine):
            _print(note)
        _print(f"Ready after {time.monotonic() - self._began_s:.1f} s; Ctrl-C stops.")

    def look(self, engine: Engine) -> None:
        """Nothing: a file needs no status."""

    def end(self) -> None:
        """Say that it is over."""
        _print("Stopped.")


class Screen:
    """A table that is drawn again and again."""

    every_s = 0.5

    def __init__(self, options: Options) -> None:
        from rich.console import Console
        from rich.live import Live

        self._lines: deque[tuple[str, str, str]] = deque(maxlen=LINES)
        self._figures: list[Figures] = []
        self._before: list[Figures] = []
        self._between_s = self.every_s
        self._looked_s = self._began_s = time.monotonic()
        self._addresses: dict[str, str] = {}
        self._notes: list[str] = []
        self._live = Live(
            console=Console(file=sys.stdout, highlight=False),
            get_renderable=self._draw,
            refresh_per_second=1 / self.every_s,
        )
        self._shown = False

    def log(self, service: str, text: str) -> None:
        """A line below the table; tracebacks go above it, whole."""
        if "\n" in text:
            self._live.console.print(f"{service}: {text}", style="red")
            text = text.splitlines()[0]
        self._lines.append((time.strftime("%H:%M:%S"), service, text))

    def begin(self, engine: Engine) -> None:
        """Draw the first time."""
        self._addresses = _addresses(engine)
        self._notes = notes(engine)
        self.look(engine)
        self._live.start()
        self._shown = True

    def look(self, engine: Engine) -> None:
        """Take new figures; the last ones make a rate of them."""
        from sandbox.embedded.figures import look

        now_s = time.monotonic()
        self._before, self._figures = self._figures, look(engine)
        self._between_s = max(1e-3, now_s - self._looked_s)
        self._looked_s = now_s

    def end(self) -> None:
        """Leave the last picture, and the cursor visible."""
        if self._shown:
            self._shown = False
            self._live.stop()

    def _draw(self) -> RenderableType:
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        table.add_column("", style="bold", no_wrap=True)
        table.add_column("connect to", style="cyan", no_wrap=True)
        table.add_column("clients", justify="right")
        table.add_column("holds", ratio=1)
        table.add_column("a second", justify="right", no_wrap=True)
        table.add_column("in", justify="right", no_wrap=True)
        table.add_column("out", justify="right", no_wrap=True)
        before = {figures.name: figures for figures in self._before}
        for figures in self._figures:
            self._add_row(table, figures, before.get(figures.name, figures))
        up_s = int(time.monotonic() - self._began_s)
        clock = f"{up_s // 3600}:{up_s // 60 % 60:02}:{up_s % 60:02}"
        foot = [Text(note, style="yellow") for note in self._notes]
        happened = [
            Text.assemble((f"{at} ", "dim"), f"{service:<9} {text}")
            for at, service, text in list(self._lines)
        ]
        return Group(
            Text.assemble(("sandbox", "bold"), f"  up {clock}", ("   Ctrl-C stops", "dim")),
            Text(""),
            table,
            *foot,
            Text(""),
            *happened,
        )

    def _add_row(self, table: Any, figures: Figures, before: Figures) -> None:
        def rate(now: int, then: int) -> float:
            return max(0, now - then) / self._between_s

        holds = ", ".join(f"{number:,} {word}" for word, number in figures.holdings)
        first, *others = figures.ports
        table.add_row(
            figures.title,
            self._addresses[first],
            f"{figures.connections:,}",
            holds,
            f"{rate(figures.messages, before.messages):,.0f}",
            _size(rate(figures.received_bytes, before.received_bytes)),
            _size(rate(figures.sent_bytes, before.sent_bytes)),
        )
        for other in others:
            table.add_row("", self._addresses[other], "", "", "", "", "")


def _addresses(engine: Engine) -> dict[str, str]:
    from sandbox.embedded.engine import addresses

    return addresses(engine.options, engine.ports)


def _size(size_bytes: float) -> str:
    for unit in ("B", "kB", "MB"):
        if size_bytes < 1000:
            return f"{size_bytes:.0f} {unit}"
        size_bytes /= 1000
    return f"{size_bytes:.1f} GB"


def _print(text: str) -> None:
    """Print, if anybody is left to read it: `sandbox up | head` goes on serving."""
    try:
        print(text, flush=True)
    except OSError:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  (until the end)
