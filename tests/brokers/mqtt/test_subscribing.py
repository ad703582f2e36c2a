"""Subscriptions, retained messages and shared groups."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.brokers.mqtt import topics
from tests.brokers.mqtt import packets
from tests.brokers.mqtt.client import SECOND_NS, World, new_world

RETAIN_IF_NEW, RETAIN_NEVER = 0x10, 0x20
NO_LOCAL, AS_PUBLISHED = 4, 8


@pytest.mark.parametrize(
    ("pattern", "topic", "match"),
    [
        ("a/b", "a/b", True),
        ("a/b", "a/b/c", False),
        ("a/+", "a/b", True),
        ("a/+", "a", False),
        ("a/+", "a/", True),
        ("a/#", "a", True),
        ("a/#", "a/b/c", True),
        ("#", "a/b", True),
        ("+/+", "/b", True),
        ("+", "/b", False),
        ("/+", "/b", True),
        ("+/b/#", "a/b", True),
        ("#", "$SYS/a", False),
        ("+/a", "$SYS/a", False),
        ("$SYS/#", "$SYS/a", True),
        ("A", "a", False),
    ],
)
def test_a_filter_matches_as_the_specification_says(
    world: World, pattern: str, topic: str, match: bool
) -> None:
    assert topics.matches(pattern, topic) is match
    client = world.connect("c")
    client.subscribe(pattern, qos=0)
    if not topic.startswith("$SYS"):
        world.publish(topic)
        assert bool(client.received()) is match


@pytest.mark.parametrize(
    "topic_filter", ["", "a/#/b", "a#", "a+/b", "$share/g", "$share//t", "$share/g+/t", "$share/g/"]
)
def test_a_filter_that_is_none_ends_the_connection(world: World, topic_filter: str) -> None:
    for send in (
        packets.subscribe(1, [("ok", 0), (topic_filter, 0)]),
        packets.unsubscribe(1, [topic_filter]),
    ):
        client = world.connect("c")
        assert client.ask(send).reason == 0x8F
        assert client.closed
        assert not world.broker.subscriptions()


def test_a_filter_that_is_too_deep_is_refused_alone(world: World) -> None:
    client = world.connect("c")
    suback = client.subscribe("a", "/".join(["a"] * 201), qos=1)
    assert suback.reasons == [1, 0x8F]


def test_unsubscribing_says_what_there_was(world: World) -> None:
    client = world.connect("c")
    client.subscribe("a")
    assert client.ask(packets.unsubscribe(2, ["a", "b"])).reasons == [0, 0x11]
    world.publish("a")
    assert not client.received()
    old = world.connect("o", 4)
    assert old.ask(packets.unsubscribe(2, ["a"], 4)).reasons == []


def test_subscribing_again_replaces_the_options(world: World) -> None:
    client = world.connect("c")
    client.subscribe("a", qos=2, subscription_identifier=5)
    client.subscribe("a", qos=0)
    world.publish("a", qos=2)
    message = client.next()
    assert (message.qos, message.properties) == (0, {})
    assert len(world.broker.subscriptions()) == 1


def test_a_message_carries_the_identifier_of_its_subscription(world: World) -> None:
    client = world.connect("c")
    client.subscribe("a/+", qos=0, subscription_identifier=1)
    client.subscribe("a/#", qos=0, subscription_identifier=268435455)
    world.publish("a/b")
    found = [each.properties["subscription_identifier"] for each in client.received()]
    assert found == [[1], [268435455]]


def test_no_local_keeps_ones_own_messages_away(world: World) -> None:
    client, other = world.connect("c"), world.connect("o")
    client.subscribe("a", qos=0, options=NO_LOCAL)
    client.publish("a", b"mine")
    other.publish("a", b"theirs")
    assert client.payloads() == [b"theirs"]


# -- retained messages -------------------------------------------------------------------------


def test_a_late_subscriber_gets_the_last_retained_message(world: World) -> None:
    writer = world.connect("w")
    writer.publish("a/1", b"old", retain=True)
    writer.publish("a/1", b"new", retain=True)
    writer.publish("a/2", b"two", retain=True)
    writer.publish("a/3", b"not retained")
    reader = world.connect("r")
    reader.send(packets.subscribe(1, [("a/#", 1)]))
    suback, *found = reader.received()
    assert suback.kind == "SUBACK"
    assert [(each.payload, each.retain) for each in found] == [(b"new", True), (b"two", True)]


def test_who_is_subscribed_already_gets_it_as_an_ordinary_message(world: World) -> None:
    plain, marked = world.connect("p"), world.connect("m")
    plain.subscribe("a")
    marked.subscribe("a", options=AS_PUBLISHED)
    world.publish("a", b"x", retain=True)
    assert not plain.next().retain
    assert marked.next().retain
    world.publish("a", b"x")
    assert not marked.next().retain


def test_an_empty_message_clears_what_is_retained(world: World) -> None:
    reader = world.connect("r")
    reader.subscribe("a", qos=0)
    world.publish("a", b"x", retain=True)
    world.publish("a", b"", retain=True)
    assert reader.payloads() == [b"x", b""]
    assert not world.broker.retained()
    reader.subscribe("a")
    assert not reader.received()


@pytest.mark.parametrize(
    ("handling", "first", "second"), [(0, 1, 1), (RETAIN_IF_NEW, 1, 0), (RETAIN_NEVER, 0, 0)]
)
def test_retain_handling_says_when_they_are_sent(
    world: World, handling: int, first: int, second: int
) -> None:
    world.publish("a", b"x", retain=True)
    client = world.connect("c")
    client.subscribe("a", options=handling)
    assert len(client.received()) == first
    client.subscribe("a", options=handling)
    assert len(client.received()) == second


def test_a_retained_message_has_the_lower_quality(world: World) -> None:
    world.publish("a", b"x", qos=2, retain=True)
    world.publish("b", b"x", qos=0, retain=True)
    client = world.connect("c")
    client.subscribe("#", qos=1, subscription_identifier=9)
    found = client.received()
    assert [(each.topic, each.qos) for each in found] == [("a", 1), ("b", 0)]
    assert found[0].properties == {"subscription_identifier": [9]}


def test_a_retained_message_expires(world: World) -> None:
    world.publish("a", b"x", retain=True, properties={"message_expiry_interval": 10})
    world.advance(3)
    client = world.connect("c")
    client.subscribe("a")
    assert client.next().properties == {"message_expiry_interval": 7}
    world.advance(7)
    client.subscribe("a")
    assert not client.received()
    assert not world.broker.retained()


def test_no_local_holds_for_retained_messages(world: World) -> None:
    client = world.connect("c")
    client.publish("a", b"x", retain=True)
    client.subscribe("a", options=NO_LOCAL)
    assert not client.received()


# -- shared subscriptions ----------------------------------------------------------------------


def test_a_group_takes_turns(world: World) -> None:
    members = [world.connect(f"m{n}") for n in range(3)]
    alone = world.connect("alone")
    alone.subscribe("t/+", qos=1)
    for member in members:
        member.subscribe("$share/g/t/+", qos=1)
    sent = [b"%d" % n for n in range(7)]
    for payload in sent:
        world.publish("t/x", payload, qos=1)
    assert [member.payloads() for member in members] == [
        [b"0", b"3", b"6"],
        [b"1", b"4"],
        [b"2", b"5"],
    ]
    assert alone.payloads() == sent


def test_every_group_gets_a_message(world: World) -> None:
    one, two = world.connect("1"), world.connect("2")
    one.subscribe("$share/g/t", qos=0)
    two.subscribe("$share/h/t", qos=0)
    world.publish("t")
    assert (len(one.received()), len(two.received())) == (1, 1)


def test_who_leaves_takes_no_more_turns(world: World) -> None:
    one, two = world.connect("1"), world.connect("2")
    one.subscribe("$share/g/t", qos=0)
    two.subscribe("$share/g/t", qos=0)
    one.lose()
    two.subscribe("$share/g/t", qos=0)
    for _ in range(3):
        world.publish("t")
    assert len(two.received()) == 3
    two.ask(packets.unsubscribe(1, ["$share/g/t"]))
    assert world.publish("t") == 0


def test_a_kept_session_keeps_its_turn_while_its_client_is_away(world: World) -> None:
    kept: dict[str, Any] = {"clean": False, "session_expiry_interval": 60}
    one, two = world.connect("1", **kept), world.connect("2")
    one.subscribe("$share/g/t", qos=1)
    two.subscribe("$share/g/t", qos=1)
    one.lose()
    for number in range(4):
        world.publish("t", b"%d" % number, qos=1)
    assert two.payloads() == [b"1", b"3"]
    assert world.connect("1", **kept).payloads() == [b"0", b"2"]


def test_a_group_gets_no_retained_messages(world: World) -> None:
    world.publish("t", b"x", retain=True)
    client = world.connect("c")
    client.subscribe("$share/g/t")
    assert not client.received()


def test_no_local_cannot_be_asked_of_a_group(world: World) -> None:
    client = world.connect("c")
    client.send(packets.subscribe(1, [("$share/g/t", NO_LOCAL)]))
    assert client.next().reason == 0x82


# -- $SYS --------------------------------------------------------------------------------------


def test_the_server_tells_about_itself(world: World) -> None:
    world.connect("other", 4, clean=False).lose()
    client = world.connect("c")
    world.publish("t", b"x", retain=True)
    world.advance(5)
    client.subscribe("$SYS/#", qos=0)
    found = {each.topic: each.payload for each in client.received()}
    assert found["$SYS/broker/uptime"] == b"5 seconds"
    assert found["$SYS/broker/clients/connected"] == b"1"
    assert found["$SYS/broker/clients/total"] == b"2"
    assert found["$SYS/broker/retained messages/count"] == b"1"
    assert not [each for each in world.broker.retained() if each["topic"].startswith("$")]


def test_uptime_counts_from_the_start_of_the_server() -> None:
    world = new_world(now_ns=50 * SECOND_NS)
    world.now_ns = 52 * SECOND_NS
    client = world.connect("c")
    client.subscribe("$SYS/broker/uptime", qos=0)
    assert client.payloads() == [b"2 seconds"]


def test_it_tells_every_ten_seconds_as_long_as_anybody_listens(world: World) -> None:
    client = world.connect("c")
    world.advance(3)
    client.subscribe("$SYS/broker/uptime", qos=0)
    assert client.payloads() == [b"3 seconds"]
    activity = world.broker.activity
    world.advance(20)
    assert client.payloads() == [b"10 seconds", b"20 seconds"]
    assert world.broker.activity == activity
    assert world.broker.next_event_timer() is None
    client.disconnect()
    world.advance(20)
    assert world.broker.next_timer() is None
