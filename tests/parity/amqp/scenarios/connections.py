"""Connections and channels: logging in, virtual hosts, closing."""

from __future__ import annotations

from typing import Any

import pika
import pika.exceptions
from pamqp import commands

from tests.parity.amqp.stage import Stage, scenario


def _see_failure(stage: Stage, **options: Any) -> None:
    try:
        stage.connect(**options)
    except pika.exceptions.AMQPConnectionError as error:
        stage.see(type(error).__name__, str(error))
    else:
        stage.see("let in")


@scenario
def a_wrong_password_is_refused(stage: Stage) -> None:
    _see_failure(stage, credentials=pika.PlainCredentials("guest", "wrong"))
    _see_failure(stage, credentials=pika.PlainCredentials("nobody", "guest"))


@scenario
def a_virtual_host_that_does_not_exist_is_refused(stage: Stage) -> None:
    client = stage.raw(handshake=False)
    client.send_bytes(b"AMQP\x00\x00\x09\x01")
    client.read()
    client.send(commands.Connection.StartOk({}, "PLAIN", "\x00guest\x00guest", "en_US"), 0)
    tune = client.read()[1]
    client.send(commands.Connection.TuneOk(tune.channel_max, tune.frame_max, 0), 0)
    client.send(commands.Connection.Open("elsewhere"), 0)
    stage.see(client.said())


@scenario
def logging_in_with_amqplain(stage: Stage) -> None:
    client = stage.raw(handshake=False)
    client.send_bytes(b"AMQP\x00\x00\x09\x01")
    start = client.read()[1]
    stage.see(sorted(start.mechanisms.split()), start.locales)
    table = b"\x05LOGINS\x00\x00\x00\x05guest\x08PASSWORDS\x00\x00\x00\x05guest"
    client.send(commands.Connection.StartOk({}, "AMQPLAIN", table.decode(), "en_US"), 0)
    stage.see(client.read()[1].name)


@scenario
def a_mechanism_nobody_offered(stage: Stage) -> None:
    client = stage.raw(handshake=False)
    client.send_bytes(b"AMQP\x00\x00\x09\x01")
    client.read()
    client.send(commands.Connection.StartOk({}, "TELEPATHY", "hm", "en_US"), 0)
    stage.see(client.said())


@scenario
def what_the_server_says_it_can_do(stage: Stage) -> None:
    client = stage.raw(handshake=False)
    client.send_bytes(b"AMQP\x00\x00\x09\x01")
    start = client.read()[1]
    stage.see(start.version_major, start.version_minor)
    stage.see(sorted(start.server_properties["capabilities"].items()))
    client.send(commands.Connection.StartOk({}, "PLAIN", "\x00guest\x00guest", "en_US"), 0)
    tune = client.read()[1]
    stage.see(tune.channel_max, tune.frame_max, tune.heartbeat)


@scenario
def the_wrong_protocol_is_answered_with_the_right_one(stage: Stage) -> None:
    for greeting in (b"HTTP/1.1", b"AMQP\x00\x01\x02\x03", b"AMQP\x02\x01\x00\x00"):
        client = stage.raw(handshake=False)
        client.send_bytes(greeting)
        stage.see(client.said(), client.said())


@scenario
def closing_a_channel_leaves_the_connection(stage: Stage) -> None:
    connection = stage.connect()
    first, second = connection.channel(), connection.channel()
    first.close()
    stage.see(first.is_open, second.is_open, connection.is_open)
    stage.see(second.queue_declare("orders").method.queue)


@scenario
def a_channel_error_leaves_the_other_channels(stage: Stage) -> None:
    connection = stage.connect()
    first, second = connection.channel(), connection.channel()
    stage.refused(lambda: first.queue_declare("nobody's", passive=True))
    stage.see(first.is_open, second.is_open, connection.is_open)
    stage.see(connection.channel().channel_number)


@scenario
def closing_the_connection_is_answered(stage: Stage) -> None:
    client = stage.raw()
    client.send(commands.Connection.Close(200, "bye", 0, 0), 0)
    stage.see(client.said())


@scenario
def closing_a_channel_is_answered_and_its_number_free_again(stage: Stage) -> None:
    client = stage.raw()
    for _ in range(2):
        client.open_channel(5)
        client.send(commands.Channel.Close(200, "bye", 0, 0), 5)
        stage.see(client.said())
