"""Whose turn it is: single active consumers, priorities of consumers, quorum queues, commits."""

from __future__ import annotations

from tests.parity.amqp.stage import Stage, scenario

SINGLE = {"x-single-active-consumer": True}
QUORUM = {"x-queue-type": "quorum"}


@scenario
def the_next_single_active_consumer_takes_over_what_was_held(stage: Stage) -> None:
    one, two = stage.channel(), stage.channel()
    one.queue_declare("q", arguments=SINGLE)
    stage.consume(one, "q", "one")
    stage.consume(two, "q", "two")
    stage.publish(one, "q", "1", "2", "3")
    stage.tags(one, 3)
    stage.tags(two, 0)
    one.close()
    stage.tags(two, 3)


@scenario
def a_single_active_consumer_cannot_be_exclusive(stage: Stage) -> None:
    channel = stage.channel()
    channel.queue_declare("q", arguments=SINGLE)
    stage.refused(lambda: stage.consume(channel, "q", "one", exclusive=True))


@scenario
def a_higher_priority_goes_first_while_it_can(stage: Stage) -> None:
    high, low = stage.channel(), stage.channel()
    high.queue_declare("q")
    high.basic_qos(prefetch_count=2)
    stage.consume(low, "q", "low", auto_ack=True)
    stage.consume(high, "q", "high", arguments={"x-priority": 5})
    stage.publish(low, "q", "1", "2", "3", "4")
    tags = stage.tags(high, 2)
    stage.tags(low, 2)
    high.basic_ack(tags[-1], multiple=True)
    stage.publish(low, "q", "5")
    stage.tags(high, 1)
    stage.tags(low, 0)


@scenario
def priorities_of_consumers_that_are_none(stage: Stage) -> None:
    channel = stage.channel()
    channel.queue_declare("q")
    arguments = {"x-priority": "high"}
    stage.refused(lambda: stage.consume(channel, "q", "c", arguments=arguments))


@scenario
def a_quorum_queue_gives_back_first_what_came_back(stage: Stage) -> None:
    channel = stage.channel()
    channel.queue_declare("q", durable=True, arguments=QUORUM)
    channel.confirm_delivery()
    stage.publish(channel, "q", "1", "2", "3")
    taken = [channel.basic_get("q")[0].delivery_tag for _ in range(2)]
    channel.basic_nack(taken[1])
    stage.quiet(channel)
    channel.basic_nack(taken[0])
    stage.quiet(channel)
    stage.get_all(channel, "q")
    channel.close()
    channel = stage.channel()
    stage.quiet(channel)
    stage.get_all(channel, "q")


@scenario
def a_quorum_queue_with_a_limit_gives_back_first_what_came_back(stage: Stage) -> None:
    channel = stage.channel()
    channel.queue_declare("q", durable=True, arguments={**QUORUM, "x-delivery-limit": 9})
    channel.confirm_delivery()
    stage.publish(channel, "q", "1", "2", "3")
    taken = [channel.basic_get("q")[0].delivery_tag for _ in range(2)]
    channel.basic_nack(taken[1])
    stage.quiet(channel)
    channel.basic_nack(taken[0])
    stage.quiet(channel)
    stage.get_all(channel, "q")


@scenario
def what_a_quorum_queue_gets_back_at_once(stage: Stage) -> None:
    for limit in ({}, {"x-delivery-limit": 9}):
        channel = stage.channel()
        queue = f"q{len(limit)}"
        channel.queue_declare(queue, durable=True, arguments={**QUORUM, **limit})
        channel.confirm_delivery()
        stage.publish(channel, queue, "1", "2", "3", "4")
        taken = [channel.basic_get(queue)[0].delivery_tag for _ in range(3)]
        channel.basic_nack(taken[-1], multiple=True)
        stage.quiet(channel)
        for _ in range(2):
            method, properties, body = channel.basic_get(queue)
            stage.see(body.decode(), method.redelivered, dict(properties.headers or {}))
        channel.basic_recover(requeue=True)
        stage.quiet(channel)
        stage.get_all(channel, queue)


@scenario
def what_a_quorum_queue_cannot_be(stage: Stage) -> None:
    for options in (
        {"durable": False},
        {"durable": True, "auto_delete": True},
        {"durable": True, "exclusive": True},
        {"durable": True, "arguments": {"x-max-priority": 3}},
    ):
        channel = stage.channel()
        arguments = {**QUORUM, **options.pop("arguments", {})}
        stage.refused(
            lambda c=channel, o=options, a=arguments: c.queue_declare("q", arguments=a, **o)
        )
    channel = stage.channel()
    channel.queue_declare("q", durable=True, arguments=QUORUM)
    channel.basic_qos(prefetch_count=1, global_qos=True)
    stage.refused(lambda: stage.consume(channel, "q"))


@scenario
def a_commit_settles_and_publishes_together(stage: Stage) -> None:
    channel, other = stage.channel(), stage.channel()
    channel.queue_declare("q")
    stage.publish(channel, "q", "1", "2")
    channel.tx_select()
    method, _, _ = channel.basic_get("q")
    channel.basic_ack(method.delivery_tag)
    method, _, _ = channel.basic_get("q")
    channel.basic_nack(method.delivery_tag, requeue=False)
    stage.publish(channel, "q", "3")
    stage.counts(other, "q")
    channel.tx_commit()
    stage.counts(other, "q")
    channel.close()
    stage.get_all(other, "q")


@scenario
def what_a_roll_back_leaves_can_be_settled_again(stage: Stage) -> None:
    channel = stage.channel()
    channel.queue_declare("q")
    stage.publish(channel, "q", "1")
    stage.quiet(channel)
    channel.tx_select()
    method, _, _ = channel.basic_get("q")
    channel.basic_ack(method.delivery_tag)
    channel.tx_rollback()
    channel.basic_nack(method.delivery_tag)
    channel.tx_commit()
    stage.quiet(channel)
    stage.get_all(channel, "q")


@scenario
def a_transaction_is_refused_where_there_is_none(stage: Stage) -> None:
    for act in ("tx_commit", "tx_rollback"):
        channel = stage.channel()
        stage.refused(getattr(channel, act))
    channel = stage.channel()
    channel.tx_select()
    channel.basic_ack(9)
    stage.refused(channel.tx_commit)
