"""What does not stay in a queue: expiry, overflow, rejection, and where it goes."""

from __future__ import annotations

import pika

from tests.parity.amqp.stage import Stage, scenario

TO_DEAD = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead"}


@scenario
def an_expired_message_is_a_dead_letter(stage: Stage) -> None:
    channel = stage.channel()
    channel.queue_declare("dead")
    channel.queue_declare("q", arguments={"x-message-ttl": 60000, **TO_DEAD})
    properties = pika.BasicProperties(expiration="20", headers={"z": 1, "a": "b"}, delivery_mode=2)
    channel.basic_publish("", "q", b"x", properties)
    stage.wait_for(channel, "dead", 1)
    stage.show(channel, "dead")


@scenario
def a_dead_letter_dies_again_and_again(stage: Stage) -> None:
    channel = stage.channel()
    channel.queue_declare("work", arguments={**TO_DEAD, "x-dead-letter-routing-key": "retry"})
    back = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "work"}
    channel.queue_declare("retry", arguments={"x-message-ttl": 10, **back})
    channel.basic_publish("", "work", b"x", pika.BasicProperties(headers={"CC": ["elsewhere"]}))
    for _ in range(3):
        stage.wait_for(channel, "work", 1)
        method, _, _ = channel.basic_get("work")
        channel.basic_reject(method.delivery_tag, requeue=False)
    stage.wait_for(channel, "work", 1)
    stage.show(channel, "work")


@scenario
def a_dead_letter_keeps_its_key_and_its_headers(stage: Stage) -> None:
    channel = stage.channel()
    channel.queue_declare("all")
    channel.exchange_declare("dlx", "fanout")
    channel.queue_bind("all", "dlx")
    channel.queue_declare("q", arguments={"x-max-length": 1, "x-dead-letter-exchange": "dlx"})
    for body in (b"1", b"2"):
        properties = pika.BasicProperties(headers={"CC": ["more"], "n": None}, priority=3)
        channel.basic_publish("", "q", body, properties)
    stage.wait_for(channel, "all", 1)
    stage.show(channel, "all")


@scenario
def a_full_queue_that_refuses(stage: Stage) -> None:
    channel = stage.channel()
    channel.queue_declare("dead")
    arguments = {"x-max-length": 1, "x-overflow": "reject-publish-dlx", **TO_DEAD}
    channel.queue_declare("q", arguments=arguments)
    channel.confirm_delivery()
    channel.basic_publish("", "q", b"1")
    stage.refused(lambda: channel.basic_publish("", "q", b"2"))
    stage.wait_for(channel, "dead", 1)
    stage.show(channel, "dead")
    stage.get_all(channel, "q")


@scenario
def messages_of_higher_priority_go_first(stage: Stage) -> None:
    channel = stage.channel()
    channel.queue_declare("q", arguments={"x-max-priority": 5})
    for number, priority in enumerate((None, 1, 5, 9, 1, 0)):
        properties = pika.BasicProperties(priority=priority)
        channel.basic_publish("", "q", str(number).encode(), properties)
    stage.wait_for(channel, "q", 6)
    tags = stage.get_all(channel, "q")
    channel.basic_nack(tags[-1], multiple=True)
    stage.wait_for(channel, "q", 6)
    stage.get_all(channel, "q")


@scenario
def a_quorum_queue_gives_up_after_so_many_returns(stage: Stage) -> None:
    channel = stage.channel()
    channel.queue_declare("dead")
    arguments = {"x-queue-type": "quorum", "x-delivery-limit": 1, **TO_DEAD}
    channel.queue_declare("q", durable=True, arguments=arguments)
    channel.confirm_delivery()
    for body in (b"a", b"b"):
        channel.basic_publish("", "q", body)
    for _ in range(4):
        method, properties, body = channel.basic_get("q")
        stage.see(body.decode(), method.redelivered, dict(properties.headers))
        channel.basic_nack(method.delivery_tag)
        stage.quiet(channel)
    stage.wait_for(channel, "dead", 2)
    stage.show(channel, "dead")


@scenario
def the_single_active_consumer_hands_over(stage: Stage) -> None:
    channel = stage.channel()
    channel.queue_declare("q", arguments={"x-single-active-consumer": True})
    for tag in ("one", "two"):
        stage.consume(channel, "q", tag, auto_ack=True)
    stage.publish(channel, "q", "1", "2")
    stage.tags(channel, 2)
    channel.basic_cancel("one")
    stage.publish(channel, "q", "3")
    stage.tags(channel, 1)


@scenario
def a_transaction_rolled_back_and_one_committed(stage: Stage) -> None:
    channel = stage.channel()
    channel.queue_declare("q")
    channel.tx_select()
    stage.publish(channel, "q", "never")
    channel.tx_rollback()
    stage.counts(channel, "q")
    stage.publish(channel, "q", "now")
    stage.counts(channel, "q")
    channel.tx_commit()
    stage.counts(channel, "q")
    stage.get_all(channel, "q")
