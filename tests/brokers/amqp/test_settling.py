"""Ack, nack, reject, recover; and what comes back goes where it was."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pamqp.commands import Basic, Channel, Connection
from pamqp.commands import Queue as QueueMethods

from sandbox.brokers.amqp.message import Entry, Message
from sandbox.brokers.amqp.queue import Queue
from tests.brokers.amqp.client import (
    Client,
    Content,
    World,
    closes_connection,
    is_close,
    new_world,
)


@pytest.fixture(autouse=True)
def queue(client: Client) -> None:
    client.declare("q")


def fill(client: Client, count: int) -> None:
    for number in range(count):
        client.publish(str(number).encode(), queue="q")


def rest(client: Client) -> list[tuple[bytes, bool]]:
    found = []
    while (got := client.get("q", no_ack=True)) is not None:
        found.append((got.body, got.method.redelivered))
    return found


@pytest.mark.parametrize(
    ("method", "tag"),
    [
        (Basic.Ack(1), 1),
        (Basic.Ack(0), 0),
        (Basic.Ack(5, True), 5),
        (Basic.Nack(1), 1),
        (Basic.Nack(3, True), 3),
        (Basic.Reject(1), 1),
    ],
)
def test_settling_what_was_not_handed_out_is_406(client: Client, method: Any, tag: int) -> None:
    reply = client.ask(method)
    is_close(reply, 406, f"PRECONDITION_FAILED - unknown delivery tag {tag}")
    assert not closes_connection(reply)


def test_acking_twice_is_406_and_gives_the_rest_back(client: Client) -> None:
    fill(client, 2)
    client.get("q")
    client.get("q")
    assert client.asked(Basic.Ack(1)) == []
    is_close(client.ask(Basic.Ack(1)), 406, "PRECONDITION_FAILED - unknown delivery tag 1")
    client.send(Channel.CloseOk())
    client.send(Channel.Open())
    assert rest(client) == [(b"1", True)]


def test_tags_belong_to_their_channel(client: Client) -> None:
    fill(client, 1)
    client.send(Channel.Open(), 2)
    client.get("q")
    is_close(client.ask(Basic.Ack(1), 2), 406, "PRECONDITION_FAILED - unknown delivery tag 1")
    assert client.asked(Basic.Ack(1), 1) == []


def test_multiple_settles_everything_up_to_a_tag(client: Client) -> None:
    fill(client, 4)
    for _ in range(4):
        client.get("q")
    client.send(Basic.Ack(2))
    client.send(Basic.Ack(3, True))
    client.send(Basic.Nack(4))
    assert rest(client) == [(b"3", True)]


def test_multiple_with_tag_zero_settles_everything_and_nothing(client: Client) -> None:
    assert client.asked(Basic.Ack(0, True)) == []
    fill(client, 3)
    for _ in range(3):
        client.get("q")
    client.send(Basic.Nack(0, True))
    assert [body for body, _ in rest(client)] == [b"0", b"1", b"2"]


def test_dropped_messages_are_gone(client: Client) -> None:
    fill(client, 3)
    for _ in range(3):
        client.get("q")
    client.send(Basic.Reject(1, False))
    client.send(Basic.Nack(3, multiple=True, requeue=False))
    assert rest(client) == []
    assert client.world.broker.vhosts["/"].queues["q"].unacked_count == 0


def test_requeued_messages_go_back_where_they_were(client: Client) -> None:
    fill(client, 6)
    for _ in range(4):
        client.get("q")
    for tag in (2, 4, 1):
        client.send(Basic.Nack(tag))
    assert rest(client) == [
        (b"0", True),
        (b"1", True),
        (b"3", True),
        (b"4", False),
        (b"5", False),
    ]


def test_a_rejected_message_may_come_back_at_once(client: Client) -> None:
    fill(client, 5)
    client.ask(Basic.Qos(prefetch_count=3))
    client.consume("q")
    assert client.bodies() == [b"0", b"1", b"2"]
    client.send(Basic.Nack(2, multiple=True))
    again = [what for what in client.received() if isinstance(what, Content)]
    assert [(w.body, w.method.delivery_tag, w.method.redelivered) for w in again] == [
        (b"0", 4, True),
        (b"1", 5, True),
    ]


def test_with_two_full_consumers_the_rejecting_one_gets_it_again(client: Client) -> None:
    client.ask(Basic.Qos(prefetch_count=1))
    client.consume("q", "a")
    client.consume("q", "b")
    fill(client, 4)
    client.received()
    client.send(Basic.Reject(1, True))
    (again,) = client.received()
    assert (again.method.consumer_tag, again.body, again.method.redelivered) == ("a", b"0", True)


@pytest.mark.parametrize("answered", [True, False])
def test_recover_requeues_everything_on_the_channel(client: Client, answered: bool) -> None:
    fill(client, 3)
    for _ in range(3):
        client.get("q")
    method = Basic.Recover(True) if answered else Basic.RecoverAsync(True)
    heard = client.asked(method)
    assert [type(what) for what in heard] == [Basic.RecoverOk] * answered
    got = client.get("q")
    assert got is not None
    assert (got.body, got.method.delivery_tag, got.method.message_count) == (b"0", 4, 2)


def test_recover_redelivers_to_consumers_before_recover_ok(client: Client) -> None:
    fill(client, 2)
    client.consume("q")
    client.received()
    heard = client.asked(Basic.Recover(True))
    assert [what.body for what in heard if isinstance(what, Content)] == [b"0", b"1"]
    assert any(isinstance(what, Basic.RecoverOk) for what in heard)


@pytest.mark.parametrize("method", [Basic.Recover(False), Basic.RecoverAsync(False)])
def test_recovering_without_requeue_is_540(client: Client, method: Any) -> None:
    is_close(client.ask(method), 540, "NOT_IMPLEMENTED - requeue=false")


@pytest.mark.parametrize("how", ["channel", "connection", "lost", "error"])
def test_whatever_ends_a_consumer_its_messages_go_to_another(world: World, how: str) -> None:
    dying, other = world.connect(), world.connect()
    dying.ask(Basic.Qos(prefetch_count=3))
    dying.consume("q")
    fill(dying, 5)
    other.consume("q")
    assert other.bodies() == [b"3", b"4"]
    if how == "channel":
        dying.send(Channel.Close(200, "", 0, 0))
    elif how == "connection":
        dying.send(Connection.Close(200, "", 0, 0), 0)
    elif how == "error":
        dying.publish(exchange="no")
    else:
        dying.side.connection_lost(world.now_ns)
        world.carry()
    heard = other.received()
    assert [(w.body, w.method.redelivered) for w in heard] == [
        (b"0", True),
        (b"1", True),
        (b"2", True),
    ]
    assert world.broker.vhosts["/"].queues["q"].unacked_count == 5


def test_a_dying_clients_messages_do_not_go_to_its_other_channels(world: World) -> None:
    dying = world.connect()
    dying.send(Channel.Open(), 2)
    dying.received()
    dying.ask(Basic.Qos(prefetch_count=2))
    dying.consume("q", "a", channel=1)
    dying.consume("q", "b", channel=2)
    fill(dying, 4)
    before = len(world.of_kind("basic.deliver"))
    dying.side.connection_lost(0)
    assert len(world.of_kind("basic.deliver")) == before
    assert [entry.body for entry in world.broker.vhosts["/"].queues["q"].ready] == [
        b"0",
        b"1",
        b"2",
        b"3",
    ]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["publish", "get", "requeue"]), st.integers(0, 99))))
def test_a_queue_always_gives_the_oldest_it_has(steps: list[tuple[str, int]]) -> None:
    """Against a model: the sorted list of what is there."""
    queue = Queue("q", new_world().broker.vhosts["/"])
    model: list[int] = []
    out: dict[int, Entry] = {}
    published = 0
    for step, number in steps:
        if step == "publish":
            queue.publish(Message(published, "", "q", b"", b"", b"", False))
            model.append(published)
            published += 1
        elif step == "get":
            entry, _ = queue.get()
            assert (entry and entry.message.number) == (model.pop(0) if model else None)
            if entry is not None:
                out[entry.message.number] = entry
        elif out:
            returning = [n for n in out if n % (number % 4 + 1) == 0]
            if returning:
                queue.requeue([out.pop(n) for n in returning])
                model = sorted(model + returning)
        assert [entry.message.number for entry in queue.ready] == model


def test_what_belonged_to_a_deleted_queue_goes_nowhere(client: Client, world: World) -> None:
    fill(client, 2)
    client.get("q")
    client.get("q")
    old = world.broker.vhosts["/"].queues["q"]
    client.ask(QueueMethods.Delete(queue="q"))
    client.declare("q")
    assert client.asked(Basic.Nack(1)) == []
    client.side.connection_lost(0)
    assert world.of_kind("requeue") == []
    assert old.ready_count == 0
    assert world.broker.vhosts["/"].queues["q"].ready_count == 0
