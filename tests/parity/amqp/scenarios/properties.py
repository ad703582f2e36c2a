"""What travels with a message: every property and every type of header value."""

from __future__ import annotations

import datetime
import decimal
import struct
from typing import Any

import pika
from pamqp import commands

from tests.parity.amqp.stage import Stage, scenario


def _roundtrip(stage: Stage, properties: Any) -> Any:
    channel = stage.channel()
    channel.queue_declare("orders")
    channel.basic_publish("", "orders", b"body", properties)
    return channel.basic_get("orders")[1]


@scenario
def every_property_arrives_as_it_was_sent(stage: Stage) -> None:
    sent = pika.BasicProperties(
        content_type="text/plain",
        content_encoding="utf-8",
        headers={"a": 1},
        delivery_mode=2,
        priority=9,
        correlation_id="correlation",
        reply_to="answers",
        message_id="message",
        timestamp=1234567890,
        type="order",
        user_id="guest",
        app_id="shop",
        cluster_id="cluster",
    )
    stage.see(vars(_roundtrip(stage, sent)))


@scenario
def an_expiration_arrives_as_it_was_sent(stage: Stage) -> None:
    stage.see(_roundtrip(stage, pika.BasicProperties(expiration="60000")).expiration)


@scenario
def a_message_without_properties(stage: Stage) -> None:
    stage.see(vars(_roundtrip(stage, None)))


@scenario
def every_type_of_header_value(stage: Stage) -> None:
    headers = {
        "bool": True,
        "int": -5,
        "long": 2**40,
        "text": "grüße 🐇",
        "bytes": b"\x00\xff",
        "none": None,
        "decimal": decimal.Decimal("1.25"),
        "time": datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC),
        "list": [1, "two", [3, None], {"four": 5}],
        "table": {"nested": {"deeper": ["x"]}},
        "empty list": [],
        "empty table": {},
    }
    seen = _roundtrip(stage, pika.BasicProperties(headers=headers)).headers
    stage.see(sorted((name, type(value).__name__, str(value)) for name, value in seen.items()))


@scenario
def headers_survive_being_requeued(stage: Stage) -> None:
    channel = stage.channel()
    channel.queue_declare("orders")
    properties = pika.BasicProperties(headers={"attempt": 1}, message_id="m")
    channel.basic_publish("", "orders", b"body", properties)
    method, _, _ = channel.basic_get("orders")
    channel.basic_nack(method.delivery_tag)
    method, properties, body = channel.basic_get("orders")
    stage.see(method.redelivered, properties.headers, properties.message_id, body)


@scenario
def every_type_letter_of_a_table_passes_unchanged(stage: Stage) -> None:
    values = {
        "t": b"\x01",
        "b": struct.pack(">b", -3),
        "B": b"\xfd",
        "s": struct.pack(">h", -300),
        "u": struct.pack(">H", 60000),
        "I": struct.pack(">i", -70000),
        "i": struct.pack(">I", 4_000_000_000),
        "l": struct.pack(">q", -(2**40)),
        "f": struct.pack(">f", 1.5),
        "d": struct.pack(">d", 2.25),
        "D": b"\x02" + struct.pack(">i", 125),
        "S": struct.pack(">I", 2) + b"hi",
        "A": struct.pack(">I", 2) + b"t\x00",
        "T": struct.pack(">Q", 1234567890),
        "F": struct.pack(">I", 0),
        "V": b"",
        "x": struct.pack(">I", 1) + b"\xff",
    }
    for letter, encoded in values.items():
        client = stage.raw()
        client.open_channel()
        client.send(commands.Queue.Declare(0, "orders"))
        client.read()
        table = b"\x01k" + letter.encode() + encoded
        properties = struct.pack(">HI", 0x2000, len(table)) + table
        header = struct.pack(">HHQ", 60, 0, 0) + properties
        client.send(commands.Basic.Publish(0, "", "orders", True, False))
        client.send_bytes(struct.pack(">BHI", 2, 1, len(header)) + header + b"\xce")
        client.send(commands.Queue.Declare(0, "orders", True))
        client.read()
        client.send(commands.Basic.Get(0, "orders", True))
        client.read()
        stage.see(letter, client.read_raw()[7:-1] == header)
        client.close()
