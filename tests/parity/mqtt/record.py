"""Plays the scenarios on a real Mosquitto and keeps what it showed.

`python -m tests.parity.mqtt.record` starts one of its own. Name scenarios to record only those.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import tests.parity.mqtt.scenarios  # noqa: F401  (registers them)
from tests.parity.mqtt.mosquitto import Mosquitto
from tests.parity.mqtt.stage import SCENARIOS, Theirs, play

RECORDED = Path(__file__).parent / "recorded.json"


def read() -> dict[str, Any]:
    """What is on record: a transcript for each scenario."""
    known: dict[str, Any] = json.loads(RECORDED.read_text(encoding="utf-8"))
    return known


def main(names: list[str]) -> None:
    """Record the named scenarios, or all."""
    known = read() if names and RECORDED.exists() else {}
    with tempfile.TemporaryDirectory() as folder:
        mosquitto = Mosquitto(Path(folder))
        try:
            for name in names or sorted(SCENARIOS):
                known[name] = play(Theirs(mosquitto), SCENARIOS[name])
        finally:
            mosquitto.stop()
    rows = [
        f"{json.dumps(name)}: [\n"
        + ",\n".join("  " + json.dumps(item, ensure_ascii=False) for item in known[name])
        + "\n]"
        for name in sorted(known)
        if name in SCENARIOS
    ]
    RECORDED.write_text("{\n" + ",\n".join(rows) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
