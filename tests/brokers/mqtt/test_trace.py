"""Events and the administrator's view: enough to tell what became of each message."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from sandbox.brokers import mqtt
from tests.brokers.mqtt import packets
from tests.brokers.mqtt.client import World, new_world

README = Path(mqtt.__file__).parent / "README.md"


def _documented() -> dict[str, set[str]]:
    rows = re.findall(r"^\| `([a-z.]+)` \| (.*) \|$", README.read_text("utf-8"), re.M)
    return {
        kind: {
            *re.findall(r"`([a-z_]+)`", re.sub(r"\(.*?\)", "", text)),
            "client_id",
            "connection",
        }
        for kind, text in rows
        if not kind.endswith(".py")
    }


def _busy_day() -> World:
    world = new_world(users={"ann": "secret"}, max_queued=2)
    ann: dict[str, Any] = {"user": "ann", "password": b"secret"}
    kept = ann | {"clean": False, "session_expiry_interval": 60}
    world.connect("nobody")
    reader = world.connect("r", **kept, will=("w", b"bye", 0, False))
    reader.subscribe("t/#", qos=2)
    writer = world.connect("w", **ann)
    for qos in range(3):
        writer.publish("t/x", b"x", qos, 7)
    writer.answer("PUBREL", 7)
    writer.publish("$SYS/x", b"x", 1)
    reader.payloads()
    reader.lose()
    for number in range(4):
        world.publish("t/y", b"%d" % number, qos=2)
    again = world.connect("r", **kept)
    again.payloads()
    again.send(packets.unsubscribe(3, ["t/#"]))
    world.connect("r", **kept)
    will = {"will_delay_interval": 5}
    world.connect("d", **kept, will=("w", b"", 0, False), will_properties=will).lose()
    world.connect("d", **kept, will=("w", b"", 0, False), will_properties=will).lose()
    world.advance(1000)
    world.broker.restart(world.now_ns)
    world.carry()
    return world


def test_every_event_is_documented_with_its_fields() -> None:
    documented = _documented()
    seen: set[str] = set()
    for kind, fields in _busy_day().events:
        assert documented[kind] == set(fields), kind
        seen.add(kind)
    assert seen == set(documented)


def test_fields_are_plain_data() -> None:
    def check(value: Any) -> None:
        if isinstance(value, list | tuple):
            for each in value:
                check(each)
        elif isinstance(value, dict):
            for name, each in value.items():
                assert type(name) is str
                check(each)
        else:
            assert value is None or type(value) in (int, str, bytes, bool), repr(value)

    for _, fields in _busy_day().events:
        check(fields)


def test_the_same_conversation_gives_the_same_events_and_bytes() -> None:
    one, two = _busy_day(), _busy_day()
    assert one.events == two.events


def test_passwords_are_in_no_event() -> None:
    assert "secret" not in repr(_busy_day().events)


def test_a_message_can_be_followed_by_its_number(world: World) -> None:
    reader = world.connect("r")
    reader.subscribe("t", qos=1)
    world.connect("w").publish("t", b"x", 1)
    reader.payloads()
    number = world.of_kind("publish")[0]["message"]
    way = [(k, f["client_id"]) for k, f in world.events if f.get("message") == number]
    assert way == [("publish", "w"), ("deliver", "r"), ("ack", "r")]
    assert world.of_kind("publish")[0]["sessions"] == ["r"]


def test_the_administrator_sees_sessions_and_subscriptions(world: World) -> None:
    client = world.connect("c", 4, clean=False)
    client.subscribe("a", qos=1)
    world.publish("a", b"x", qos=1)
    assert world.broker.sessions() == [
        {
            "client_id": "c",
            "connected": True,
            "connection": "client-1:1",
            "version": "3.1.1",
            "user": None,
            "expiry_s": 0xFFFFFFFF,
            "subscriptions": [("a", 1)],
            "queued": 1,
            "in_flight": 1,
            "unreleased": 0,
        }
    ]
    assert world.broker.subscriptions()[0]["topic_filter"] == "a"
    assert client.side.subscribed


def test_the_administrator_can_cut_a_client_off(world: World) -> None:
    client = world.connect("c")
    world.broker.admin_close_connection("client-1:1", "enough", world.now_ns)
    world.carry()
    told = client.next()
    assert (told.reason, told.properties) == (0x98, {"reason_string": "enough"})


@pytest.mark.parametrize(
    ("topic", "options", "sentence"),
    [
        ("a/#", {}, "wildcard"),
        ("", {}, "at least one character"),
        ("a", {"qos": 3}, "no QoS 3"),
        ("a", {"properties": {"colour": "red"}}, "no property 'colour'"),
        ("a", {"properties": {"topic_alias": 1}}, "no property 'topic_alias'"),
        ("a", {"properties": {"message_expiry_interval": -1}}, "cannot be written"),
        ("a", {"properties": {"payload_format_indicator": 2}}, "may not be 2"),
    ],
)
def test_the_administrator_cannot_publish_what_no_client_could(
    world: World, topic: str, options: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        world.publish(topic, b"x", **options)


def test_properties_may_be_given_as_a_dict_of_user_properties(world: World) -> None:
    client = world.connect("c")
    client.subscribe("a")
    world.publish("a", b"x", properties={"user_property": {"k": 1}})
    assert client.next().properties == {"user_property": [("k", "1")]}
