"""The same seed gives the same trace, byte for byte, wherever a world runs."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parent / "programs"
EVERYTHING = FOLDER / "everything.py"
ROOT = Path(__file__).parents[2]


def everything() -> Any:
    """The program as a module."""
    spec = importlib.util.spec_from_file_location("everything", EVERYTHING)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def in_another_interpreter(*arguments: str, **environment: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, str(EVERYTHING), *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_two_runs_in_one_interpreter_leave_the_same_trace():
    module = everything()
    keep = [object() for _ in range(12345)]
    one = list(module.run(11, pools=True).world.trace.lines())
    del keep
    other = list(module.run(11, pools=True).world.trace.lines())
    for number, (left, right) in enumerate(zip(one, other, strict=True)):
        assert left == right, f"line {number} of the two traces differs"
    assert len(one) > 500


def test_another_seed_leaves_another_trace():
    module = everything()
    one = module.run(11, pools=False).world
    other = module.run(12, pools=False).world
    assert list(one.trace.lines())[1:] != list(other.trace.lines())[1:]
    assert sorted(one.recorded("done")) == sorted(other.recorded("done"))


def test_hash_randomization_changes_nothing():
    answers = [
        in_another_interpreter("--pools", PYTHONHASHSEED=seed, TZ=zone)
        for seed, zone in (("0", "UTC"), ("1", "Asia/Tokyo"), ("4711", "America/Lima"))
    ]
    assert answers[0]["done"] == 30
    assert answers[1:] == answers[:1] * 2


@pytest.mark.xdist_group("pyodide")
def test_pyodide_leaves_the_same_trace():
    from sandbox.site.node import run_in_pyodide

    there = json.loads(run_in_pyodide(EVERYTHING.read_text(encoding="utf-8")))
    assert there == in_another_interpreter()
    assert there["done"] == 30
