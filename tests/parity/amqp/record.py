"""Plays the scenarios on a real RabbitMQ and keeps what it showed.

`python -m tests.parity.amqp.record` uses the server at AMQP_URL, or starts one of its own. Name
scenarios to record only those.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from sandbox.native.rabbitmq import RabbitMQ
from sandbox.stack.live.settings import Settings
from tests.parity.amqp.players import on_rabbitmq
from tests.parity.amqp.stage import SCENARIOS

RECORDED = Path(__file__).parent / "recorded.json"


def read() -> dict[str, Any]:
    """What is on record: a transcript for each scenario."""
    known: dict[str, Any] = json.loads(RECORDED.read_text(encoding="utf-8"))
    return known


def main(names: list[str]) -> None:
    """Record the named scenarios, or all."""
    if "AMQP_URL" in os.environ:
        _record(Settings.from_environment(), names)
    else:
        with RabbitMQ() as server:
            _record(Settings.of(server), names)


def _record(settings: Settings, names: list[str]) -> None:
    known = read() if names and RECORDED.exists() else {}
    for name in names or sorted(SCENARIOS):
        print(name)
        known[name] = on_rabbitmq(name, settings)
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
