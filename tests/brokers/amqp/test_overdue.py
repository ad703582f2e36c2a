"""Who holds a message for too long loses the channel, and the message goes back."""

from __future__ import annotations

import pytest
from pamqp.commands import Basic, Channel, Tx

from tests.brokers.amqp.client import Client, World, is_close, new_world

HALF_AN_HOUR_S = 1800


def too_late(channel: int = 1, timeout_ms: int = 1_800_000) -> str:
    return (
        f"PRECONDITION_FAILED - delivery acknowledgement on channel {channel} timed out. Timeout"
        f" value used: {timeout_ms} ms. This timeout value can be configured, see consumers doc"
        " guide to learn more"
    )


@pytest.fixture
def holder(world: World) -> Client:
    client = world.connect()
    client.declare("q")
    for body in (b"1", b"2"):
        client.publish(body, queue="q")
    return client


def test_a_message_held_for_half_an_hour_costs_the_channel(world: World, holder: Client) -> None:
    holder.consume("q", "c")
    holder.received()
    world.advance(HALF_AN_HOUR_S - 1)
    assert holder.received() == []
    world.advance(1)
    (close,) = holder.received()
    is_close(close, 406, too_late())
    assert (close.class_id, close.method_id) == (0, 0)
    ready = [(e.body, e.redelivered) for e in world.broker.vhosts["/"].queues["q"].ready]
    assert ready == [(b"1", True), (b"2", True)]


def test_what_a_client_got_by_asking_counts_too(world: World, holder: Client) -> None:
    holder.get("q")
    world.advance(HALF_AN_HOUR_S)
    (close,) = holder.received()
    is_close(close, 406, too_late())


def test_the_time_is_that_of_the_oldest_delivery(world: World, holder: Client) -> None:
    holder.get("q")
    world.advance(1000)
    holder.get("q")
    holder.send(Basic.Ack(1))
    world.advance(1000)
    assert holder.received() == []
    world.advance(800)
    assert isinstance(holder.received()[0], Channel.Close)


def test_who_acknowledges_has_all_the_time_again(world: World, holder: Client) -> None:
    for tag in (1, 2):
        holder.get("q")
        world.advance(HALF_AN_HOUR_S - 1)
        holder.send(Basic.Ack(tag))
    world.advance(2 * HALF_AN_HOUR_S)
    assert holder.received() == []
    assert world.broker.next_timer() is None


def test_what_is_settled_in_a_transaction_is_not_held(world: World, holder: Client) -> None:
    holder.ask(Tx.Select())
    holder.get("q")
    holder.send(Basic.Ack(1))
    world.advance(2 * HALF_AN_HOUR_S)
    assert holder.received() == []


def test_waiting_for_an_acknowledgement_is_nothing_to_wait_for(
    world: World, holder: Client
) -> None:
    holder.get("q")
    assert world.broker.next_timer() is not None
    assert world.broker.next_event_timer() is None
    holder.send(Channel.Close(200, "", 0, 0))
    assert world.broker.next_timer() is None


def test_the_limit_can_be_another_or_none() -> None:
    for limit_s, closes in ((2.5, True), (None, False)):
        world = new_world(consumer_timeout_s=limit_s)
        client = world.connect()
        client.declare("q")
        client.publish(queue="q")
        client.get("q")
        world.advance(10 * HALF_AN_HOUR_S)
        assert bool(client.received()) is closes
