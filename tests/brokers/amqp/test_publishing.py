"""Publishing: routing, returns, confirms."""

from __future__ import annotations

import pytest
from pamqp.commands import Basic, Channel, Confirm, Queue

from tests.brokers.amqp.client import (
    Client,
    Content,
    World,
    blank,
    closes_connection,
    is_close,
    marshal,
    published,
    unmarshal,
)


def kinds(heard: list[object]) -> list[str]:
    return [type(what.method if isinstance(what, Content) else what).__name__ for what in heard]


def test_a_message_nobody_wants_is_dropped(client: Client) -> None:
    client.publish(queue="nowhere")
    assert client.received() == []


def test_a_mandatory_message_nobody_wants_comes_back(client: Client) -> None:
    client.publish(b"hello", queue="nowhere", mandatory=True, app_id="me")
    (returned,) = client.received()
    assert (returned.method.reply_code, returned.method.reply_text) == (312, "NO_ROUTE")
    assert (returned.method.exchange, returned.method.routing_key) == ("", "nowhere")
    assert (returned.body, returned.properties) == (b"hello", {"app_id": "me"})


def test_a_mandatory_message_somebody_gets_does_not_come_back(client: Client) -> None:
    client.declare("q")
    client.publish(queue="q", mandatory=True)
    assert client.received() == []


def test_publishing_to_an_exchange_that_is_not_there_is_404(client: Client) -> None:
    client.publish(exchange="nowhere")
    (reply,) = client.received()
    is_close(reply, 404, "NOT_FOUND - no exchange 'nowhere' in vhost '/'")
    assert (reply.class_id, reply.method_id) == (60, 40)


def test_immediate_is_540(client: Client) -> None:
    client.feed(marshal(blank(Basic.Publish, routing_key="q", immediate=True), 1))
    assert client.received() == []
    client.feed(b"\x02\x00\x01\x00\x00\x00\x0e\x00\x3c\x00\x00" + bytes(10) + b"\xce")
    (reply,) = client.received()
    is_close(reply, 540, "NOT_IMPLEMENTED - immediate=true")
    assert closes_connection(reply)


def test_confirms_count_from_one_on_each_channel(client: Client) -> None:
    client.declare("q")
    client.publish(queue="q")
    assert isinstance(client.ask(Confirm.Select()), Confirm.SelectOk)
    for expected in (1, 2, 3):
        client.publish(queue="q")
        (ack,) = client.received()
        assert (ack.delivery_tag, ack.multiple) == (expected, False)


def test_an_unroutable_message_is_returned_and_then_confirmed(client: Client) -> None:
    client.ask(Confirm.Select())
    client.publish(queue="nowhere", mandatory=True)
    assert kinds(client.received()) == ["Return", "Ack"]
    client.publish(queue="nowhere")
    assert kinds(client.received()) == ["Ack"]


def test_selecting_confirms_twice_does_not_start_the_count_again(client: Client) -> None:
    client.ask(Confirm.Select())
    client.publish(queue="x")
    client.received()
    assert isinstance(client.ask(Confirm.Select()), Confirm.SelectOk)
    assert client.asked(Confirm.Select(nowait=True)) == []
    client.publish(queue="x")
    assert client.received()[0].delivery_tag == 2


def test_a_message_that_fails_is_not_confirmed(client: Client) -> None:
    client.ask(Confirm.Select())
    client.publish(exchange="nowhere")
    assert kinds(client.received()) == ["Close"]


def test_senders_may_name_more_keys_in_cc_and_bcc(client: Client) -> None:
    for queue in ("one", "two", "three"):
        client.declare(queue)
    headers = {"CC": ["two", "one"], "BCC": ["three"], "z": 1}
    client.publish(queue="one", headers=headers)
    for queue in ("one", "two", "three"):
        got = client.get(queue)
        assert got is not None
        assert got.properties == {"headers": {"CC": ["two", "one"], "z": 1}}
        assert got.method.routing_key == "one"
        assert client.get(queue) is None


def test_a_fanned_out_message_is_one_message_with_a_place_in_each_queue(
    client: Client, world: World
) -> None:
    for queue in ("one", "two"):
        client.declare(queue)
        world.broker.vhosts["/"].bind(queue, "amq.fanout", "")
    client.publish(exchange="amq.fanout")
    client.get("one")
    client.send(Basic.Reject(1, True))
    one, two = client.get("one"), client.get("two")
    assert one is not None
    assert two is not None
    assert (one.method.redelivered, two.method.redelivered) == (True, False)
    assert len(world.of_kind("basic.publish")) == 1


@pytest.mark.parametrize("body", [b"", b"x", b"\xce" * 5, b"AMQP\x00\x00\x09\x01"])
def test_any_body_arrives_as_it_was(client: Client, body: bytes) -> None:
    client.declare("q")
    client.publish(body, queue="q")
    got = client.get("q")
    assert got is not None
    assert (got.body, got.size, got.frames) == (body, len(body), 1 if body else 0)


def test_what_comes_in_one_piece_is_confirmed_in_one_piece(client: Client) -> None:
    client.declare("q")
    client.ask(Confirm.Select())
    client.feed(published(queue="q") * 5)
    client.feed(published(queue="q"))
    acks = [(ack.delivery_tag, ack.multiple) for ack in client.received()]
    assert acks == [(5, True), (6, False)]


def test_messages_that_were_refused_are_told_apart_from_those_that_were_not(
    client: Client,
) -> None:
    client.declare("full", arguments={"x-max-length": 2, "x-overflow": "reject-publish"})
    client.declare("q")
    client.ask(Confirm.Select())
    client.feed(published(queue="full") * 4 + published(queue="q"))
    told = [(type(each), each.delivery_tag, each.multiple) for each in client.received()]
    assert told == [(Basic.Ack, 2, True), (Basic.Nack, 4, True), (Basic.Ack, 5, False)]


def test_confirms_come_before_anything_else_that_is_said_on_the_channel(client: Client) -> None:
    client.declare("q")
    client.ask(Confirm.Select())
    passive = marshal(blank(Queue.Declare, queue="q", passive=True), 1)
    gone = marshal(blank(Queue.Declare, queue="none", passive=True), 1)
    client.feed(published(queue="q") * 2 + passive + published(queue="q") + gone)
    heard = [type(each) for each in client.received()]
    assert heard == [Basic.Ack, Queue.DeclareOk, Basic.Ack, Channel.Close]


def test_each_channel_is_confirmed_its_own(client: Client) -> None:
    client.declare("q")
    client.ask(Channel.Open(), 2)
    for channel in (1, 2):
        client.ask(Confirm.Select(), channel)
    client.feed((published(queue="q") + published(queue="q", channel=2)) * 3)
    frames, _ = unmarshal(client.incoming)
    assert [(number, ack.delivery_tag, ack.multiple) for number, ack in frames] == [
        (1, 3, True),
        (2, 3, True),
    ]
