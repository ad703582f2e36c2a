"""Permissions: a user with patterns may do what matches them, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from pamqp.commands import Basic, Exchange, Queue

from sandbox.brokers.amqp.permissions import Permission
from tests.brokers.amqp.client import Client, World, is_close, new_world

MINE = Permission("^mine", "^mine", "^mine")
OTHER = "queue 'other'"
OTHER_X = "exchange 'amq.fanout'"


@pytest.fixture
def shop() -> World:
    world = new_world(
        users={"guest": "guest", "bob": "bob", "eve": "eve"},
        permissions={"bob": {"/": MINE}, "eve": {}},
    )
    world.connect().declare("other")
    return world


@pytest.fixture
def bob(shop: World) -> Client:
    return shop.connect(user="bob", password="bob")


@pytest.mark.parametrize(
    ("method", "what"),
    [
        (Queue.Declare(queue="other"), OTHER),
        (Queue.Declare(queue="other2"), "queue 'other2'"),
        (Queue.Delete(queue="other"), OTHER),
        (Queue.Purge(queue="other"), OTHER),
        (Queue.Bind(queue="other", exchange="amq.direct", routing_key="k"), OTHER),
        (Queue.Bind(queue="mine", exchange="amq.fanout", routing_key="k"), OTHER_X),
        (Basic.Get(queue="other"), OTHER),
        (Basic.Get(queue="missing"), "queue 'missing'"),
        (Basic.Consume(queue="other"), OTHER),
        (Exchange.Declare(exchange="theirs"), "exchange 'theirs'"),
        (
            Queue.Declare(queue="mine2", arguments={"x-dead-letter-exchange": "amq.fanout"}),
            OTHER_X,
        ),
        (
            Exchange.Declare(exchange="mine", arguments={"alternate-exchange": "amq.fanout"}),
            OTHER_X,
        ),
        (Exchange.Bind(destination="mine", source="amq.fanout"), OTHER_X),
    ],
)
def test_what_does_not_match_is_refused(bob: Client, method: Any, what: str) -> None:
    reply = bob.ask(method)
    is_close(reply, 403, f"ACCESS_REFUSED - access to {what} in vhost '/' refused for user 'bob'")


def test_publishing_needs_the_right_to_write_to_the_exchange(bob: Client) -> None:
    bob.declare("mine")
    bob.publish(queue="mine")
    (reply,) = bob.received()
    text = "ACCESS_REFUSED - access to exchange 'amq.default' in vhost '/' refused for user 'bob'"
    is_close(reply, 403, text)


def test_what_matches_is_allowed_and_looking_always_is(bob: Client) -> None:
    assert bob.declare("other", passive=True).queue == "other"
    bob.declare("mine")
    assert bob.get("mine") is None


def test_without_any_permission_nobody_gets_in(shop: World) -> None:
    client = shop.raw()
    client.shake_hands(user="eve", password="eve")
    (event,) = shop.of_kind("connection.close")
    assert event["reason"] == "NOT_ALLOWED - access to vhost '/' refused for user 'eve'"
