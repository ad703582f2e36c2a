"""Queues that hold only so much, and what becomes of the rest."""

from __future__ import annotations

from typing import Any

from pika.adapters.blocking_connection import BlockingChannel

from tests.parity.amqp.stage import Stage, scenario

TO_DEAD = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead"}


def _limited(stage: Stage, **arguments: Any) -> BlockingChannel:
    channel = stage.channel()
    channel.queue_declare("dead")
    given = {name.replace("_", "-"): value for name, value in arguments.items()}
    channel.queue_declare("q", arguments={**given, **TO_DEAD})
    return channel


def _publish(stage: Stage, channel: BlockingChannel, *bodies: str) -> None:
    """Publish with confirms, and write down what was refused."""
    channel.confirm_delivery()
    for body in bodies:
        stage.refused(lambda text=body: channel.basic_publish("", "q", text.encode()))


@scenario
def a_full_queue_drops_its_oldest_message(stage: Stage) -> None:
    channel = _limited(stage, x_max_length=2)
    _publish(stage, channel, "1", "2", "3", "4")
    stage.wait_for(channel, "dead", 2)
    stage.show(channel, "dead")
    stage.get_all(channel, "q")


@scenario
def a_full_queue_refuses_new_messages(stage: Stage) -> None:
    channel = _limited(stage, x_max_length=2, x_overflow="reject-publish")
    _publish(stage, channel, "1", "2", "3")
    stage.get_all(channel, "q")
    stage.counts(channel, "dead")


@scenario
def bytes_count_too(stage: Stage) -> None:
    channel = _limited(stage, x_max_length_bytes=10)
    _publish(stage, channel, "12345", "67890", "x", "a message larger than the limit", "y")
    stage.wait_for(channel, "dead", 4)
    stage.show(channel, "dead")
    stage.get_all(channel, "q")


@scenario
def a_limit_in_bytes_that_refuses(stage: Stage) -> None:
    channel = _limited(stage, x_max_length_bytes=10, x_overflow="reject-publish-dlx")
    _publish(stage, channel, "12345", "67890", "x")
    stage.wait_for(channel, "dead", 1)
    stage.show(channel, "dead")
    stage.get_all(channel, "q")


@scenario
def what_is_out_does_not_count_for_the_limit(stage: Stage) -> None:
    channel = _limited(stage, x_max_length=1)
    _publish(stage, channel, "1")
    method, _, _ = channel.basic_get("q")
    _publish(stage, channel, "2")
    stage.counts(channel, "q")
    channel.basic_nack(method.delivery_tag)
    stage.wait_for(channel, "dead", 1)
    stage.show(channel, "dead")
    stage.get_all(channel, "q")


@scenario
def a_queue_of_no_length_at_all(stage: Stage) -> None:
    channel = _limited(stage, x_max_length=0)
    _publish(stage, channel, "1")
    stage.wait_for(channel, "dead", 1)
    stage.show(channel, "dead")
    stage.consume(channel, "q", auto_ack=True)
    _publish(stage, channel, "2")
    stage.tags(channel, 1)


@scenario
def what_comes_back_to_a_queue_that_refuses_is_let_in(stage: Stage) -> None:
    channel = _limited(stage, x_max_length=1, x_overflow="reject-publish-dlx")
    _publish(stage, channel, "1")
    method, _, _ = channel.basic_get("q")
    _publish(stage, channel, "2")
    channel.basic_nack(method.delivery_tag)
    stage.quiet(channel)
    stage.counts(channel, "dead")
    stage.get_all(channel, "q")


@scenario
def the_lowest_priority_is_dropped_first(stage: Stage) -> None:
    channel = _limited(stage, x_max_length=2, x_max_priority=5)
    channel.confirm_delivery()
    for body, priority in (("low", 1), ("high", 5), ("middle", 3), ("low again", 1)):
        channel.basic_publish("", "q", body.encode(), stage.properties(priority=priority))
    stage.wait_for(channel, "dead", 2)
    stage.show(channel, "dead")
    stage.get_all(channel, "q")


@scenario
def lengths_that_are_none(stage: Stage) -> None:
    for name, value in (
        ("x-max-length", -1),
        ("x-max-length", "1"),
        ("x-max-length-bytes", -1),
        ("x-overflow", "nonsense"),
        ("x-overflow", 1),
        ("x-max-priority", 256),
        ("x-max-priority", -1),
    ):
        channel = stage.channel()
        arguments = {name: value}
        stage.refused(lambda c=channel, a=arguments: c.queue_declare("q", arguments=a))
