"""Messages from clients to subscribers: qualities of service, identifiers, order."""

from __future__ import annotations

import pytest

from tests.brokers.mqtt import packets
from tests.brokers.mqtt.client import World, new_world, topics_of


@pytest.mark.parametrize("published", [0, 1, 2])
@pytest.mark.parametrize("subscribed", [0, 1, 2])
@pytest.mark.parametrize("version", [3, 4, 5])
def test_a_message_arrives_with_the_lower_of_both_qualities(
    world: World, published: int, subscribed: int, version: int
) -> None:
    reader, writer = world.connect("r", version), world.connect("w", version)
    reader.subscribe("a/b", qos=subscribed)
    writer.publish("a/b", b"hello", published)
    if published == 2:
        assert writer.next().kind == "PUBREC"
        assert not reader.received()
        writer.answer("PUBREL", 1)
    kind = {0: [], 1: ["PUBACK"], 2: ["PUBCOMP"]}[published]
    assert [each.kind for each in writer.received()] == kind
    message = reader.next()
    assert (message.topic, message.payload) == ("a/b", b"hello")
    assert message.qos == min(published, subscribed)
    assert not message.dup
    assert not message.retain


def test_a_quality_2_delivery_takes_four_packets(world: World) -> None:
    reader = world.connect("r")
    reader.subscribe("t")
    world.publish("t", b"x", qos=2)
    assert reader.next().qos == 2
    reader.answer("PUBREC", 1)
    assert reader.next().kind == "PUBREL"
    assert world.broker.sessions()[0]["in_flight"] == 1
    reader.answer("PUBCOMP", 1)
    assert not reader.received()
    assert world.broker.sessions()[0]["in_flight"] == 0


def test_a_quality_2_message_that_is_published_twice_is_one_message(world: World) -> None:
    reader, writer = world.connect("r"), world.connect("w")
    reader.subscribe("t", qos=0)
    writer.publish("t", b"once", 2, 7)
    writer.publish("t", b"once", 2, 7, dup=True)
    writer.answer("PUBREL", 7)
    writer.answer("PUBREL", 7)
    answers = writer.received()
    assert [each.kind for each in answers] == ["PUBREC", "PUBREC", "PUBCOMP", "PUBCOMP"]
    assert answers[-1].reason == 0x92
    assert reader.next().payload == b"once"


def test_a_packet_identifier_used_for_another_message_means_the_other_message(world: World) -> None:
    reader, writer = world.connect("r"), world.connect("w")
    reader.subscribe("t", qos=0)
    writer.publish("t", b"first", 2, 7)
    writer.publish("t", b"second", 2, 7)
    writer.answer("PUBREL", 7)
    assert reader.next().payload == b"second"


def test_publishing_to_nobody_says_so_to_mqtt_5_only(world: World) -> None:
    for version, reason in ((5, 0x10), (4, 0)):
        writer = world.connect(f"w{version}", version)
        writer.publish("nobody", b"x", 1)
        assert writer.next().reason == reason


def test_messages_of_one_publisher_keep_their_order(world: World) -> None:
    reader, writer = world.connect("r"), world.connect("w")
    reader.subscribe("t", qos=1)
    sent = [b"%d" % n for n in range(60)]
    for number, payload in enumerate(sent, 1):
        writer.publish("t", payload, 1, number)
    assert reader.payloads() == sent


def test_every_matching_subscription_gets_a_copy_with_its_own_quality(world: World) -> None:
    client = world.connect("c")
    client.subscribe("o/#", qos=0)
    client.subscribe("o/+", qos=1)
    client.subscribe("o/x", qos=2)
    world.publish("o/x", b"x", qos=2)
    assert [each.qos for each in client.received()] == [2, 1, 0]


def test_an_older_client_gets_one_copy_with_the_best_quality_it_asked_for(world: World) -> None:
    client = world.connect("c", 4)
    client.subscribe("o/x", qos=0)
    client.subscribe("o/#", qos=2)
    client.subscribe("o/+", qos=1)
    world.publish("o/x", b"x", qos=2)
    assert client.next().qos == 2


def test_user_properties_and_the_like_travel_with_the_message(world: World) -> None:
    reader, writer = world.connect("r"), world.connect("w")
    reader.subscribe("t")
    properties = {
        "payload_format_indicator": 1,
        "content_type": "text/plain",
        "response_topic": "answers/w",
        "correlation_data": b"\x00\xff",
        "user_property": [("a", "1"), ("b", ""), ("a", "2")],
    }
    writer.publish("t", b"x", 1, **properties)
    assert reader.next().properties == properties


def test_an_older_client_gets_the_message_without_its_properties(world: World) -> None:
    reader = world.connect("r", 4)
    reader.subscribe("t", qos=1)
    world.publish("t", b"body", qos=1, properties={"content_type": "text/plain"})
    assert reader.next().payload == b"body"


def test_only_the_server_publishes_to_its_own_topics(world: World) -> None:
    client, old = world.connect("c"), world.connect("o", 4)
    client.publish("$SYS/broker/uptime", b"lies", 1, 1)
    assert client.next().reason == 0x87
    client.publish("$SYS/broker/uptime", b"lies", 2, 2)
    assert client.next().reason == 0x87
    client.publish("$share/g/t", b"x", 1, 3)
    assert client.next().reason == 0x87
    old.publish("$SYS/x", b"lies", 1)
    assert old.next().reason == 0
    assert len(world.of_kind("publish.refused")) == 4


def test_a_topic_that_is_too_deep_is_refused(world: World) -> None:
    client = world.connect("c")
    client.publish("/".join(["a"] * 201), b"x", 1)
    assert client.next().reason == 0x90
    client.publish("/".join(["a"] * 200), b"x", 1)
    assert client.next().reason == 0x10


def test_a_wildcard_at_the_front_matches_no_dollar_topic(world: World) -> None:
    client = world.connect("c")
    client.subscribe("#", "+/x", "$mine/#", qos=0)
    world.publish("$mine/x", b"1")
    assert topics_of(client.received()) == ["$mine/x"]


def test_acknowledging_what_was_never_sent_is_ignored_or_answered(world: World) -> None:
    client = world.connect("c")
    client.answer("PUBACK", 9)
    client.answer("PUBCOMP", 9)
    assert not client.received()
    client.answer("PUBREC", 9)
    assert (client.next().kind, client.closed) == ("PUBREL", False)


def test_the_wrong_kind_of_acknowledgement_ends_the_connection(world: World) -> None:
    client = world.connect("c")
    client.subscribe("t", qos=1)
    world.publish("t", b"x", qos=1)
    client.received()
    client.answer("PUBREC", 1)
    assert client.next().reason == 0x82
    assert client.closed


def test_a_refused_quality_2_delivery_is_over(world: World) -> None:
    client = world.connect("c")
    client.subscribe("t")
    world.publish("t", b"x", qos=2)
    client.received()
    client.answer("PUBREC", 1, 0x97)
    assert not client.received()
    assert world.broker.sessions()[0]["queued"] == 0


# -- flow control ------------------------------------------------------------------------------


def test_no_more_messages_are_in_flight_than_the_client_takes(world: World) -> None:
    client = world.connect("c", receive_maximum=2)
    client.subscribe("t", qos=1)
    for number in range(5):
        world.publish("t", b"%d" % number, qos=1)
    assert [each.payload for each in client.received()] == [b"0", b"1"]
    client.answer("PUBACK", 1)
    assert [each.payload for each in client.received()] == [b"2"]
    client.answer("PUBACK", 3)
    assert [each.payload for each in client.received()] == [b"3"]


def test_quality_0_needs_no_room(world: World) -> None:
    client = world.connect("c", receive_maximum=1)
    client.subscribe("t")
    world.publish("t", b"1", qos=1)
    world.publish("t", b"2", qos=1)
    world.publish("t", b"3", qos=0)
    assert [each.payload for each in client.received()] == [b"1", b"3"]


def test_a_quality_2_delivery_takes_room_until_it_is_complete(world: World) -> None:
    client = world.connect("c", receive_maximum=1)
    client.subscribe("t")
    world.publish("t", b"1", qos=2)
    world.publish("t", b"2", qos=2)
    client.received()
    client.answer("PUBREC", 1)
    assert client.next().kind == "PUBREL"
    client.answer("PUBCOMP", 1)
    assert client.next().payload == b"2"


def test_twenty_are_in_flight_if_the_client_does_not_say(world: World) -> None:
    client = world.connect("c", 4)
    client.subscribe("t", qos=1)
    for _ in range(25):
        world.publish("t", b"x", qos=1)
    assert len(client.received()) == 20


def test_a_client_that_does_not_release_enough_is_cut_off(world: World) -> None:
    client = world.connect("c")
    maximum = client.connack.properties["receive_maximum"]
    for number in range(1, maximum + 1):
        client.publish("t", b"x", 2, number)
    assert len(client.received()) == maximum
    client.publish("t", b"x", 2, maximum + 1)
    assert client.next().reason == 0x93
    assert client.closed


def test_what_is_too_much_for_the_line_is_dropped() -> None:
    world = new_world(max_queued=3)
    world.connect("c", 4, clean=False).subscribe("t", qos=1)
    world.clients[0].lose()
    for number in range(5):
        world.publish("t", b"%d" % number, qos=1)
    client = world.connect("c", 4, clean=False)
    assert client.payloads() == [b"0", b"1", b"2"]
    assert len(world.of_kind("drop")) == 2


def test_a_message_larger_than_the_client_takes_is_not_sent(world: World) -> None:
    client = world.connect("c", maximum_packet_size=60)
    client.subscribe("t")
    for qos in (0, 1, 2):
        world.publish("t", b"x" * 60, qos=qos)
        world.publish("t", b"small", qos=qos)
    assert [each.payload for each in client.received()] == [b"small"] * 3
    assert len(world.of_kind("drop")) == 3


def test_a_packet_larger_than_the_server_takes_ends_the_connection() -> None:
    world = new_world(max_packet_size=100)
    client = world.connect("c")
    assert client.connack.properties["maximum_packet_size"] == 100
    client.send(packets.publish("t", b"x" * 200)[:20])
    assert client.next().reason == 0x95
    assert client.closed


# -- topic aliases -----------------------------------------------------------------------------


def test_an_alias_stands_for_the_topic_it_came_with(world: World) -> None:
    reader, writer = world.connect("r"), world.connect("w")
    reader.subscribe("#", qos=0)
    writer.publish("long/topic", b"1", topic_alias=3)
    writer.publish("", b"2", topic_alias=3)
    writer.publish("other", b"3", topic_alias=3)
    writer.publish("", b"4", topic_alias=3)
    assert topics_of(reader.received()) == ["long/topic", "long/topic", "other", "other"]


def test_aliases_end_with_their_connection(world: World) -> None:
    world.connect("w").publish("t", b"1", topic_alias=1)
    writer = world.connect("w", clean=False)
    writer.publish("", b"2", topic_alias=1)
    assert writer.next().reason == 0x82


@pytest.mark.parametrize("alias", [0, 11])
def test_an_alias_that_is_not_allowed_ends_the_connection(world: World, alias: int) -> None:
    client = world.connect("c")
    client.publish("t", b"x", topic_alias=alias)
    assert client.next().reason == 0x94


def test_the_server_uses_as_many_aliases_as_the_client_takes(world: World) -> None:
    client = world.connect("c", topic_alias_maximum=1)
    client.subscribe("#", qos=0)
    for topic in ("a", "b", "a"):
        world.publish(topic, b"x")
    found = client.received()
    assert [(each.topic, each.properties.get("topic_alias")) for each in found] == [
        ("a", 1),
        ("b", None),
        ("", 1),
    ]


# -- expiry ------------------------------------------------------------------------------------


def test_the_expiry_interval_counts_down_while_a_message_waits(world: World) -> None:
    world.connect("c", clean=False, session_expiry_interval=100).subscribe("t", qos=1)
    world.clients[0].lose()
    world.publish("t", b"x", qos=1, properties={"message_expiry_interval": 10})
    world.advance(4)
    client = world.connect("c", clean=False, session_expiry_interval=100)
    assert client.next().properties == {"message_expiry_interval": 6}


def test_a_message_that_waited_too_long_is_dropped(world: World) -> None:
    world.connect("c", clean=False, session_expiry_interval=100).subscribe("t", qos=1)
    world.clients[0].lose()
    world.publish("t", b"old", qos=1, properties={"message_expiry_interval": 10})
    world.publish("t", b"at once", qos=1, properties={"message_expiry_interval": 0})
    world.publish("t", b"young", qos=1)
    world.advance(10)
    assert world.connect("c", clean=False).payloads() == [b"young"]
    assert [each["reason"] for each in world.of_kind("drop")] == ["its expiry interval is over"] * 2


def test_a_message_that_may_not_wait_reaches_who_is_there(world: World) -> None:
    client = world.connect("c")
    client.subscribe("t", qos=1)
    world.publish("t", b"x", qos=1, properties={"message_expiry_interval": 0})
    assert client.next().properties == {"message_expiry_interval": 0}
