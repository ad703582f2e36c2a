"""Time: messages and queues that live only so long."""

from __future__ import annotations

import pika
import pika.exceptions
from pika.adapters.blocking_connection import BlockingChannel

from tests.parity.amqp.stage import Stage, scenario

TEN_YEARS_MS = 315_360_000_000
TO_DEAD = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead"}


def _brief(milliseconds: int) -> pika.BasicProperties:
    return pika.BasicProperties(expiration=str(milliseconds))


def _dead(stage: Stage) -> BlockingChannel:
    channel = stage.channel()
    channel.queue_declare("dead")
    return channel


@scenario
def a_queues_time_to_live_holds_for_all_its_messages(stage: Stage) -> None:
    channel = _dead(stage)
    channel.queue_declare("q", arguments={"x-message-ttl": 30, **TO_DEAD})
    stage.publish(channel, "q", "1", "2")
    stage.wait_for(channel, "dead", 2)
    stage.show(channel, "dead")
    stage.counts(channel, "q")


@scenario
def the_shorter_of_two_times_to_live_counts(stage: Stage) -> None:
    channel = _dead(stage)
    channel.queue_declare("q", arguments={"x-message-ttl": 30, **TO_DEAD})
    channel.basic_publish("", "q", b"message says longer", _brief(60_000))
    stage.wait_for(channel, "dead", 1)
    stage.show(channel, "dead")
    channel.queue_declare("r", arguments={"x-message-ttl": 60_000, **TO_DEAD})
    channel.basic_publish("", "r", b"message says shorter", _brief(30))
    stage.wait_for(channel, "dead", 1)
    stage.show(channel, "dead")


@scenario
def a_message_that_is_expired_waits_behind_one_that_is_not(stage: Stage) -> None:
    channel = _dead(stage)
    channel.queue_declare("q", arguments=TO_DEAD)
    channel.basic_publish("", "q", b"lives")
    channel.basic_publish("", "q", b"brief", _brief(20))
    channel.connection.sleep(0.2)
    stage.counts(channel, "q")
    stage.counts(channel, "dead")
    method, _, body = channel.basic_get("q", auto_ack=True)
    stage.see(body.decode(), method.message_count)
    stage.wait_for(channel, "dead", 1)
    stage.show(channel, "dead")
    stage.counts(channel, "q")


@scenario
def a_message_without_any_time_reaches_only_who_waits(stage: Stage) -> None:
    channel = stage.channel()
    channel.queue_declare("q", arguments={"x-message-ttl": 0})
    stage.publish(channel, "q", "nobody waits")
    stage.counts(channel, "q")
    stage.consume(channel, "q", auto_ack=True)
    stage.publish(channel, "q", "somebody waits")
    stage.tags(channel, 1)


@scenario
def a_message_that_expired_while_it_was_out_dies_when_it_comes_back(stage: Stage) -> None:
    channel = _dead(stage)
    channel.queue_declare("q", arguments=TO_DEAD)
    channel.basic_publish("", "q", b"brief", _brief(500))
    method, _, _ = channel.basic_get("q")
    channel.connection.sleep(1)
    stage.counts(channel, "dead")
    channel.basic_nack(method.delivery_tag)
    stage.wait_for(channel, "dead", 1)
    stage.show(channel, "dead")


@scenario
def a_message_of_higher_priority_is_not_looked_at_until_the_head_goes(stage: Stage) -> None:
    channel = _dead(stage)
    channel.queue_declare("q", arguments={"x-max-priority": 5, **TO_DEAD})
    channel.confirm_delivery()
    channel.basic_publish("", "q", b"lives", stage.properties(priority=1))
    for body in (b"overdue", b"too"):
        properties = stage.properties(priority=5, expiration="10")
        channel.basic_publish("", "q", body, properties)
    channel.connection.sleep(0.2)
    stage.counts(channel, "q")
    method, _, body = channel.basic_get("q", auto_ack=True)
    stage.see(body.decode(), method.message_count)
    stage.wait_for(channel, "dead", 1)
    stage.show(channel, "dead")


@scenario
def a_queue_that_nobody_uses_goes_away(stage: Stage) -> None:
    channel = stage.channel()
    channel.queue_declare("q", arguments={"x-expires": 80})
    stage.publish(channel, "q", "x")
    channel.connection.sleep(0.6)
    stage.refused(lambda: channel.queue_declare("q", passive=True))


@scenario
def a_queue_with_a_consumer_is_used(stage: Stage) -> None:
    channel = stage.channel()
    channel.queue_declare("q", arguments={"x-expires": 150})
    stage.consume(channel, "q", auto_ack=True)
    channel.connection.sleep(0.5)
    stage.publish(channel, "q", "still here")
    stage.tags(channel, 1)
    channel.basic_cancel("c")
    channel.connection.sleep(0.8)
    stage.refused(lambda: channel.queue_declare("q", passive=True))


@scenario
def times_to_live_that_are_none(stage: Stage) -> None:
    for name, value in (
        ("x-message-ttl", -1),
        ("x-message-ttl", 2**32),
        ("x-message-ttl", "100"),
        ("x-expires", 0),
        ("x-expires", 2**32),
        ("x-message-ttl", TEN_YEARS_MS),
        ("x-message-ttl", TEN_YEARS_MS + 1),
        ("x-expires", TEN_YEARS_MS + 1),
    ):
        channel = stage.channel()
        arguments, queue = {name: value}, f"{name} {value}"
        stage.refused(
            lambda c=channel, q=queue, a=arguments: c.queue_declare(q, arguments=a).method.queue
        )
    for expiration in ("-1", "1.5", "", "+5", " 5", "x", "5x", "-", str(TEN_YEARS_MS + 1)):
        channel = stage.channel()
        channel.queue_declare("ok")
        properties = pika.BasicProperties(expiration=expiration)
        channel.basic_publish("", "ok", b"", properties)
        stage.refused(lambda c=channel: c.queue_declare("ok", passive=True) and None)
