"""Unmodified clients in a world of three brokers, of which the leader dies."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


def play(library: str, acks: str) -> dict[str, Any]:
    program = Path(__file__).with_name("cluster_program.py")
    root = program.parents[3]
    done = subprocess.run(
        [sys.executable, str(program), library, acks],
        cwd=root,
        env={"PYTHONPATH": str(root), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


@pytest.mark.needs_os
@pytest.mark.parametrize("library", ["kafka-python", "aiokafka"])
def test_with_acks_all_nothing_that_was_acknowledged_is_lost(library: str) -> None:
    report = play(library, "all")
    everything = [str(n) for n in range(40)]
    assert report["sent"] == everything
    assert set(report["received"]) == set(everything)
    assert report["ending"] == "idle"
    assert len(report["leaders"]) == 1


@pytest.mark.needs_os
@pytest.mark.parametrize("library", ["kafka-python", "aiokafka"])
def test_with_acks_1_what_the_dead_leader_alone_had_is_lost(library: str) -> None:
    report = play(library, "1")
    everything = [str(n) for n in range(40)]
    assert report["sent"] == everything
    lost = set(everything) - set(report["received"])
    # The last one that the old leader acknowledged, and nothing else.
    assert lost == {"9"}
