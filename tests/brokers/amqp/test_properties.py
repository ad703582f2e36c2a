"""Properties and header tables of every type, forwarded untouched and readable as plain data."""

from __future__ import annotations

import datetime
import struct
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pamqp import encode
from pamqp.commands import Basic

from sandbox.brokers.amqp.edit import without_header
from sandbox.brokers.amqp.errors import AmqpError
from sandbox.brokers.amqp.properties import (
    HEADER_SIZE,
    decode_properties,
    encode_header,
    examine,
)
from sandbox.brokers.amqp.tables import MalformedTableError, decode_table, encode_table
from tests.brokers.amqp.client import Client, World, is_close, marshal, raw_frame

EVERY_TYPE: dict[str, tuple[bytes, str, Any]] = {
    "bool": (b"t\x01", "bool", True),
    "byte": (b"b\xff", "byte", -1),
    "unsignedbyte": (b"B\xff", "unsignedbyte", 255),
    "short": (b"s" + struct.pack(">h", -300), "short", -300),
    "unsignedshort": (b"u" + struct.pack(">H", 65000), "unsignedshort", 65000),
    "signedint": (b"I" + struct.pack(">i", -70000), "signedint", -70000),
    "unsignedint": (b"i" + struct.pack(">I", 4000000000), "unsignedint", 4000000000),
    "long": (b"l" + struct.pack(">q", -(2**40)), "long", -(2**40)),
    "float": (b"f" + struct.pack(">f", 0.5), "float", 0.5),
    "double": (b"d" + struct.pack(">d", 0.1), "double", 0.1),
    "decimal": (b"D\x02" + struct.pack(">i", -125), "decimal", "-1.25"),
    "longstr": (b"S\x00\x00\x00\x02hi", "longstr", "hi"),
    "not text": (b"S\x00\x00\x00\x01\xff", "longstr", b"\xff"),
    "binary": (b"x\x00\x00\x00\x02hi", "binary", b"hi"),
    "timestamp": (b"T" + struct.pack(">Q", 1790000000), "timestamp", 1790000000),
    "void": (b"V", "void", None),
    "array": (b"A\x00\x00\x00\x04t\x00b\x07", "array", [False, 7]),
    "table": (b"F\x00\x00\x00\x04\x01kb\x07", "table", {"k": 7}),
}
EVERY_VALUE = b"".join(
    bytes((len(name),)) + name.encode() + raw for name, (raw, _, _) in EVERY_TYPE.items()
)
EVERY_TABLE = len(EVERY_VALUE).to_bytes(4, "big") + EVERY_VALUE

EVERY_PROPERTY: dict[str, Any] = {
    "content_type": "text/plain",
    "content_encoding": "utf-8",
    "headers": {"attempt": 3, "nested": {"list": [1, "two", None]}},
    "delivery_mode": 2,
    "priority": 9,
    "correlation_id": "c-1",
    "reply_to": "answers",
    "message_id": "m-1",
    "timestamp": 1790000000,
    "type": "order",
    "user_id": "guest",
    "app_id": "shop",
    "cluster_id": "",
}


def test_every_type_of_table_value_becomes_plain_data() -> None:
    table, end = decode_table(EVERY_TABLE, 0, len(EVERY_TABLE))
    assert end == len(EVERY_TABLE)
    assert table == {name: value for name, (_, _, value) in EVERY_TYPE.items()}
    assert table.types == {name: kind for name, (_, kind, _) in EVERY_TYPE.items()}


@pytest.mark.parametrize("cut", range(4, len(EVERY_TABLE)))
def test_a_table_cut_short_is_refused(cut: int) -> None:
    with pytest.raises(MalformedTableError):
        decode_table(EVERY_TABLE[:cut], 0, cut)
    claims_to_be_whole = (cut - 4).to_bytes(4, "big") + EVERY_TABLE[4:cut]
    try:
        decode_table(claims_to_be_whole, 0, cut)
    except MalformedTableError:
        return
    assert cut in _boundaries()


def _boundaries() -> set[int]:
    places, position = {4}, 4
    for name, (raw, _, _) in EVERY_TYPE.items():
        position += 1 + len(name) + len(raw)
        places.add(position)
    return places


def test_a_table_with_a_type_nobody_knows_is_refused() -> None:
    with pytest.raises(MalformedTableError):
        decode_table(b"\0\0\0\x03\x01kz", 0, 7)


@settings(deadline=None)
@given(
    st.dictionaries(
        st.text(min_size=1, max_size=9),
        st.recursive(
            st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.text(min_size=1, max_size=9), inner, max_size=3)
            ),
            max_leaves=8,
        ),
        max_size=5,
    )
)
def test_plain_tables_come_back_as_they_were(table: dict[str, Any]) -> None:
    packed = encode_table(table)
    assert decode_table(packed, 0, len(packed)) == (table, len(packed))


def test_what_a_client_library_writes_is_read() -> None:
    moment = datetime.datetime(2026, 11, 21, tzinfo=datetime.UTC)
    packed = encode.field_table({"d": Decimal("1.25"), "t": moment, "b": bytearray(b"\xff")})
    table, _ = decode_table(packed, 0, len(packed))
    assert table == {"d": "1.25", "t": int(moment.timestamp()), "b": b"\xff"}


def test_every_property_survives_encoding_and_decoding() -> None:
    assert decode_properties(encode_header(EVERY_PROPERTY, 5)) == EVERY_PROPERTY


def test_a_name_that_is_no_property_is_a_mistake_of_the_callers() -> None:
    with pytest.raises(ValueError, match="'colour' is no message property"):
        encode_header({"colour": "red"}, 0)


def test_a_header_can_be_taken_out_of_a_message() -> None:
    header = encode_header({"headers": {"a": 1, "b": 2}, "app_id": "x"}, 5)
    assert decode_properties(without_header(header, "a")) == {"headers": {"b": 2}, "app_id": "x"}


def test_header_bytes_reach_the_consumer_exactly_as_they_were_sent(client: Client) -> None:
    client.declare("q")
    flags_and_table = b"\x20\x00" + EVERY_TABLE
    header = b"\0\x3c\0\0" + (1).to_bytes(8, "big") + flags_and_table
    client.feed(raw_frame(1, 1, b"\0\x3c\0\x28\0\0\0\x01q\0"))
    client.feed(raw_frame(2, 1, header) + raw_frame(3, 1, b"x"))
    client.received()
    client.send(Basic.Get(queue="q"))
    assert raw_frame(2, 1, header) in client.incoming
    expected = {name: value for name, (_, _, value) in EVERY_TYPE.items()}
    assert client.received()[0].properties == {"headers": expected}


def test_all_properties_reach_consumer_and_trace(client: Client, world: World) -> None:
    client.declare("q")
    header = encode_header(EVERY_PROPERTY, 1)
    client.feed(raw_frame(1, 1, b"\0\x3c\0\x28\0\0\0\x01q\0"))
    client.feed(raw_frame(2, 1, header) + raw_frame(3, 1, b"x"))
    got = client.get("q")
    assert got is not None
    assert got.properties == EVERY_PROPERTY
    assert world.of_kind("basic.publish")[0]["properties"] == EVERY_PROPERTY
    assert type(world.of_kind("basic.publish")[0]["properties"]["headers"]) is dict


@pytest.mark.parametrize(
    "packed",
    [
        b"\x80\x00\x09",
        b"\x00\x00\x09",
        b"\x80\x00\x01\xff",
        b"\x20\x00\x00\x00\x00\x05",
        b"\x00\x01\x00\x00",
        b"\x00\x02",
        b"\x00\x40\x00",
    ],
)
def test_malformed_properties_are_541(client: Client, packed: bytes) -> None:
    client.feed(raw_frame(1, 1, b"\0\x3c\0\x28\0\0\0\x01q\0"))
    client.feed(raw_frame(2, 1, b"\0\x3c\0\0" + bytes(8) + packed))
    is_close(client.received()[0], 541, "INTERNAL_ERROR")


def test_a_header_too_short_for_its_flags_is_501(client: Client) -> None:
    client.feed(raw_frame(1, 1, b"\0\x3c\0\x28\0\0\0\x01q\0"))
    client.feed(raw_frame(2, 1, b"\0\x3c\0\0"))
    is_close(
        client.received()[0], 501, "FRAME_ERROR - type 2, all octets = <<0,60,0,0>>: unknown_frame"
    )


@pytest.mark.parametrize(
    ("properties", "code", "text"),
    [
        (
            {"user_id": "bob"},
            406,
            "PRECONDITION_FAILED - user_id property set to 'bob' but authenticated user was"
            " 'guest'",
        ),
        ({"expiration": "abc"}, 406, "PRECONDITION_FAILED - invalid expiration 'abc': no_integer"),
        (
            {"expiration": "-1"},
            406,
            "PRECONDITION_FAILED - invalid expiration '-1': {value_negative,-1}",
        ),
        (
            {"delivery_mode": 3},
            406,
            "PRECONDITION_FAILED - invalid message: {delivery_mode_unknown,3}",
        ),
        (
            {"headers": {"CC": "one"}},
            406,
            'PRECONDITION_FAILED - invalid message: {unacceptable_type_in_header,"CC",longstr}',
        ),
        (
            {"reply_to": "amq.rabbitmq.reply-to"},
            406,
            "PRECONDITION_FAILED - fast reply consumer does not exist",
        ),
    ],
)
def test_properties_no_message_may_have(
    client: Client, properties: dict[str, Any], code: int, text: str
) -> None:
    client.feed(marshal(Basic.Publish(routing_key="q"), 1))
    client.feed(raw_frame(2, 1, encode_header(properties, 0)))
    is_close(client.received()[0], code, text)


def test_what_was_found_out_about_properties_is_remembered_and_bounded() -> None:
    first = examine(encode_header({"delivery_mode": 2}, 1)[HEADER_SIZE:])
    assert examine(encode_header({"delivery_mode": 2}, 99)[HEADER_SIZE:]) is first
    for number in range(2000):
        examine(encode_header({"message_id": str(number)}, 0)[HEADER_SIZE:])
    assert examine(encode_header({"delivery_mode": 2}, 1)[HEADER_SIZE:]).persistent
    long = encode_header({"headers": {"x": "y" * 300}}, 0)[HEADER_SIZE:]
    assert examine(long) is not examine(long)


def test_a_refusal_is_not_remembered_as_an_answer() -> None:
    packed = encode_header({"delivery_mode": 7}, 0)[HEADER_SIZE:]
    for _ in range(2):
        with pytest.raises(AmqpError):
            examine(packed)
