"""Transactions, and direct replies."""

from __future__ import annotations

import pytest
from pamqp.commands import Basic, Channel, Confirm, Tx

from tests.brokers.amqp.client import Client, World, is_close

REPLY_TO = "amq.rabbitmq.reply-to"


def test_what_is_published_and_settled_counts_after_the_commit(world: World) -> None:
    client, other = world.connect(), world.connect()
    client.declare("in")
    client.declare("out")
    other.publish(b"1", queue="in")
    assert isinstance(client.ask(Tx.Select()), Tx.SelectOk)
    client.get("in")
    client.publish(b"done", queue="out")
    client.send(Basic.Ack(1))
    queues = world.broker.vhosts["/"].queues
    assert (queues["out"].ready_count, queues["in"].unacked_count) == (0, 1)
    assert isinstance(client.ask(Tx.Commit()), Tx.CommitOk)
    assert (queues["out"].ready_count, queues["in"].unacked_count) == (1, 0)


def test_a_roll_back_publishes_nothing_and_settles_nothing(world: World, client: Client) -> None:
    client.declare("q")
    client.publish(b"1", queue="q")
    client.ask(Tx.Select())
    client.get("q")
    client.publish(b"2", queue="q")
    client.send(Basic.Reject(1, requeue=False))
    assert isinstance(client.ask(Tx.Rollback()), Tx.RollbackOk)
    client.ask(Tx.Commit())
    queue = world.broker.vhosts["/"].queues["q"]
    assert (queue.ready_count, queue.unacked_count) == (0, 1)
    client.send(Basic.Ack(1))
    client.ask(Tx.Commit())
    assert queue.unacked_count == 0


def test_a_channel_that_closes_rolls_back(world: World, client: Client) -> None:
    client.declare("q")
    client.publish(b"1", queue="q")
    client.ask(Tx.Select())
    client.get("q")
    client.send(Basic.Ack(1))
    client.publish(b"2", queue="q")
    client.send(Channel.Close(200, "", 0, 0))
    (entry,) = world.broker.vhosts["/"].queues["q"].ready
    assert (entry.body, entry.redelivered) == (b"1", True)


@pytest.mark.parametrize(
    ("first", "second", "text"),
    [
        (Tx.Select(), Confirm.Select(), "cannot switch from tx to confirm mode"),
        (Confirm.Select(), Tx.Select(), "cannot switch from confirm to tx mode"),
    ],
)
def test_confirms_and_transactions_exclude_one_another(
    client: Client, first: object, second: object, text: str
) -> None:
    client.ask(first)
    is_close(client.ask(second), 406, f"PRECONDITION_FAILED - {text}")


def test_in_a_transaction_errors_are_told_at_once(client: Client) -> None:
    client.ask(Tx.Select())
    client.publish(exchange="no")
    (reply,) = client.received()
    is_close(reply, 404, "NOT_FOUND - no exchange 'no' in vhost '/'")


def test_an_answer_goes_straight_to_who_asked(world: World) -> None:
    asking, answering = world.connect(), world.connect()
    answering.declare("questions")
    asking.consume(REPLY_TO, "answers", no_ack=True)
    assert asking.side.subscribed
    asking.publish(b"?", queue="questions", reply_to=REPLY_TO, message_id="m")
    question = answering.get("questions", no_ack=True)
    assert question is not None
    where = question.properties["reply_to"]
    assert where.startswith(REPLY_TO + ".")
    assert question.properties["message_id"] == "m"
    assert answering.declare(where, passive=True).consumer_count == 1
    answering.publish(b"!", queue=where)
    (answer,) = asking.received()
    assert (answer.body, answer.method.consumer_tag, answer.method.routing_key) == (
        b"!", "answers", where,
    )  # fmt: skip
    asking.ask(Basic.Cancel("answers"))
    answering.publish(b"too late", queue=where)
    assert asking.received() == []
    assert not asking.side.subscribed


def test_there_is_one_consumer_of_answers(client: Client) -> None:
    client.consume(REPLY_TO, "a", no_ack=True)
    reply = client.ask(Basic.Consume(queue=REPLY_TO, consumer_tag="b", no_ack=True))
    is_close(reply, 406, "PRECONDITION_FAILED - reply consumer already set")
    assert client.world.broker.reply_channels == {}
