"""Who gets which message: get, consumers, turns, prefetch."""

from __future__ import annotations

from typing import Any

import pytest
from pamqp.commands import Basic, Channel, Queue

from tests.brokers.amqp.client import Client, Content, World, closes_connection, is_close


def publish(client: Client, *bodies: bytes) -> None:
    for body in bodies:
        client.publish(body, queue="q")


def deliveries(client: Client) -> list[tuple[str, bytes]]:
    return [
        (what.method.consumer_tag, what.body)
        for what in client.received()
        if isinstance(what, Content)
    ]


@pytest.fixture(autouse=True)
def queue(client: Client) -> None:
    client.declare("q")


def test_get_takes_the_oldest_and_says_how_many_are_left(client: Client) -> None:
    publish(client, b"1", b"2", b"3")
    got = [client.get("q") for _ in range(4)]
    assert [g and (g.body, g.method.delivery_tag, g.method.message_count) for g in got] == [
        (b"1", 1, 2),
        (b"2", 2, 1),
        (b"3", 3, 0),
        None,
    ]


def test_get_from_an_empty_queue_says_so(client: Client) -> None:
    assert isinstance(client.ask(Basic.Get(queue="q")), Basic.GetEmpty)


def test_get_without_ack_leaves_nothing_to_settle(client: Client) -> None:
    publish(client, b"1")
    client.get("q", no_ack=True)
    is_close(client.ask(Basic.Ack(1)), 406, "PRECONDITION_FAILED - unknown delivery tag 1")


@pytest.mark.parametrize("method", [Basic.Get(queue="no"), Basic.Consume(queue="no")])
def test_a_queue_that_is_not_there_is_404(client: Client, method: Any) -> None:
    is_close(client.ask(method), 404, "NOT_FOUND - no queue 'no' in vhost '/'")


def test_consumers_take_turns(client: Client) -> None:
    for tag in "abc":
        client.consume("q", tag)
    publish(client, *[str(n).encode() for n in range(7)])
    assert [tag for tag, _ in deliveries(client)] == list("abcabca")
    client.ask(Basic.Cancel("b"))
    publish(client, b"8", b"9", b"10")
    assert [tag for tag, _ in deliveries(client)] == list("cac")


def test_what_waited_is_delivered_after_consume_ok(client: Client) -> None:
    publish(client, b"1", b"2")
    heard = client.asked(Basic.Consume(queue="q", consumer_tag="c"))
    assert isinstance(heard[0], Basic.ConsumeOk)
    assert [what.body for what in heard[1:]] == [b"1", b"2"]


def test_the_server_names_a_consumer_that_has_no_name(client: Client) -> None:
    tag = client.ask(Basic.Consume(queue="q")).consumer_tag
    assert tag.startswith("amq.ctag-")


def test_consuming_without_waiting_is_silent(client: Client) -> None:
    assert client.asked(Basic.Consume(queue="q", consumer_tag="c", nowait=True)) == []
    publish(client, b"1")
    assert deliveries(client) == [("c", b"1")]
    assert client.asked(Basic.Cancel("c", nowait=True)) == []


def test_a_consumer_tag_is_used_once_per_channel(client: Client) -> None:
    client.consume("q", "c")
    client.send(Channel.Open(), 2)
    client.received()
    client.consume("q", "c", channel=2)
    reply = client.ask(Basic.Consume(queue="q", consumer_tag="c"))
    is_close(reply, 530, "NOT_ALLOWED - attempt to reuse consumer tag 'c'")
    assert closes_connection(reply)


@pytest.mark.parametrize(("first", "second"), [(True, False), (False, True), (True, True)])
def test_an_exclusive_consumer_is_alone(client: Client, first: bool, second: bool) -> None:
    client.consume("q", "a", exclusive=first)
    reply = client.ask(Basic.Consume(queue="q", consumer_tag="b", exclusive=second))
    is_close(reply, 403, "ACCESS_REFUSED - queue 'q' in vhost '/' in exclusive use")


def test_after_an_exclusive_consumer_the_next_may_come(client: Client) -> None:
    client.consume("q", "a", exclusive=True)
    client.ask(Basic.Cancel("a"))
    client.consume("q", "b")


@pytest.mark.parametrize("argument", ["x-credit", "x-stream-offset"])
def test_consumer_arguments_are_refused_and_not_ignored(client: Client, argument: str) -> None:
    reply = client.ask(Basic.Consume(queue="q", arguments={argument: 1}))
    text = f"NOT_IMPLEMENTED - consumer argument '{argument}' is not supported by the sandbox's"
    is_close(reply, 540, f"{text} broker")


def test_cancelling_stops_deliveries_but_keeps_what_was_handed_out(client: Client) -> None:
    client.consume("q", "c")
    publish(client, b"1")
    client.ask(Basic.Cancel("c"))
    publish(client, b"2")
    assert deliveries(client) == []
    counts = client.world.broker.vhosts["/"].queues["q"]
    assert (counts.ready_count, counts.unacked_count, counts.consumer_count) == (1, 1, 0)
    assert client.asked(Basic.Ack(1)) == []
    assert counts.unacked_count == 0


def test_cancelling_an_unknown_consumer_is_fine(client: Client) -> None:
    assert client.ask(Basic.Cancel("nobody")).consumer_tag == "nobody"


def test_consumers_of_a_deleted_queue_hear_of_it(world: World, client: Client) -> None:
    other = world.connect()
    old = world.connect(capabilities={})
    other.consume("q", "theirs")
    old.consume("q", "old")
    client.consume("q", "mine")
    heard = client.asked(Queue.Delete(queue="q"))
    assert [type(what).__name__ for what in heard] == ["DeleteOk", "Cancel"]
    assert heard[1].consumer_tag == "mine"
    (cancel,) = other.received()
    assert (cancel.consumer_tag, cancel.nowait) == ("theirs", True)
    assert old.received() == []
    assert not any(c.side.subscribed for c in (client, other, old))


# -- prefetch ----------------------------------------------------------------------------------


def test_prefetch_limits_each_consumer_that_comes_after_it(client: Client) -> None:
    client.consume("q", "before")
    client.ask(Basic.Qos(prefetch_count=1))
    client.consume("q", "after")
    publish(client, *[b"x"] * 6)
    assert [tag for tag, _ in deliveries(client)] == [
        "before", "after", "before", "before", "before", "before",
    ]  # fmt: skip


def test_turns_with_unequal_prefetch_are_rabbitmqs(client: Client) -> None:
    for tag, prefetch in (("a", 1), ("b", 3), ("c", 0)):
        client.ask(Basic.Qos(prefetch_count=prefetch))
        client.consume("q", tag)
    publish(client, *[b"x"] * 9)
    assert "".join(tag for tag, _ in deliveries(client)) == "abcbcbccc"
    client.send(Basic.Ack(1))
    publish(client, *[b"x"] * 3)
    assert "".join(tag for tag, _ in deliveries(client)) == "cac"


def test_settling_makes_room_for_the_next(client: Client) -> None:
    client.ask(Basic.Qos(prefetch_count=2))
    client.consume("q", "c")
    publish(client, b"1", b"2", b"3", b"4")
    assert client.bodies() == [b"1", b"2"]
    client.send(Basic.Ack(2))
    assert client.bodies() == [b"3"]
    client.send(Basic.Nack(1, requeue=False))
    assert client.bodies() == [b"4"]


def test_no_ack_ignores_prefetch(client: Client) -> None:
    client.ask(Basic.Qos(prefetch_count=1))
    client.consume("q", "c", no_ack=True)
    publish(client, b"1", b"2", b"3")
    assert client.bodies() == [b"1", b"2", b"3"]
    assert client.world.broker.vhosts["/"].queues["q"].unacked_count == 0


def test_global_prefetch_counts_all_consumers_of_the_channel(client: Client) -> None:
    client.ask(Basic.Qos(prefetch_count=3, global_=True))
    client.consume("q", "a")
    client.consume("q", "b")
    publish(client, *[str(n).encode() for n in range(8)])
    assert len(client.bodies()) == 3
    client.send(Basic.Ack(2, True))
    assert client.bodies() == [b"3", b"4"]
    client.send(Basic.Qos(prefetch_count=5, global_=True))
    assert client.bodies() == [b"5", b"6"]
    client.send(Basic.Qos(prefetch_count=0, global_=True))
    assert client.bodies() == [b"7"]


def test_both_prefetch_limits_hold_together(client: Client) -> None:
    client.ask(Basic.Qos(prefetch_count=5, global_=True))
    client.ask(Basic.Qos(prefetch_count=2))
    client.consume("q", "a")
    client.consume("q", "b")
    client.consume("q", "c")
    publish(client, *[b"x"] * 9)
    assert len(client.bodies()) == 5


def test_messages_got_do_not_count_against_global_prefetch(client: Client) -> None:
    publish(client, b"1")
    client.get("q")
    client.ask(Basic.Qos(prefetch_count=1, global_=True))
    client.consume("q", "a")
    publish(client, b"2", b"3")
    assert client.bodies() == [b"2"]
    client.send(Basic.Ack(1))
    assert client.bodies() == []
    client.send(Basic.Ack(2))
    assert client.bodies() == [b"3"]


def test_a_full_channel_parks_even_consumers_without_ack(client: Client) -> None:
    client.ask(Basic.Qos(prefetch_count=1, global_=True))
    client.consume("q", "a")
    publish(client, b"1")
    assert client.bodies() == [b"1"]
    client.consume("q", "b", no_ack=True)
    publish(client, b"2")
    assert client.bodies() == []
    client.send(Basic.Ack(1))
    assert client.bodies() == [b"2"]


def test_prefetch_by_size_is_540(client: Client) -> None:
    is_close(client.ask(Basic.Qos(prefetch_size=4)), 540, "NOT_IMPLEMENTED - prefetch_size!=0 (4)")


def test_a_client_is_subscribed_while_it_has_a_consumer(client: Client) -> None:
    assert not client.side.subscribed
    client.consume("q", "c")
    assert client.side.subscribed
    client.ask(Basic.Cancel("c"))
    assert not client.side.subscribed


def test_a_client_that_asks_again_and_again_waits_as_well(client: Client) -> None:
    broker = client.world.broker
    client.get("q")
    before = broker.activity
    client.get("q")
    client.ask(Queue.Declare(queue="q", passive=True))
    assert broker.activity == before
    assert client.side.subscribed
    publish(client, b"1")
    assert broker.activity != before
    before = broker.activity
    client.ask(Queue.Declare(queue="q", passive=True))
    client.get("q")
    assert broker.activity != before
    assert not client.side.subscribed


def test_consumers_of_a_full_channel_return_in_the_order_they_left(client: Client) -> None:
    client.ask(Basic.Qos(prefetch_count=3, global_=True))
    client.consume("q", "a")
    client.consume("q", "b")
    publish(client, *[b"x"] * 6)
    assert [tag for tag, _ in deliveries(client)] == list("aba")
    client.send(Basic.Ack(3, True))
    assert [tag for tag, _ in deliveries(client)] == list("bab")
