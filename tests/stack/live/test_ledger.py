"""The ledger follows messages as the broker does."""

from __future__ import annotations

from typing import Any

import pamqp.body
import pamqp.frame
import pytest
from pamqp import commands, header

from sandbox.stack.live.frames import Frame, Splitter
from sandbox.stack.live.ledger import ConnectionLedger, Ledger


class Conversation:
    """A client and a broker talking; the ledger listens."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.connection = ConnectionLedger(self.ledger)
        self.received(commands.Connection.OpenOk(), channel=0)

    def sent(self, frame: Any, channel: int = 1) -> bool:
        return self.connection.sent(_frame(frame, channel))

    def received(self, frame: Any, channel: int = 1) -> bool:
        return self.connection.received(_frame(frame, channel))

    def consumes(self, queue: str = "orders", tag: str = "c", *, no_ack: bool = False) -> None:
        self.sent(commands.Basic.Consume(0, queue, tag, no_ack=no_ack))
        self.received(commands.Basic.ConsumeOk(tag))

    def delivers(self, tag: int, body: bytes, consumer: str = "c") -> None:
        self.received(commands.Basic.Deliver(consumer, tag, False, "", "orders"))
        self.received(header.ContentHeader(0, len(body), commands.Basic.Properties()))
        for start in range(0, len(body), 3):
            self.received(pamqp.body.ContentBody(body[start : start + 3]))

    def publishes(self, body: bytes = b"x") -> None:
        self.sent(commands.Basic.Publish(0, "", "orders", False, False))
        self.sent(header.ContentHeader(0, len(body), commands.Basic.Properties()))
        if body:
            self.sent(pamqp.body.ContentBody(body))


def _frame(frame: Any, channel: int) -> Frame:
    (found,) = Splitter(preamble=False).feed(pamqp.frame.marshal(frame, channel))
    assert isinstance(found, Frame)
    return found


@pytest.fixture
def talk() -> Conversation:
    return Conversation()


def test_a_delivery_is_unacknowledged_until_it_is_acknowledged(talk: Conversation) -> None:
    talk.consumes()
    talk.delivers(1, b"order-1")
    assert talk.ledger.delivered["orders"] == [b"order-1"]
    assert talk.ledger.unacked("orders") == 1
    talk.sent(commands.Basic.Ack(1))
    assert talk.ledger.acked["orders"] == [b"order-1"]
    assert talk.ledger.unacked("orders") == 0


def test_multiple_covers_everything_up_to_the_tag(talk: Conversation) -> None:
    talk.consumes()
    for tag in (1, 2, 3, 4):
        talk.delivers(tag, b"%d" % tag)
    talk.sent(commands.Basic.Ack(3, True))
    assert talk.ledger.acked["orders"] == [b"1", b"2", b"3"]
    talk.delivers(5, b"5")
    talk.sent(commands.Basic.Ack(0, True))
    assert talk.ledger.acked["orders"] == [b"1", b"2", b"3", b"4", b"5"]


def test_a_tag_that_names_nothing_acknowledges_nothing(talk: Conversation) -> None:
    talk.consumes()
    talk.delivers(1, b"1")
    talk.sent(commands.Basic.Ack(9))
    assert talk.ledger.acked["orders"] == []
    assert talk.ledger.unacked("orders") == 1


def test_refused_messages_are_not_acknowledged(talk: Conversation) -> None:
    talk.consumes()
    for tag in (1, 2):
        talk.delivers(tag, b"%d" % tag)
    talk.sent(commands.Basic.Nack(1, False, True))
    talk.sent(commands.Basic.Reject(2, False))
    assert talk.ledger.acked["orders"] == []
    assert talk.ledger.unacked("orders") == 0
    assert talk.ledger.requeued["orders"] == 1


def test_what_needs_no_acknowledgement_counts_as_acknowledged(talk: Conversation) -> None:
    talk.consumes(no_ack=True)
    talk.delivers(1, b"1")
    assert talk.ledger.acked["orders"] == [b"1"]
    assert talk.ledger.unacked("orders") == 0


def test_a_message_that_was_got_belongs_to_the_queue_that_was_asked(talk: Conversation) -> None:
    talk.sent(commands.Basic.Get(0, "first"))
    talk.received(commands.Basic.GetEmpty(""))
    talk.sent(commands.Basic.Get(0, "second"))
    talk.received(commands.Basic.GetOk(1, False, "", "second", 0))
    talk.received(header.ContentHeader(0, 0, commands.Basic.Properties()))
    assert talk.ledger.delivered["second"] == [b""]
    assert talk.ledger.delivered["first"] == []


def test_an_empty_name_is_the_last_queue_declared(talk: Conversation) -> None:
    talk.sent(commands.Queue.Declare(0, ""))
    talk.received(commands.Queue.DeclareOk("amq.gen-1", 0, 0))
    talk.consumes(queue="")
    talk.delivers(1, b"1")
    assert talk.ledger.delivered["amq.gen-1"] == [b"1"]


def test_what_a_lost_connection_held_is_requeued(talk: Conversation) -> None:
    talk.consumes()
    talk.delivers(1, b"1")
    assert talk.ledger.consumers("orders") == 1
    talk.connection.closed()
    assert talk.ledger.unacked("orders") == 0
    assert talk.ledger.consumers("orders") == 0
    assert talk.ledger.requeued["orders"] == 1


@pytest.mark.parametrize("closed_by", ["client", "broker"])
def test_what_a_closed_channel_held_is_requeued(talk: Conversation, closed_by: str) -> None:
    talk.consumes()
    talk.delivers(1, b"1")
    close = commands.Channel.Close(406, "unknown delivery tag", 60, 80)
    (talk.sent if closed_by == "client" else talk.received)(close)
    assert talk.ledger.requeued["orders"] == 1
    assert talk.ledger.consumers("orders") == 0


def test_a_publish_counts_when_it_is_whole(talk: Conversation) -> None:
    talk.sent(commands.Basic.Publish(0, "", "orders", False, False))
    talk.sent(header.ContentHeader(0, 2, commands.Basic.Properties()))
    assert talk.ledger.publishes == 0
    talk.sent(pamqp.body.ContentBody(b"xy"))
    talk.publishes(b"")
    assert talk.ledger.publishes == 2


def test_a_publish_that_the_broker_refused_does_not_count(talk: Conversation) -> None:
    talk.publishes()
    talk.received(commands.Channel.Close(404, "no exchange", 60, 40))
    assert talk.ledger.publishes == 0


def test_a_client_waits_for_its_answers(talk: Conversation) -> None:
    assert talk.connection.waiting_for is None
    talk.sent(commands.Queue.Declare(0, "orders"))
    assert talk.connection.waiting_for == "an answer from the broker"
    talk.received(commands.Queue.DeclareOk("orders", 0, 0))
    assert talk.connection.waiting_for is None


def test_a_refusal_is_an_answer_too(talk: Conversation) -> None:
    talk.sent(commands.Queue.Declare(0, "orders", True))
    talk.received(commands.Channel.Close(404, "no queue", 50, 10))
    assert talk.connection.waiting_for is None


def test_a_publisher_waits_for_its_confirms(talk: Conversation) -> None:
    talk.sent(commands.Confirm.Select())
    talk.received(commands.Confirm.SelectOk())
    for _ in range(3):
        talk.publishes()
    talk.received(commands.Basic.Ack(2, True))
    assert talk.connection.waiting_for is not None
    talk.received(commands.Basic.Nack(3))
    assert talk.connection.waiting_for is None


def test_a_new_connection_waits_to_be_opened() -> None:
    connection = ConnectionLedger(Ledger())
    assert connection.waiting_for is not None
    connection.received(_frame(commands.Connection.OpenOk(), 0))
    assert connection.waiting_for is None


def test_only_asking_for_news_is_no_event(talk: Conversation) -> None:
    assert talk.sent(commands.Basic.Get(0, "orders"))
    assert talk.received(commands.Basic.GetEmpty(""))
    assert talk.sent(commands.Queue.Declare(0, "orders", True))
    assert talk.received(commands.Queue.DeclareOk("orders", 0, 0))
    assert not talk.sent(commands.Queue.Declare(0, "orders"))
    assert not talk.received(commands.Queue.DeclareOk("orders", 0, 0))


def test_a_consumer_is_hungry_until_its_prefetch_is_full(talk: Conversation) -> None:
    talk.sent(commands.Basic.Qos(0, 2, False))
    talk.received(commands.Basic.QosOk())
    talk.consumes()
    assert talk.ledger.hungry_queues() == {"orders"}
    talk.delivers(1, b"1")
    talk.delivers(2, b"2")
    assert talk.ledger.hungry_queues() == set()
    talk.sent(commands.Basic.Ack(1))
    assert talk.ledger.hungry_queues() == {"orders"}
