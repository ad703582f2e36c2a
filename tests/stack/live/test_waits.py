"""A process tells of its sleeps and limited waits. Each case is a program of its own.

What is told is asked of `waits.report` in a fresh Python, as in an exercise's process: the module
changes the standard library for good, which no test may do to its neighbours.
"""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
BEFORE = """
import json, sys
from sandbox.stack.live import waits
told = []
waits.report(lambda kind, **fields: told.append([kind, round(fields.get("seconds", 0), 2)]))
"""


def told_by(program: str) -> list[Any]:
    """Run a program and return what it told, as [kind, seconds]."""
    script = BEFORE + textwrap.dedent(program) + "\nprint(json.dumps(told))"
    outcome = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    result: list[Any] = json.loads(outcome.stdout)
    return result


def test_sleeping() -> None:
    told = told_by("""
        import time
        from time import sleep
        time.sleep(0.03)
        sleep(0.04)
    """)
    assert told == [["sleep", 0.03], ["waking", 0.03], ["sleep", 0.04], ["waking", 0.04]]


def test_a_sleep_too_short_to_matter() -> None:
    assert told_by("import time; time.sleep(0.001); time.sleep(0)") == []


def test_sleeping_in_a_coroutine() -> None:
    told = told_by("""
        import asyncio
        async def main():
            await asyncio.sleep(0.03)
            await asyncio.sleep(0)
        asyncio.run(main())
    """)
    assert [kind for kind, _ in told if kind in ("sleep", "waking")] == ["sleep", "waking"]


def test_a_wait_that_runs_out() -> None:
    told = told_by("""
        import select, selectors, socket, threading, queue
        a, b = socket.socketpair()
        select.select([a], [], [], 0.03)
        selector = selectors.DefaultSelector()
        selector.register(a, selectors.EVENT_READ)
        selector.select(0.03)
        poll = select.poll()
        poll.register(a)
        poll.modify(a, select.POLLIN)
        poll.poll(30)
        threading.Event().wait(0.03)
        try:
            queue.Queue().get(timeout=0.03)
        except queue.Empty:
            pass
    """)
    assert told == [["wait", 0.03], ["lapsed", 0]] * 5


def test_a_wait_that_is_cut_short() -> None:
    told = told_by("""
        import select, selectors, socket, threading
        a, b = socket.socketpair()
        b.send(b"!")
        select.select([a], [], [], 3)
        with selectors.DefaultSelector() as selector:
            selector.register(a, selectors.EVENT_READ)
            assert selector.select(3)[0][0].fileobj is a
        event = threading.Event()
        threading.Timer(0.01, event.set).start()
        assert event.wait(3)
    """)
    kinds = [kind for kind, _ in told]
    assert kinds.count("woken") == 3, told
    assert ["wait", 3] in told


def test_waiting_without_a_limit_and_housekeeping_are_nobodys_business() -> None:
    told = told_by("""
        import select, socket
        a, b = socket.socketpair()
        b.send(b"!")
        select.select([a], [], [])
        select.select([a], [], [], 60)
        select.select([a], [], [], 0)
    """)
    assert told == []
