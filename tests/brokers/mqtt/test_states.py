"""The table of a delivery's states: every state meets every answer."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sandbox.brokers import mqtt
from sandbox.brokers.mqtt import properties as props
from sandbox.brokers.mqtt.session import SENT, TRANSITIONS, State
from tests.brokers.mqtt.client import Client, World

README = Path(mqtt.__file__).parent / "README.md"
ANSWERS = {"PUBACK": props.PUBACK, "PUBREC": props.PUBREC, "PUBCOMP": props.PUBCOMP}
IN_FLIGHT = (State.AWAIT_PUBACK, State.AWAIT_PUBREC, State.AWAIT_PUBCOMP)


def in_state(world: World, state: State) -> Client:
    """A client with one delivery, number 1, in a state."""
    client = world.connect("c")
    client.subscribe("t")
    world.publish("t", b"x", qos=1 if state is State.AWAIT_PUBACK else 2)
    if state is State.AWAIT_PUBCOMP:
        client.answer("PUBREC", 1)
    client.received()
    return client


@pytest.mark.parametrize("answer", list(ANSWERS))
@pytest.mark.parametrize("state", IN_FLIGHT)
def test_every_state_meets_every_answer(world: World, state: State, answer: str) -> None:
    client = in_state(world, state)
    client.answer(answer, 1)
    following = TRANSITIONS.get((state, ANSWERS[answer]))
    if following is None:
        assert client.next().reason == 0x82
        assert client.closed
        return
    (delivery,) = list(client.side.session.in_flight.values()) or [None]
    assert (State.SETTLED if delivery is None else delivery.state) is following
    assert [each.kind for each in client.received()] == (
        ["PUBREL"] if following is State.AWAIT_PUBCOMP else []
    )


def test_the_diagram_shows_the_table() -> None:
    arrows = re.findall(r"^    (\w+) --> (\w+): (.*)$", README.read_text("utf-8"), re.M)
    names = {number: name for name, number in ANSWERS.items()}
    expected = {
        (state.name, following.name, names[answer])
        for (state, answer), following in TRANSITIONS.items()
    }
    expected |= {("WAITING", SENT[qos].name, f"sent, QoS {qos}") for qos in (1, 2)}
    expected.add(("AWAIT_PUBREC", "SETTLED", "PUBREC with a failure"))
    assert set(arrows) == expected
