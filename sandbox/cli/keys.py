"""Keys as they are pressed, without Enter, on every system.

Nothing is read ahead: between two keys, `None` says that a moment has passed. Without a terminal
on standard input, lines' letters count as keys and the end of input ends the session.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

#: How long to wait for a key before saying that none came.
PACE_S = 0.2


@contextmanager
def keys() -> Iterator[Iterator[str | None]]:
    """Keys while the block runs; the terminal is as it was afterwards."""
    if not sys.stdin.isatty():
        yield _from_pipe()
    elif sys.platform == "win32":
        yield _on_windows()
    else:
        import termios
        import tty

        descriptor = sys.stdin.fileno()
        before = termios.tcgetattr(descriptor)
        tty.setcbreak(descriptor)
        try:
            yield _from_terminal(descriptor)
        finally:
            termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def _from_terminal(descriptor: int) -> Iterator[str | None]:
    import os
    import select

    while True:
        ready, _, _ = select.select([descriptor], [], [], PACE_S)
        if not ready:
            yield None
            continue
        data = os.read(descriptor, 1)
        if not data:
            return
        yield data.decode(errors="replace")


def _on_windows() -> Iterator[str | None]:
    import msvcrt

    while True:
        pressed = msvcrt.kbhit()  # type: ignore[attr-defined,unused-ignore]
        if pressed:
            yield msvcrt.getwch()  # type: ignore[attr-defined,unused-ignore]
        else:
            time.sleep(PACE_S)
            yield None


def _from_pipe() -> Iterator[str | None]:
    """Letters as they arrive on a pipe; a reader thread, so that looking never stops."""
    import queue
    import threading

    arrived: queue.Queue[str] = queue.Queue()

    def read() -> None:
        for letter in iter(lambda: sys.stdin.read(1), ""):
            arrived.put(letter)
        arrived.put("")

    threading.Thread(target=read, daemon=True).start()
    while True:
        try:
            letter = arrived.get(timeout=PACE_S)
        except queue.Empty:
            yield None
            continue
        if not letter:
            return
        yield letter
