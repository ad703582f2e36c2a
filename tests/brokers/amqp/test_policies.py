"""Policies: they come and go while queues exist, and the strongest one holds alone."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.brokers.amqp.policies import Policy
from tests.brokers.amqp.client import Client, World


def ready(world: World, queue: str) -> list[bytes]:
    return [entry.body for entry in world.broker.vhosts["/"].queues[queue].ready]


def test_a_policy_limits_queues_that_exist_and_queues_to_come(world: World, client: Client) -> None:
    vhost = world.broker.vhosts["/"]
    client.declare("old.q")
    client.declare("else")
    for body in (b"1", b"2"):
        client.publish(body, queue="old.q")
        client.publish(body, queue="else")
    vhost.set_policy(Policy("short", r"\.q$", {"max-length": 1}))
    client.declare("new.q")
    for body in (b"3", b"4"):
        client.publish(body, queue="new.q")
    assert (ready(world, "old.q"), ready(world, "new.q")) == ([b"2"], [b"4"])
    assert ready(world, "else") == [b"1", b"2"]
    vhost.clear_policy("short")
    client.publish(b"5", queue="new.q")
    assert ready(world, "new.q") == [b"4", b"5"]


def test_the_highest_priority_holds_alone_and_the_smaller_number_counts(
    world: World, client: Client
) -> None:
    vhost = world.broker.vhosts["/"]
    vhost.set_policy(Policy("weak", ".*", {"max-length": 1, "message-ttl": 5}))
    vhost.set_policy(Policy("strong", "^q$", {"max-length": 9}, priority=2))
    client.declare("q", arguments={"x-max-length": 3, "x-overflow": "reject-publish"})
    options = vhost.queues["q"].options
    assert (options.max_length, options.message_ttl_ns) == (3, None)
    assert options.overflow == "reject-publish"


def test_a_policy_can_name_where_dead_letters_and_strays_go(world: World, client: Client) -> None:
    vhost = world.broker.vhosts["/"]
    for name in ("dead", "q"):
        client.declare(name)
    vhost.bind("dead", "amq.fanout", "")
    vhost.set_policy(Policy("dlx", "^q$", {"dead-letter-exchange": "amq.fanout", "message-ttl": 5}))
    vhost.set_policy(Policy("ae", "^amq.direct$", {"alternate-exchange": "amq.fanout"}))
    client.publish(b"dies", queue="q")
    world.advance(1)
    client.publish(b"strays", exchange="amq.direct", queue="nobody")
    assert ready(world, "dead") == [b"dies", b"strays"]


@pytest.mark.parametrize(
    ("definition", "text"),
    [
        ({"max-lenght": 1}, "policies have no 'max-lenght' here"),
        ({"max-length": "1"}, "'max-length' cannot be '1'"),
        ({"message-ttl": -1}, "'message-ttl' cannot be -1"),
    ],
)
def test_what_cannot_be_a_policy_is_refused(
    world: World, definition: dict[str, Any], text: str
) -> None:
    with pytest.raises(ValueError, match=text):
        world.broker.vhosts["/"].set_policy(Policy("p", ".*", definition))
