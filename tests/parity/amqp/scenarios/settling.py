"""Ack, nack, reject, recover: what is settled, what comes back, and where in the queue."""

from __future__ import annotations

from pamqp import commands

from tests.parity.amqp.stage import Stage, scenario


def _with(stage: Stage, bodies: str) -> tuple[object, object]:
    connection = stage.connect()
    channel = connection.channel()
    channel.queue_declare("orders")
    stage.publish(channel, "orders", *bodies)
    return connection, channel


@scenario
def acknowledging_one_by_one(stage: Stage) -> None:
    _, channel = _with(stage, "123")
    for tag in stage.get_all(channel, "orders"):
        channel.basic_ack(tag)
    channel.close()
    stage.counts(stage.channel(), "orders")


@scenario
def acknowledging_several_at_once(stage: Stage) -> None:
    _, channel = _with(stage, "12345")
    stage.get_all(channel, "orders")
    channel.basic_ack(3, multiple=True)
    channel.close()
    stage.get_all(stage.channel(), "orders")


@scenario
def tag_zero_means_everything(stage: Stage) -> None:
    _, channel = _with(stage, "1234")
    stage.get_all(channel, "orders")
    channel.basic_ack(2)
    channel.basic_ack(0, multiple=True)
    channel.close()
    stage.counts(stage.channel(), "orders")


@scenario
def tag_zero_with_nothing_outstanding(stage: Stage) -> None:
    _, channel = _with(stage, "")
    channel.basic_ack(0, multiple=True)
    stage.counts(channel, "orders")


@scenario
def acknowledging_twice(stage: Stage) -> None:
    _, channel = _with(stage, "1")
    stage.get_all(channel, "orders")
    channel.basic_ack(1)
    channel.basic_ack(1)
    stage.refused(lambda: channel.queue_declare("orders", passive=True))


@scenario
def acknowledging_what_was_never_delivered(stage: Stage) -> None:
    connection, channel = _with(stage, "12")
    stage.get_all(channel, "orders")
    channel.basic_ack(99)
    stage.refused(lambda: channel.queue_declare("orders", passive=True))
    other = connection.channel()
    other.basic_ack(5, multiple=True)
    stage.refused(lambda: other.queue_declare("orders", passive=True))
    nothing = connection.channel()
    nothing.basic_nack(7, requeue=True)
    stage.refused(lambda: nothing.queue_declare("orders", passive=True))
    nobody = connection.channel()
    nobody.basic_reject(8)
    stage.refused(lambda: nobody.queue_declare("orders", passive=True))


@scenario
def acknowledging_several_beyond_the_last_one(stage: Stage) -> None:
    _, channel = _with(stage, "12")
    stage.get_all(channel, "orders")
    channel.basic_ack(7, multiple=True)
    stage.refused(lambda: channel.queue_declare("orders", passive=True))
    stage.get_all(stage.channel(), "orders")


@scenario
def acknowledging_on_another_channel(stage: Stage) -> None:
    connection, channel = _with(stage, "1")
    stage.get_all(channel, "orders")
    other = connection.channel()
    other.basic_ack(1)
    stage.refused(lambda: other.queue_declare("orders", passive=True))
    channel.basic_ack(1)
    stage.counts(channel, "orders")


@scenario
def acknowledging_what_was_acknowledged_automatically(stage: Stage) -> None:
    _, channel = _with(stage, "1")
    method, _, _ = channel.basic_get("orders", auto_ack=True)
    channel.basic_ack(method.delivery_tag)
    stage.refused(lambda: channel.queue_declare("orders", passive=True))


@scenario
def a_rejected_message_is_gone(stage: Stage) -> None:
    _, channel = _with(stage, "123")
    stage.get_all(channel, "orders")
    channel.basic_reject(1, requeue=False)
    channel.basic_nack(3, multiple=True, requeue=False)
    stage.counts(channel, "orders")
    channel.close()
    stage.counts(stage.channel(), "orders")


@scenario
def a_requeued_message_returns_to_its_place(stage: Stage) -> None:
    _, channel = _with(stage, "12345")
    for _ in range(3):
        channel.basic_get("orders")
    channel.basic_nack(2, requeue=True)
    stage.get_all(channel, "orders")


@scenario
def messages_requeued_together_keep_their_order(stage: Stage) -> None:
    _, channel = _with(stage, "12345")
    for _ in range(4):
        channel.basic_get("orders")
    channel.basic_nack(3, multiple=True, requeue=True)
    stage.get_all(channel, "orders")


@scenario
def messages_requeued_in_reverse_keep_their_order(stage: Stage) -> None:
    _, channel = _with(stage, "12345")
    for _ in range(4):
        channel.basic_get("orders")
    for tag in (4, 2, 3, 1):
        channel.basic_reject(tag, requeue=True)
    stage.get_all(channel, "orders")


@scenario
def a_message_requeued_after_later_ones_were_settled(stage: Stage) -> None:
    _, channel = _with(stage, "1234")
    stage.get_all(channel, "orders")
    channel.basic_ack(2)
    stage.publish(channel, "orders", "5")
    channel.basic_nack(3)
    channel.basic_nack(1)
    stage.get_all(channel, "orders")


@scenario
def a_nacked_message_comes_straight_back_to_its_only_consumer(stage: Stage) -> None:
    _, channel = _with(stage, "12")
    channel.basic_qos(prefetch_count=1)
    stage.consume(channel, "orders")
    (tag,) = stage.tags(channel, 1)
    channel.basic_nack(tag)
    (tag,) = stage.tags(channel, 1)
    channel.basic_nack(tag, requeue=False)
    stage.tags(channel, 1)


@scenario
def a_nacked_message_goes_to_the_other_consumer(stage: Stage) -> None:
    _, channel = _with(stage, "")
    channel.basic_qos(prefetch_count=1)
    stage.consume(channel, "orders", "a")
    stage.consume(channel, "orders", "b")
    stage.publish(channel, "orders", "1")
    (tag,) = stage.tags(channel, 1)
    channel.basic_nack(tag)
    stage.tags(channel, 1)


@scenario
def redelivered_stays_once_it_was_set(stage: Stage) -> None:
    _, channel = _with(stage, "1")
    for _ in range(3):
        (tag,) = stage.get_all(channel, "orders")
        channel.basic_nack(tag)
    stage.counts(channel, "orders")


@scenario
def recovering_brings_everything_back(stage: Stage) -> None:
    _, channel = _with(stage, "1234")
    stage.get_all(channel, "orders")
    channel.basic_ack(2)
    channel.basic_recover(requeue=True)
    stage.get_all(channel, "orders")


@scenario
def recovering_without_requeueing_is_not_implemented(stage: Stage) -> None:
    _, channel = _with(stage, "12")
    stage.get_all(channel, "orders")
    stage.refused(lambda: channel.basic_recover(requeue=False))


@scenario
def recovering_redelivers_to_the_consumer(stage: Stage) -> None:
    _, channel = _with(stage, "12")
    stage.consume(channel, "orders")
    stage.tags(channel, 2)
    channel.basic_recover(requeue=True)
    tags = stage.tags(channel, 2)
    channel.basic_ack(tags[-1], multiple=True)
    stage.counts(channel, "orders")


@scenario
def nacking_everything_at_once(stage: Stage) -> None:
    _, channel = _with(stage, "123")
    stage.get_all(channel, "orders")
    channel.basic_nack(0, multiple=True, requeue=True)
    stage.get_all(channel, "orders")


@scenario
def getting_from_an_empty_queue(stage: Stage) -> None:
    client = stage.raw()
    client.open_channel()
    client.send(commands.Queue.Declare(0, "orders"))
    client.read()
    client.send(commands.Basic.Get(0, "orders"))
    stage.see(client.said())


@scenario
def delivery_tags_go_on_across_queues_and_ways_of_taking(stage: Stage) -> None:
    _, channel = _with(stage, "12")
    channel.queue_declare("other")
    stage.publish(channel, "other", "x", "y")
    stage.see(channel.basic_get("orders")[0].delivery_tag)
    stage.see(channel.basic_get("other", auto_ack=True)[0].delivery_tag)
    stage.consume(channel, "other", "o")
    stage.tags(channel, 1)
    channel.basic_ack(3, multiple=True)
    stage.counts(channel, "orders")
