"""What programs import from `sandbox`: what they report, and the processes they start."""

from __future__ import annotations

import pytest

import sandbox
from sandbox.course.cells import Session


def test_a_started_process_that_breaks_says_so_with_its_own_lines() -> None:
    session = Session()
    source = """
import time
from sandbox import start

def worker():
    time.sleep(1)
    raise ValueError("no such order")

start(worker)
time.sleep(2)
print("still here")
"""

    shown = session.run(1, source).shown

    assert shown.splitlines()[0] == "`worker` has ended: ValueError: no such order"
    assert 'raise ValueError("no such order")' in shown
    assert shown.endswith("still here\n")
    session.close()


def test_a_killed_process_dies_without_a_word() -> None:
    session = Session()
    source = """
import time
from sandbox import start

def worker():
    time.sleep(10)

start(worker).kill()
time.sleep(20)
"""

    assert session.run(1, source).shown == ""
    session.close()


def test_a_process_is_started_in_a_world_only() -> None:
    with pytest.raises(RuntimeError, match="inside the simulated world only"):
        sandbox.start(print)
