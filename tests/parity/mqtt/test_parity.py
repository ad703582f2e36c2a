"""The sandbox's broker and Mosquitto show their clients the same things.

Every scenario's transcript on Mosquitto 2.0.11 is kept in `recorded.json`, and the sandbox must
produce the same one, with or without a Mosquitto at hand. Where there is one (`make test-live`),
the record is compared with what it says today. After changing a scenario:
`python -m tests.parity.mqtt.record`.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

import tests.parity.mqtt.scenarios  # noqa: F401  (registers them)
from tests.parity.mqtt.differences import DIFFERENCES
from tests.parity.mqtt.mosquitto import Mosquitto
from tests.parity.mqtt.record import RECORDED, read
from tests.parity.mqtt.stage import SCENARIOS, Ours, Theirs, play

KNOWN = read()


def _lines(transcript: list[Any]) -> list[str]:
    """One line for each thing seen, so that a difference is one line of a diff."""
    return [json.dumps(item, ensure_ascii=False) for item in transcript]


def _ours(name: str) -> list[str]:
    return _lines(play(Ours(), SCENARIOS[name]))


def test_every_scenario_is_recorded() -> None:
    assert sorted(KNOWN) == sorted(SCENARIOS), (
        f"run python -m tests.parity.mqtt.record ({RECORDED})"
    )


@pytest.mark.parametrize("name", sorted(SCENARIOS.keys() - DIFFERENCES.keys()))
def test_the_sandbox_behaves_as_mosquitto_was_seen_to(name: str) -> None:
    assert _ours(name) == _lines(KNOWN[name])


@pytest.mark.parametrize("name", sorted(DIFFERENCES))
def test_a_difference_that_is_gone_leaves_the_list(name: str) -> None:
    assert _ours(name) != _lines(KNOWN[name]), f"take {name} out: {DIFFERENCES[name]}"


@pytest.mark.live
@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_the_record_is_what_the_mosquitto_that_is_here_does(
    name: str, mosquitto: Mosquitto
) -> None:
    theirs = _lines(play(Theirs(mosquitto), SCENARIOS[name]))
    assert theirs == _lines(KNOWN[name]), "the record is out of date, or Mosquitto is another one"
