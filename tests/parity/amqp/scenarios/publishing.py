"""Publishing: mandatory messages, confirms, sizes."""

from __future__ import annotations

import pika
import pika.exceptions
from pamqp import commands

from tests.parity.amqp.stage import Stage, scenario


@scenario
def a_message_for_nobody_is_dropped(stage: Stage) -> None:
    channel = stage.channel()
    channel.queue_declare("other")
    channel.basic_publish("", "nobody's", b"lost")
    channel.basic_publish("amq.fanout", "", b"lost")
    stage.counts(channel, "other")


@scenario
def a_mandatory_message_for_nobody_comes_back(stage: Stage) -> None:
    channel = stage.channel()

    def returned(_channel: object, method: object, properties: object, body: bytes) -> None:
        stage.see(
            "returned",
            method.reply_code,
            method.reply_text,
            method.exchange,
            method.routing_key,
            body,
            properties.message_id,
        )

    channel.add_on_return_callback(returned)
    properties = pika.BasicProperties(message_id="m1")
    channel.basic_publish("", "nobody's", b"one", properties, mandatory=True)
    channel.basic_publish("amq.direct", "key", b"two", properties, mandatory=True)
    channel.basic_publish("amq.direct", "key", b"", properties, mandatory=True)
    stage.quiet(channel)


@scenario
def a_confirmed_message_and_one_that_nobody_wants(stage: Stage) -> None:
    channel = stage.channel()
    channel.queue_declare("orders")
    channel.confirm_delivery()
    channel.basic_publish("", "orders", b"one")
    channel.basic_publish("", "nobody's", b"dropped, and confirmed all the same")
    channel.basic_publish("", "orders", b"two", mandatory=True)
    try:
        channel.basic_publish("", "nobody's", b"three", mandatory=True)
    except pika.exceptions.UnroutableError as error:
        stage.see("unroutable", [(m.method.reply_text, m.body) for m in error.messages])
    stage.counts(channel, "orders")


@scenario
def a_mandatory_message_is_returned_before_it_is_confirmed(stage: Stage) -> None:
    client = stage.raw()
    client.open_channel()
    client.send(commands.Confirm.Select())
    stage.see(client.said())
    client.send(commands.Basic.Publish(0, "", "nobody's", True, False))
    client.send_bytes(_content(1, b"lost"))
    for _ in range(4):
        frame = client.read()[1]
        stage.see(getattr(frame, "name", ""), getattr(frame, "delivery_tag", None))


@scenario
def confirms_are_numbered_from_the_select(stage: Stage) -> None:
    client = stage.raw()
    client.open_channel()
    client.send(commands.Queue.Declare(0, "orders"))
    client.read()
    for _ in range(2):
        client.send(commands.Basic.Publish(0, "", "orders", False, False))
        client.send_bytes(_content(1, b"before"))
    client.send(commands.Confirm.Select())
    stage.see(client.said())
    for _ in range(3):
        client.send(commands.Basic.Publish(0, "", "orders", False, False))
        client.send_bytes(_content(1, b"after"))
        stage.see(client.said())
    client.send(commands.Confirm.Select())
    stage.see(client.said())
    client.send(commands.Basic.Publish(0, "", "orders", False, False))
    client.send_bytes(_content(1, b"after"))
    stage.see(client.said())


@scenario
def confirms_and_transactions_exclude_one_another(stage: Stage) -> None:
    connection = stage.connect()
    channel = connection.channel()
    channel.confirm_delivery()
    stage.refused(channel.tx_select)


@scenario
def an_empty_body_is_a_message_too(stage: Stage) -> None:
    channel = stage.channel()
    channel.queue_declare("orders")
    channel.basic_publish("", "orders", b"")
    method, properties, body = channel.basic_get("orders")
    stage.see(method.routing_key, method.exchange, body, properties.content_type)


@scenario
def a_body_longer_than_a_frame_arrives_whole(stage: Stage) -> None:
    channel = stage.channel()
    channel.queue_declare("orders")
    body = bytes(range(256)) * 2048
    channel.basic_publish("", "orders", body)
    stage.see(len(body), channel.basic_get("orders")[2] == body)


@scenario
def clients_with_different_frame_sizes_understand_one_another(stage: Stage) -> None:
    small = stage.connect(frame_max=4096).channel()
    large = stage.connect(frame_max=131072).channel()
    small.queue_declare("orders")
    body = b"0123456789" * 2000
    large.basic_publish("", "orders", body)
    stage.quiet(large)
    stage.see(small.basic_get("orders")[2] == body)
    small.basic_publish("", "orders", body)
    stage.quiet(small)
    stage.see(large.basic_get("orders")[2] == body)


@scenario
def the_immediate_flag_is_not_implemented(stage: Stage) -> None:
    client = stage.raw()
    client.open_channel()
    client.send(commands.Basic.Publish(0, "", "orders", False, True))
    client.send_bytes(_content(1, b"now"))
    stage.see(client.said())


@scenario
def an_expiration_that_is_no_number(stage: Stage) -> None:
    channel = stage.channel()
    channel.queue_declare("orders")

    def publish() -> None:
        channel.basic_publish("", "orders", b"x", pika.BasicProperties(expiration="soon"))
        channel.queue_declare("orders", passive=True)

    stage.refused(publish)


@scenario
def publishing_in_another_users_name(stage: Stage) -> None:
    connection = stage.connect()
    channel = connection.channel()
    channel.queue_declare("orders")
    channel.basic_publish("", "orders", b"x", pika.BasicProperties(user_id="guest"))
    stage.get_all(channel, "orders")

    def publish() -> None:
        channel.basic_publish("", "orders", b"x", pika.BasicProperties(user_id="somebody"))
        channel.queue_declare("orders", passive=True)

    stage.refused(publish)


def _content(channel: int, body: bytes) -> bytes:
    import pamqp.body
    import pamqp.frame
    from pamqp import header

    head = header.ContentHeader(0, len(body), commands.Basic.Properties())
    data = pamqp.frame.marshal(head, channel)
    return data + (pamqp.frame.marshal(pamqp.body.ContentBody(body), channel) if body else b"")
