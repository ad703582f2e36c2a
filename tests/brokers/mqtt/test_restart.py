"""What a restart keeps, and that the records of it are complete."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings

from sandbox.brokers.mqtt import Broker
from tests.brokers.mqtt.client import World, new_world
from tests.parity.mqtt.machine import Machine, Operation, sequences, versions
from tests.parity.mqtt.stage import Ours, Stage

KEPT: dict[str, Any] = {"clean": False, "session_expiry_interval": 100}


def stop(world: World, how: str) -> None:
    getattr(world.broker, how)(world.now_ns)
    world.carry()


@pytest.mark.parametrize("how", ["restart", "crash"])
def test_sessions_and_retained_messages_survive(world: World, how: str) -> None:
    client = world.connect("c", **KEPT)
    world.connect("short").subscribe("x")
    client.subscribe("t/#")
    world.publish("r", b"retained", retain=True)
    world.publish("t/1", b"1", qos=1)
    world.publish("t/2", b"2", qos=2)
    client.received()
    client.answer("PUBREC", 2)
    client.publish("u", b"unreleased", 2, 9)
    client.received()
    stop(world, how)
    assert all(each.closed for each in world.clients)
    assert [each["client_id"] for each in world.broker.sessions()] == ["c"]
    assert [each["topic"] for each in world.broker.retained()] == ["r"]
    client = world.connect("c", **KEPT)
    again, release = client.received()
    assert (again.payload, again.dup, release.kind) == (b"1", True, "PUBREL")
    client.subscribe("u", qos=0)
    client.answer("PUBREL", 9)
    assert client.received()[0].payload == b"unreleased"


def test_an_orderly_stop_is_told_to_who_can_hear_it(world: World) -> None:
    new, old, silent = world.connect("n"), world.connect("o", 4), world.raw()
    stop(world, "restart")
    assert new.next().reason == 0x8B
    assert not old.received()
    assert new.closed
    assert old.closed
    assert silent.closed


def test_an_orderly_stop_publishes_wills_and_a_crash_cannot(world: World) -> None:
    world.connect("reader", **KEPT).subscribe("w", qos=1)
    world.clients[0].lose()
    for how, found in (("crash", []), ("restart", [b"bye"])):
        world.connect("c", 4, will=("w", b"bye", 1, False))
        stop(world, how)
        reader = world.connect("reader", **KEPT)
        assert reader.payloads() == found
        reader.lose()


def test_counting_starts_anew(world: World) -> None:
    world.advance(100)
    stop(world, "restart")
    world.advance(7)
    client = world.connect("c")
    client.subscribe("$SYS/broker/uptime", qos=0)
    assert client.payloads() == [b"7 seconds"]


# -- records -----------------------------------------------------------------------------------


def reborn(records: list[Any], now_ns: int, epoch_ns: int = 0) -> World:
    """Another interpreter's broker, made from records."""
    _check_plain(records)
    world = new_world(epoch_ns=epoch_ns)
    world.now_ns = now_ns
    world.broker.restore(records, now_ns)
    return world


def _check_plain(value: Any) -> None:
    if isinstance(value, list):
        for each in value:
            _check_plain(each)
    elif isinstance(value, dict):
        for name, each in value.items():
            assert type(name) is str
            _check_plain(each)
    else:
        assert value is None or type(value) in (int, str, bytes, bool), repr(value)


def test_time_goes_on_while_nobody_runs() -> None:
    world = new_world(epoch_ns=1_000)
    records: list[Any] = []
    world.broker.keep = records.append
    client = world.connect(
        "c", **KEPT, will=("w", b"bye", 0, True), will_properties={"will_delay_interval": 60}
    )
    client.subscribe("t", qos=1)
    client.lose()
    world.publish("t", b"short", qos=1, properties={"message_expiry_interval": 30})
    world.publish("t", b"long", qos=1, properties={"message_expiry_interval": 80})
    # Another carrier's clock shows something else at the same time of day.
    late_ns = 70 * 10**9
    world = reborn(records, 0, epoch_ns=1_000 + late_ns)
    assert world.broker.next_event_timer() == 0
    world.advance(0)
    assert world.broker.retained("w")[0]["payload"] == b"bye"
    found = world.connect("c", **KEPT)
    assert found.connack.session_present
    message = found.next()
    assert (message.payload, message.properties) == (b"long", {"message_expiry_interval": 10})
    found.lose()
    world.advance(101)
    assert not world.broker.sessions()


def test_who_was_connected_at_the_end_of_the_records_has_its_whole_interval() -> None:
    world = new_world()
    records: list[Any] = []
    world.broker.keep = records.append
    world.connect("c", **KEPT).subscribe("t")
    world = reborn(records, 50 * 10**9)
    world.advance(99)
    assert world.connect("c", **KEPT).connack.session_present


def test_a_record_that_nobody_knows_is_refused_by_name() -> None:
    broker = Broker(random=Random(1))
    with pytest.raises(ValueError, match="hologram"):
        broker.restore([["hologram", 1]], 0)
    with pytest.raises(ValueError, match="retain"):
        broker.restore([["retain", 99]], 0)


def _told(broker: Broker) -> list[Any]:
    """What a snapshot tells, without the times at which somebody left."""
    return [
        [*record[:5], None] if record[0] == "session" else record for record in broker.snapshot()
    ]


#: So that something is on its way from the beginning.
_BEGINNING: list[Operation] = [
    ("connect", 0, False, True, None),
    ("connect", 1, False, True, None),
    ("subscribe", 0, "#", 2, 0),
    ("subscribe", 1, "x/#", 1, 0),
    *[("publish", 0, "x", qos, False) for qos in (1, 2, 2)],
    *[("release", 0, 0)] * 2,
]
#: So that one of them is released and not complete at the end.
_END: list[Operation] = [
    ("connect", 0, False, True, None),
    ("subscribe", 0, "#", 2, 2),
    ("settle all", 0),
    ("publish", 0, "x", 2, False),
    ("release", 0, -1),
    ("settle", 0, 0),
]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(steps=sequences, clients=versions)
def test_the_records_and_a_snapshot_tell_the_same_whatever_happened(
    steps: list[Operation], clients: tuple[int, ...]
) -> None:
    server = Ours()
    records: list[Any] = []
    server.broker.keep = records.append
    machine = Machine(Stage(server, clients))
    for number, step in enumerate([*_BEGINNING, *steps, *_END]):
        machine.apply(step)
        if number == len(steps) // 2:
            # Whoever keeps them may begin anew with a snapshot at any time.
            records[:] = server.broker.snapshot()
    expected = _told(server.broker)
    # The number of the last message may be higher than that of the last one that is kept.
    assert _told(reborn(records, 0).broker)[1:] == expected[1:]
    assert _told(reborn(expected, 0).broker) == expected
