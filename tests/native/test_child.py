"""A process of ours ends with all it started, is known again later, and is never mistaken."""

from __future__ import annotations

import sys
from pathlib import Path

import psutil
import pytest

from sandbox.native.child import Child, spawn, tail

pytestmark = pytest.mark.needs_os

_SLEEPER = "import time; time.sleep(600)"
_PARENT = f"""
import subprocess, sys
print(subprocess.Popen([sys.executable, "-c", {_SLEEPER!r}]).pid, flush=True)
import time; time.sleep(600)
"""
_STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(600)
"""
_ORDERLY = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: (print("saved", flush=True), sys.exit(0)))
print("ready", flush=True)
time.sleep(600)
"""


def _said(log: Path, word: str = "") -> str:
    """What is in a log once it holds the word: its writer waits for nothing."""
    while not (text := log.read_text()).endswith("\n") or word not in text:
        psutil.wait_procs([], timeout=0)
    return text


def test_ending_a_process_ends_what_it_started(tmp_path: Path) -> None:
    child = spawn([sys.executable, "-c", _PARENT], tmp_path / "log")
    grandchild = psutil.Process(int(_said(tmp_path / "log")))
    assert child.alive
    assert child.memory_bytes > 1_000_000
    child.end()
    assert not child.alive
    assert not grandchild.is_running() or grandchild.status() == psutil.STATUS_ZOMBIE
    child.end()  # twice is no error


def test_a_process_that_does_not_want_to_end_is_killed(tmp_path: Path) -> None:
    child = spawn([sys.executable, "-c", _STUBBORN], tmp_path / "log")
    _said(tmp_path / "log", "ready")
    child.end(grace_s=0.2)
    assert not child.alive


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no way of asking")
def test_a_process_may_save_its_data_first(tmp_path: Path) -> None:
    child = spawn([sys.executable, "-c", _ORDERLY], tmp_path / "log")
    _said(tmp_path / "log", "ready")
    child.end(grace_s=60)
    assert "saved" in (tmp_path / "log").read_text()


def test_another_process_with_the_same_number_is_left_alone(tmp_path: Path) -> None:
    child = spawn([sys.executable, "-c", _SLEEPER], tmp_path / "log")
    try:
        older = Child(child.pid, child.born_s - 3600)
        assert not older.alive
        older.end()
        assert child.alive
    finally:
        child.end()


def test_the_end_of_a_log_has_no_colours_and_no_more_lines_than_wanted(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("".join(f"\x1b[31mline {n}\x1b[0m\n" for n in range(40)))
    assert tail(log, 2) == "line 38\nline 39"
    assert tail(tmp_path / "none") == ""
