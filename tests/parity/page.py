"""Writes docs/reference/parity.md from the scenarios, the records and the known differences.

`python -m tests.parity.page`, or `make parity`. What the page says is what the tests hold: a
scenario without a difference is played on the sandbox with every `make test`, and its transcript
must be the one that the real server showed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tests.parity.amqp.scenarios
import tests.parity.kafka.scenarios
import tests.parity.mqtt.scenarios
import tests.parity.redis.scenarios  # noqa: F401  (all four: registers them)
from tests.parity.amqp import differences as amqp_differences
from tests.parity.amqp import stage as amqp_stage
from tests.parity.kafka.stage import PROTOCOL as KAFKA
from tests.parity.mqtt import differences as mqtt_differences
from tests.parity.mqtt import stage as mqtt_stage
from tests.parity.redis.stage import PROTOCOL as REDIS

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/reference/parity.md"

_INTRODUCTION = """\
# Compared with the real brokers

<!-- Written by `make parity` from tests/parity; do not edit. -->

Every line is a scenario: a program for a real client, played on the sandbox and on the real server.
*Same* means that the client saw the same, byte for byte or reply for reply; `make test` holds the
sandbox to it, `make test-live` plays it on the servers of this machine and over TCP again. Beside
the scenarios, random sequences of operations are played on both ({random}); one that differs
becomes a scenario. What no scenario can show is in the brokers' READMEs, under "Differs from".
"""


@dataclass(frozen=True)
class Section:
    """One protocol on the page."""

    title: str
    real: str
    readme: str
    scenarios: Mapping[str, Callable[..., Any]]
    differences: Mapping[str, str]


SECTIONS = (
    Section(
        "RabbitMQ (AMQP 0-9-1)",
        "RabbitMQ 3.10.8",
        "amqp",
        amqp_stage.SCENARIOS,
        amqp_differences.DIFFERENCES,
    ),
    Section("Kafka", KAFKA.real, "kafka", KAFKA.scenarios, KAFKA.differences),
    Section("Redis", REDIS.real, "redis", REDIS.scenarios, REDIS.differences),
    Section("MQTT", "Mosquitto 2.0.11", "mqtt", mqtt_stage.SCENARIOS, mqtt_differences.DIFFERENCES),
)


def render() -> str:
    """The page."""
    folders = sorted(path.parent.name for path in Path(__file__).parent.glob("*/test_random.py"))
    named = {"amqp": "RabbitMQ", "kafka": "Kafka", "mqtt": "MQTT"}
    random = ", ".join([*(named[name] for name in folders), "Redis"])
    parts = [_INTRODUCTION.format(random=random), _summary()]
    parts += [_section(section) for section in SECTIONS]
    return "\n".join(parts)


def _summary() -> str:
    rows = [
        f"| {each.title} | {each.real} | {len(each.scenarios)} | {len(each.differences)} |"
        for each in SECTIONS
    ]
    return "\n".join(["| | real | scenarios | differ |", "| --- | --- | ---: | ---: |", *rows, ""])


def _section(section: Section) -> str:
    lines = [
        f"## {section.title}",
        "",
        f"| What a client does | Sandbox, beside {section.real} |",
        "| --- | --- |",
    ]
    for name in sorted(section.scenarios):
        differs = section.differences.get(name)
        verdict = f"**differs**: {differs}" if differs else "same"
        lines.append(f"| {_sentence(name)} | {verdict.replace('|', chr(92) + '|')} |")
    lines += ["", f"More: `sandbox/brokers/{section.readme}/README.md`.", ""]
    return "\n".join(lines)


def _sentence(name: str) -> str:
    text = name.replace("_", " ")
    return text[0].upper() + text[1:]


if __name__ == "__main__":
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(render(), encoding="utf-8")
    print(f"{PAGE.relative_to(ROOT)} is written")
