"""What clients may not send, and what they are told."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.brokers.mqtt import properties, wire
from tests.brokers.mqtt import packets
from tests.brokers.mqtt.client import World, new_world

P = packets
BAD: dict[str, tuple[bytes, int]] = {
    "QoS 3": (P.publish("t", b"", 3, 1), 0x81),
    "DUP with QoS 0": (P.publish("t", dup=True), 0x81),
    "no packet identifier": (P.publish("t", b"", 1, 0), 0x82),
    "no topic": (P.publish(""), 0x82),
    "a wildcard in a topic": (P.publish("a/+"), 0x82),
    "a control character": (P.publish("a\x01"), 0x81),
    "a zero character": (P.publish("a\x00"), 0x81),
    "a non-character": (P.publish("a\ufffe"), 0x81),
    "half a surrogate": (wire.packet(0x30, b"\x00\x03\xed\xa0\x80\x00"), 0x81),
    "overlong UTF-8": (wire.packet(0x30, b"\x00\x02\xc0\x80\x00"), 0x81),
    "an alias nobody set": (P.publish("", topic_alias=3), 0x82),
    "a response topic with a wildcard": (P.publish("t", response_topic="a/#"), 0x82),
    "an identifier from a client": (P.publish("t", subscription_identifier=1), 0x82),
    "a property of other packets": (P.publish("t", session_expiry_interval=1), 0x81),
    "a property that does not exist": (wire.packet(0x30, b"\x00\x01t\x02\x7f\x00"), 0x81),
    "a property twice": (P.publish("t", content_type=["a", "b"]), 0x82),
    "a payload format that does not exist": (P.publish("t", payload_format_indicator=2), 0x82),
    "properties longer than the packet": (wire.packet(0x30, b"\x00\x01t\x7f"), 0x81),
    "a length in too many bytes": (wire.packet(0x30, b"\x00\x01t\x80\x00"), 0x81),
    "a body shorter than its topic": (wire.packet(0x30, b"\x00\x09t"), 0x81),
    "PUBREL with the wrong flags": (b"\x60\x02\x00\x01", 0x81),
    "SUBSCRIBE with the wrong flags": (b"\x80\x02\x00\x01", 0x81),
    "PINGREQ with flags": (b"\xc1\x00", 0x81),
    "PINGREQ with a body": (b"\xc0\x01x", 0x81),
    "an unknown reason code": (P.answer("PUBACK", 1, 0x55), 0x82),
    "PUBACK for packet 0": (P.answer("PUBACK", 0), 0x82),
    "SUBSCRIBE without filters": (P.subscribe(1, []), 0x82),
    "SUBSCRIBE for packet 0": (P.subscribe(0, [("t", 0)]), 0x82),
    "SUBSCRIBE with QoS 3": (P.subscribe(1, [("t", 3)]), 0x81),
    "SUBSCRIBE with reserved options": (P.subscribe(1, [("t", 0x40)]), 0x81),
    "retain handling 3": (P.subscribe(1, [("t", 0x30)]), 0x82),
    "subscription identifier 0": (P.subscribe(1, [("t", 0)], subscription_identifier=0), 0x82),
    "two identifiers": (P.subscribe(1, [("t", 0)], subscription_identifier=[1, 2]), 0x82),
    "UNSUBSCRIBE without filters": (P.unsubscribe(1, []), 0x82),
    "CONNACK from a client": (b"\x20\x02\x00\x00", 0x82),
    "SUBACK from a client": (b"\x90\x03\x00\x01\x00", 0x82),
    "PINGRESP from a client": (b"\xd0\x00", 0x82),
    "a packet of type 0": (b"\x00\x00", 0x82),
    "a remaining length of five bytes": (b"\x30\xff\xff\xff\xff\x01", 0x81),
    "DISCONNECT with a server's reason": (P.disconnect(0x8B), 0x82),
    "DISCONNECT with a server reference": (P.disconnect(0, server_reference="x"), 0x82),
}


@pytest.mark.parametrize("what", list(BAD))
def test_a_packet_against_the_rules_ends_the_connection_with_a_reason(
    world: World, what: str
) -> None:
    data, reason = BAD[what]
    client = world.connect("c")
    client.send(data)
    told = client.next()
    assert (told.kind, told.reason) == ("DISCONNECT", reason)
    assert len(told.properties["reason_string"]) > 10, "a sentence says why"
    assert client.closed
    assert not world.broker.sessions()


OLD_BAD = {
    "QoS 3": P.publish("t", b"", 3, 1, 4),
    "a wildcard in a topic": P.publish("a/+", version=4),
    "a filter that is none": P.subscribe(1, [("a/#/b", 0)], 4),
    "options of MQTT 5": P.subscribe(1, [("t", 4)], 4),
    "AUTH": b"\xf0\x00",
    "a second CONNECT": P.connect("c", 4),
}


@pytest.mark.parametrize("what", list(OLD_BAD))
def test_older_clients_are_cut_off_without_a_word(world: World, what: str) -> None:
    client = world.connect("c", 4)
    client.send(OLD_BAD[what])
    assert client.closed
    assert not client.incoming


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"receive_maximum": 0}, 0x82),
        ({"maximum_packet_size": 0}, 0x82),
        ({"request_problem_information": 2}, 0x82),
        ({"content_type": "x"}, 0x81),
        ({"authentication_data": b"x"}, 0x82),
        ({"flags": 1}, 0x81),
    ],
)
def test_a_bad_connect_is_answered_with_the_reason(
    world: World, options: dict[str, int], reason: int
) -> None:
    client = world.connect("c", **options)
    assert client.connack.reason == reason
    assert client.closed


def test_the_reason_is_left_out_where_it_does_not_fit(world: World) -> None:
    client = world.connect("c", maximum_packet_size=20)
    client.send(b"\x00\x00")
    told = client.next()
    assert (told.reason, told.properties) == (0x82, {})


def test_every_property_is_read_as_it_was_written() -> None:
    values: list[Any] = [1, b"\x00\xff", "é", ("a", "b")]
    read = 0
    for each in properties.TABLE:
        for packet in each.packets:
            for one in values:
                value = [one, one] if properties.repeats(each.name, packet) else one
                try:
                    written = properties.encode({each.name: value})
                except (AttributeError, IndexError, TypeError, ValueError):
                    continue  # a value of another type
                assert properties.decode(wire.Reader(written), packet) == {each.name: value}
                read += 1
    assert read >= sum(len(each.packets) for each in properties.TABLE)


@given(st.integers(0, wire.MAX_VARINT))
def test_a_variable_integer_is_read_as_it_was_written(value: int) -> None:
    reader = wire.Reader(wire.varint(value))
    assert reader.varint("it") == value
    assert not reader.left


# -- hostile bytes -----------------------------------------------------------------------------

_pieces = st.one_of(
    st.binary(max_size=40),
    st.sampled_from([data for data, _ in BAD.values()]),
    st.sampled_from(list(OLD_BAD.values())),
    st.builds(
        P.publish,
        st.text(max_size=4),
        st.binary(max_size=5),
        st.integers(0, 3),
        st.integers(0, 9),
        st.sampled_from([4, 5]),
    ),
    st.builds(
        P.answer,
        st.sampled_from(["PUBACK", "PUBREC", "PUBREL", "PUBCOMP"]),
        st.integers(0, 9),
        st.sampled_from([0, 0x10, 0x80, 0x92, 0xFF]),
    ),
    st.builds(
        P.subscribe,
        st.integers(0, 9),
        st.lists(st.tuples(st.sampled_from(["#", "t", "+/t", "$share/g/#"]), st.integers(0, 63))),
        st.sampled_from([4, 5]),
    ),
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    pieces=st.lists(_pieces, max_size=12),
    version=st.sampled_from([0, 3, 4, 5]),
    cuts=st.lists(st.integers(1, 30), min_size=1, max_size=5),
)
def test_whatever_bytes_come_the_broker_goes_on(
    pieces: list[bytes], version: int, cuts: list[int]
) -> None:
    world = new_world(users=None)
    witness = world.connect("witness")
    witness.subscribe("witness", qos=1)
    hostile = world.raw(version or 5)
    data = (P.connect("hostile", version) if version else b"") + b"".join(pieces)
    while data and not hostile.closed:
        size = cuts[len(data) % len(cuts)]
        hostile.send(data[:size])
        data = data[size:]
    world.advance(200)
    witness.received()
    world.publish("witness", b"still here", qos=1)
    assert witness.next().payload == b"still here"


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.integers(0, 2**32))
def test_a_valid_conversation_with_one_wrong_byte_never_breaks_the_broker(seed: int) -> None:
    random = Random(seed)
    world = new_world()
    data = bytearray(
        P.connect("c", will=("w", b"x", 1, True), user="u", password=b"p", receive_maximum=5)
        + P.subscribe(1, [("a/+", 2), ("$share/g/b", 1)], subscription_identifier=3)
        + P.publish("a/b", b"x", 2, 4, user_property=[("k", "v")], topic_alias=1)
        + P.answer("PUBREL", 4)
        + P.unsubscribe(5, ["a/+"])
        + P.disconnect(4, session_expiry_interval=5, reason_string="bye")
    )
    data[random.randrange(len(data))] = random.randrange(256)
    client = world.raw()
    client.send(bytes(data))
    client.received()
    client.lose()
    world.advance(1000)
    assert not world.broker.connections
