"""Play programs of this folder in two worlds of one seed; print outputs and hashes of the traces.

A program of its own, because what matters is decided when an interpreter starts:

    PYTHONHASHSEED=7 python play.py rabbitmq,redis celery_worker.py celery_client.py
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

from sandbox.stack.simulated import SimulatedStack

HERE = Path(__file__).parent


def play(brokers: list[str], names: list[str]) -> dict[str, object]:
    stack = SimulatedStack(seed=1, brokers=brokers)
    for name in names:
        stack.start_script(HERE / name)
        stack.world.run(until_s=stack.now_s + 1, to_idle=False)
    ending = stack.world.run(until_s=120, real_s=60, to_idle=False)
    lines = "\n".join(stack.world.trace.lines())
    found = {
        "ending": ending.kind,
        "outputs": [process.output + process.traceback for process in stack.processes],
        "trace": hashlib.sha256(lines.encode()).hexdigest(),
        "events": len(stack.world.trace.events),
    }
    stack.close()
    return found


if __name__ == "__main__":
    first, again = (play(sys.argv[1].split(","), sys.argv[2:]) for _ in range(2))
    json.dump([first, again], sys.stdout)
