"""Whatever clients do, in whatever order: the sandbox and Mosquitto answer alike.

Hypothesis makes up sequences of operations of three clients; each is applied to both servers and
everything all clients see must be equal, packet identifiers included. A sequence that differs is
shrunk to a short one: make it a scenario.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from tests.parity.mqtt.machine import (
    Operation,
    sequence,
    sequences,
    sequences_with_restarts,
    versions,
)
from tests.parity.mqtt.mosquitto import Mosquitto
from tests.parity.mqtt.stage import Ours, Theirs, play

LIKE_MOSQUITTO = settings(
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@pytest.mark.live
@settings(LIKE_MOSQUITTO, max_examples=250)
@given(steps=sequences, versions=versions)
def test_any_sequence_of_operations_is_answered_as_mosquitto_does(
    steps: list[Operation], versions: tuple[int, ...], mosquitto: Mosquitto
) -> None:
    acts = sequence(steps)
    assert play(Ours(), acts, versions) == play(Theirs(mosquitto), acts, versions)


@pytest.mark.live
@settings(LIKE_MOSQUITTO, max_examples=20)
@given(steps=sequences_with_restarts, versions=versions)
def test_restarts_in_between_are_survived_as_mosquitto_does(
    steps: list[Operation], versions: tuple[int, ...], mosquitto: Mosquitto
) -> None:
    acts = sequence(steps)
    assert play(Ours(), acts, versions) == play(Theirs(mosquitto), acts, versions)
