"""Time to live, limits of length, dead letters: what does not stay, and where it goes."""

from __future__ import annotations

from typing import Any

import pytest
from pamqp.commands import Basic, Confirm

from tests.brokers.amqp.client import Client, Content, World, new_world

TO_DEAD = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead"}


def deaths(content: Content | None) -> list[tuple[str, str, int]]:
    assert content is not None
    return [
        (death["queue"], death["reason"], death["count"])
        for death in content.properties["headers"]["x-death"]
    ]


def ready(world: World, queue: str) -> list[bytes]:
    return [entry.body for entry in world.broker.vhosts["/"].queues[queue].ready]


# -- time to live ------------------------------------------------------------------------------


def test_a_message_is_gone_when_its_time_is_up(world: World, client: Client) -> None:
    client.declare("q", arguments={"x-message-ttl": 1000})
    client.publish(b"1", queue="q")
    assert world.broker.next_event_timer() == 1_000_000_000
    world.advance(0.999)
    assert ready(world, "q") == [b"1"]
    world.advance(0.001)
    assert ready(world, "q") == []
    assert world.broker.next_timer() is None


def test_the_shorter_of_two_times_counts(world: World, client: Client) -> None:
    client.declare("q", arguments={"x-message-ttl": 1000})
    client.publish(b"long", queue="q", expiration="5000")
    client.publish(b"short", queue="q", expiration="10")
    world.advance(0.5)
    assert ready(world, "q") == [b"long", b"short"], "only the head of the line expires"
    world.advance(0.5)
    assert ready(world, "q") == []


def test_an_expired_message_behind_a_lasting_one_goes_when_its_turn_comes(
    world: World, client: Client
) -> None:
    client.declare("q")
    client.publish(b"lasting", queue="q")
    client.publish(b"short", queue="q", expiration="10")
    client.publish(b"last", queue="q")
    world.advance(60)
    assert ready(world, "q") == [b"lasting", b"short", b"last"]
    assert client.get("q", no_ack=True).body == b"lasting"  # type: ignore[union-attr]
    assert ready(world, "q") == [b"last"]


def test_no_time_at_all_is_enough_for_who_waits(world: World, client: Client) -> None:
    client.declare("q", arguments={"x-message-ttl": 0})
    client.publish(b"nobody waits", queue="q")
    assert ready(world, "q") == []
    client.consume("q")
    client.publish(b"somebody waits", queue="q")
    assert client.bodies() == [b"somebody waits"]


def test_a_message_that_is_held_does_not_expire_but_may_when_it_comes_back(
    world: World, client: Client
) -> None:
    client.declare("q", arguments={"x-message-ttl": 1000, **TO_DEAD})
    client.declare("dead")
    client.publish(b"1", queue="q")
    client.get("q")
    world.advance(5)
    assert ready(world, "dead") == []
    client.send(Basic.Nack(1, requeue=True))
    assert deaths(client.get("dead")) == [("q", "expired", 1)]


def test_a_queue_nobody_uses_is_deleted(world: World, client: Client) -> None:
    client.declare("q", arguments={"x-expires": 1000})
    world.advance(0.9)
    client.get("q")
    world.advance(0.9)
    client.consume("q")
    world.advance(100)
    assert "q" in world.broker.vhosts["/"].queues
    client.ask(Basic.Cancel("c"))
    world.advance(1)
    assert "q" not in world.broker.vhosts["/"].queues
    assert world.of_kind("queue.delete")[-1]["reason"] == "expired"


# -- limits ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limit", "left"),
    [
        ({"x-max-length": 2}, [b"22", b"333"]),
        ({"x-max-length": 0}, []),
        ({"x-max-length-bytes": 5}, [b"22", b"333"]),
        ({"x-max-length-bytes": 4}, [b"333"]),
        ({"x-max-length": 2, "x-overflow": "reject-publish"}, [b"1", b"22"]),
        ({"x-max-length-bytes": 4, "x-overflow": "reject-publish"}, [b"1", b"22"]),
    ],
)
def test_a_full_queue_drops_its_head_or_refuses(
    world: World, client: Client, limit: dict[str, Any], left: list[bytes]
) -> None:
    client.declare("q", arguments=limit)
    for body in (b"1", b"22", b"333"):
        client.publish(body, queue="q")
    assert ready(world, "q") == left


@pytest.mark.parametrize("overflow", ["reject-publish", "reject-publish-dlx"])
def test_a_refused_publish_is_not_confirmed(world: World, client: Client, overflow: str) -> None:
    client.declare("dead")
    client.declare("q", arguments={"x-max-length": 1, "x-overflow": overflow, **TO_DEAD})
    client.send(Confirm.Select())
    client.received()
    client.publish(b"1", queue="q")
    client.publish(b"2", queue="q")
    taken, refused = client.received()
    assert isinstance(taken, Basic.Ack)
    assert isinstance(refused, Basic.Nack)
    assert refused.delivery_tag == 2
    assert ready(world, "dead") == ([b"2"] if overflow == "reject-publish-dlx" else [])


def test_messages_that_are_held_do_not_count(world: World, client: Client) -> None:
    client.declare("q", arguments={"x-max-length": 1})
    client.publish(b"1", queue="q")
    client.get("q")
    client.publish(b"2", queue="q")
    assert ready(world, "q") == [b"2"]
    client.send(Basic.Nack(1, requeue=True))
    assert ready(world, "q") == [b"2"], "the one that came back is the head, and one too many"


# -- dead letters ------------------------------------------------------------------------------


def test_a_dead_letter_says_when_why_and_where_it_died() -> None:
    world = new_world(epoch_ns=1_000_000 * 10**9)
    client = world.connect()
    client.declare("dead")
    client.declare("q", arguments=TO_DEAD)
    client.publish(b"x", queue="q", headers={"z": 1}, message_id="m", expiration="2000")
    world.advance(2)
    found = client.get("dead")
    assert found is not None
    assert found.method.routing_key == "dead"
    assert found.properties == {
        "message_id": "m",
        "headers": {
            "x-death": [
                {
                    "count": 1,
                    "reason": "expired",
                    "queue": "q",
                    "time": 1_000_002,
                    "exchange": "",
                    "routing-keys": ["q"],
                    "original-expiration": "2000",
                }
            ],
            "x-first-death-exchange": "",
            "x-first-death-queue": "q",
            "x-first-death-reason": "expired",
            "z": 1,
        },
    }
    (event,) = world.of_kind("message.dead")
    assert (event["queue"], event["reason"], event["queues"]) == ("q", "expired", ["dead"])
    assert event["message"] == world.of_kind("basic.publish")[0]["message"]


def test_dying_again_in_the_same_way_counts_up(world: World, client: Client) -> None:
    client.declare("work", arguments={**TO_DEAD, "x-dead-letter-routing-key": "retry"})
    client.declare(
        "retry",
        arguments={
            "x-message-ttl": 1000,
            "x-dead-letter-exchange": "",
            "x-dead-letter-routing-key": "work",
        },
    )
    client.publish(queue="work")
    for times in (1, 2, 3):
        got = client.get("work")
        assert got is not None
        client.send(Basic.Reject(got.method.delivery_tag, requeue=False))
        world.advance(1)
        (entry,) = world.broker.vhosts["/"].queues["work"].ready
        found = [
            (death["queue"], death["reason"], death["count"])
            for death in entry.properties["headers"]["x-death"]
        ]
        assert found == [("retry", "expired", times), ("work", "rejected", times)]


def test_a_circle_without_a_rejection_is_broken(world: World, client: Client) -> None:
    arguments = {"x-message-ttl": 10, "x-dead-letter-exchange": ""}
    client.declare("q", arguments=arguments)
    client.publish(queue="q")
    world.advance(1)
    assert ready(world, "q") == []
    assert world.of_kind("message.dead")[-1]["queues"] == []


def test_a_chain_of_a_thousand_queues_is_no_trouble(world: World, client: Client) -> None:
    for number in range(1000):
        world.broker.admin_declare_queue(
            "/",
            str(number),
            arguments={
                "x-max-length": 0,
                "x-dead-letter-exchange": "",
                "x-dead-letter-routing-key": str(number + 1),
            },
        )
    world.broker.admin_declare_queue("/", "1000")
    client.publish(b"through", queue="0")
    assert ready(world, "1000") == [b"through"]


def test_other_headers_keep_their_types(world: World, client: Client) -> None:
    client.declare("dead")
    client.declare("q", arguments=TO_DEAD)
    client.publish(queue="q", headers={"small": 1, "flag": True, "table": {"n": [1, None]}})
    before = next(iter(world.broker.vhosts["/"].queues["q"].ready)).message.header
    client.get("q")
    client.send(Basic.Reject(1, requeue=False))
    after = next(iter(world.broker.vhosts["/"].queues["dead"].ready)).message.header
    for piece in (b"\x05smallb\x01", b"\x04flagt\x01", b"\x05tableF"):
        assert piece in before
        assert piece in after


# -- priorities, quorum queues, single active consumers ----------------------------------------


def test_higher_priorities_go_first(client: Client) -> None:
    client.declare("q", arguments={"x-max-priority": 5})
    for number, priority in enumerate([None, 1, 5, 9, 1, 0]):
        properties = {} if priority is None else {"priority": priority}
        client.publish(str(number).encode(), queue="q", **properties)
    bodies = []
    while (got := client.get("q")) is not None:
        bodies.append(got.body)
    assert bodies == [b"2", b"3", b"1", b"4", b"0", b"5"]
    client.send(Basic.Nack(0, multiple=True, requeue=True))
    assert client.get("q").body == b"2"  # type: ignore[union-attr]


def test_a_quorum_queue_counts_returns_and_gives_up(world: World, client: Client) -> None:
    client.declare("dead")
    arguments = {"x-queue-type": "quorum", "x-delivery-limit": 2, **TO_DEAD}
    client.declare("q", durable=True, arguments=arguments)
    for body in (b"a", b"b"):
        client.publish(body, queue="q")
    seen = []
    for _ in range(6):
        got = client.get("q")
        assert got is not None
        seen.append((got.body, got.method.redelivered, got.properties["headers"]))
        client.send(Basic.Nack(got.method.delivery_tag, requeue=True))
    assert seen == [
        (body, count > 0, {"x-delivery-count": count})
        for body in (b"a", b"b")
        for count in range(3)
    ]
    assert client.get("q") is None
    assert deaths(client.get("dead")) == [("q", "delivery_limit", 1)]


def test_a_quorum_queue_keeps_transient_messages_over_a_restart(
    world: World, client: Client
) -> None:
    client.declare("q", durable=True, arguments={"x-queue-type": "quorum"})
    client.publish(b"transient", queue="q")
    world.broker.restart(0)
    assert ready(world, "q") == [b"transient"]


def test_only_one_consumer_is_active_and_the_next_takes_over(world: World, client: Client) -> None:
    client.declare("q", arguments={"x-single-active-consumer": True})
    for tag in ("a", "b", "c"):
        priority = {"arguments": {"x-priority": 5}} if tag == "c" else {}
        client.consume("q", tag, no_ack=True, **priority)
    for _ in range(3):
        client.publish(queue="q")
    assert [content.method.consumer_tag for content in client.received()] == ["a"] * 3
    client.ask(Basic.Cancel("a"))
    client.publish(queue="q")
    assert [content.method.consumer_tag for content in client.received()] == ["c"]
    assert world.broker.vhosts["/"].queues["q"].consumer_count == 2


def test_a_consumer_of_higher_priority_goes_first_until_it_is_full(client: Client) -> None:
    client.declare("q")
    client.ask(Basic.Qos(prefetch_count=2))
    client.consume("q", "low")
    client.consume("q", "high", arguments={"x-priority": 10})
    for _ in range(4):
        client.publish(queue="q")
    tags = [content.method.consumer_tag for content in client.received()]
    assert tags == ["high", "high", "low", "low"]
