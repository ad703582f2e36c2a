"""The sandbox's broker and RabbitMQ show their clients the same things.

Every scenario's transcript on RabbitMQ 3.10.8 is kept in `recorded.json`, and the sandbox must
produce the same one, with or without a RabbitMQ at hand. Where there is one (`make test-live`), the
two are compared with one another, and the record with what RabbitMQ says today. After changing a
scenario: `python -m tests.parity.amqp.record`.
"""

from __future__ import annotations

import json
from typing import Any

import pika.exceptions
import pytest

from sandbox.stack.live.settings import Settings
from tests.parity.amqp.differences import DIFFERENCES
from tests.parity.amqp.players import in_the_world, on_rabbitmq
from tests.parity.amqp.record import RECORDED, read
from tests.parity.amqp.stage import SCENARIOS

KNOWN = read()


def _lines(transcript: list[Any]) -> list[str]:
    """One line for each thing seen, so that a difference is one line of a diff."""
    return [json.dumps(item, ensure_ascii=False) for item in transcript]


def test_every_scenario_is_recorded() -> None:
    assert sorted(KNOWN) == sorted(SCENARIOS), (
        f"run python -m tests.parity.amqp.record ({RECORDED})"
    )


@pytest.mark.parametrize("name", sorted(SCENARIOS.keys() - DIFFERENCES.keys()))
def test_the_sandbox_behaves_as_rabbitmq_was_seen_to(name: str) -> None:
    assert _lines(in_the_world(name)) == _lines(KNOWN[name])


@pytest.mark.parametrize("name", sorted(DIFFERENCES))
def test_a_difference_that_is_gone_leaves_the_list(name: str) -> None:
    try:
        ours = _lines(in_the_world(name))
    except pika.exceptions.AMQPError as refusal:
        ours = [str(refusal)]
    assert ours != _lines(KNOWN[name]), f"take {name} out of DIFFERENCES: {DIFFERENCES[name]}"


@pytest.mark.live
@pytest.mark.parametrize("name", sorted(DIFFERENCES))
def test_what_the_sandbox_lacks_is_recorded_as_the_rabbitmq_that_is_here_does_it(
    name: str, rabbitmq_server: Settings
) -> None:
    assert _lines(KNOWN[name]) == _lines(on_rabbitmq(name, rabbitmq_server))


@pytest.mark.live
@pytest.mark.parametrize("name", sorted(SCENARIOS.keys() - DIFFERENCES.keys()))
def test_the_sandbox_behaves_as_the_rabbitmq_that_is_here(
    name: str, rabbitmq_server: Settings
) -> None:
    theirs = _lines(on_rabbitmq(name, rabbitmq_server))
    assert _lines(in_the_world(name)) == theirs
    assert _lines(KNOWN[name]) == theirs, "the record is out of date"
