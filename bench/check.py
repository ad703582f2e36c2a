"""CPU seconds of `sandbox check` on a lab's solutions, from cold; the limit is 1.5 s.

Each run is a process of its own. The median counts: other programs on the machine only ever add.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
RUNS = 5
LIMIT_S = 1.5


def cpu_seconds(command: list[str]) -> float:
    """CPU time, user and system, of one process and its children."""
    before = os.times()
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    return (after.children_user - before.children_user) + (
        after.children_system - before.children_system
    )


def main() -> None:
    """Measure every lab that has solutions."""
    python = [sys.executable, "-c", "pass"]
    bare = statistics.median(cpu_seconds(python) for _ in range(RUNS))
    print(f"  python itself               {bare:6.2f} s")
    for lab in sorted((ROOT / "labs").glob("*/lab.toml")):
        slug = lab.parent.name
        command = [sys.executable, "-m", "sandbox", "check", slug, "--from", f"solutions/{slug}"]
        taken = statistics.median(cpu_seconds(command) for _ in range(RUNS))
        print(f"  sandbox check {slug:<14}{taken:6.2f} s   {taken / LIMIT_S:.2f} of the limit")
