from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.needs_os
def test_a_consumer_takes_over_from_one_that_died_and_two_runs_are_equal() -> None:
    program = Path(__file__).with_name("program.py")
    root = program.parents[3]
    done = subprocess.run(
        [sys.executable, str(program)],
        cwd=root,
        env={"PYTHONPATH": str(root), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    early = [f"early-{n}" for n in range(4)]
    late = [f"late-{n}" for n in range(4)]
    assert report["result"] == ["idle", "idle", *early, *late]
    assert report["same"]
