"""Consumers: order, fairness, prefetch, exclusivity, and being cancelled."""

from __future__ import annotations

from tests.parity.amqp.stage import Stage, scenario


@scenario
def messages_arrive_in_the_order_they_were_published(stage: Stage) -> None:
    channel = stage.channel()
    channel.queue_declare("orders")
    stage.publish(channel, "orders", *"abc")
    stage.consume(channel, "orders")
    stage.publish(channel, "orders", *"de")
    for tag in stage.tags(channel, 5):
        channel.basic_ack(tag)
    stage.counts(channel, "orders")


@scenario
def a_delivery_says_where_it_came_from(stage: Stage) -> None:
    channel = stage.channel()
    channel.queue_declare("orders")
    channel.queue_bind("orders", "amq.topic", "order.#")
    channel.basic_publish("amq.topic", "order.new", b"one")
    seen = []
    channel.basic_consume("orders", lambda *all_: seen.append(all_), consumer_tag="me")
    stage.quiet(channel)
    _, method, _, _ = seen[0]
    stage.see(method.consumer_tag, method.exchange, method.routing_key, method.redelivered)


@scenario
def consumers_of_one_channel_take_turns(stage: Stage) -> None:
    channel = stage.channel()
    channel.queue_declare("orders")
    for tag in ("a", "b", "c"):
        stage.consume(channel, "orders", tag)
    stage.publish(channel, "orders", *"123456789")
    stage.tags(channel, 9)


@scenario
def consumers_of_different_connections_take_turns(stage: Stage) -> None:
    publisher = stage.channel()
    publisher.queue_declare("orders")
    channels = [stage.channel() for _ in range(3)]
    for channel in channels:
        stage.consume(channel, "orders")
    stage.publish(publisher, "orders", *"1234567")
    stage.counts(publisher, "orders")
    for number, channel in enumerate(channels):
        stage.see("consumer", number)
        stage.tags(channel, 3 if number == 0 else 2)


@scenario
def a_first_consumer_without_a_limit_takes_everything(stage: Stage) -> None:
    channel = stage.channel()
    channel.queue_declare("orders")
    stage.publish(channel, "orders", *"1234")
    stage.consume(channel, "orders", "first")
    stage.tags(channel, 4)
    stage.consume(channel, "orders", "second")
    stage.publish(channel, "orders", *"56")
    stage.tags(channel, 2)


@scenario
def prefetch_limits_what_is_unacknowledged(stage: Stage) -> None:
    channel = stage.channel()
    channel.queue_declare("orders")
    stage.publish(channel, "orders", *"123456")
    channel.basic_qos(prefetch_count=2)
    stage.consume(channel, "orders")
    stage.tags(channel, 2)
    stage.counts(channel, "orders")
    channel.basic_ack(1)
    stage.tags(channel, 1)
    channel.basic_ack(3, multiple=True)
    stage.tags(channel, 2)


@scenario
def prefetch_counts_for_each_consumer_of_the_channel(stage: Stage) -> None:
    channel = stage.channel()
    channel.queue_declare("orders")
    channel.basic_qos(prefetch_count=1)
    stage.consume(channel, "orders", "a")
    stage.consume(channel, "orders", "b")
    stage.publish(channel, "orders", *"1234")
    stage.tags(channel, 2)
    stage.counts(channel, "orders")


@scenario
def a_global_prefetch_counts_for_the_whole_channel(stage: Stage) -> None:
    channel = stage.channel()
    channel.queue_declare("orders")
    channel.basic_qos(prefetch_count=3, global_qos=True)
    stage.consume(channel, "orders", "a")
    stage.consume(channel, "orders", "b")
    stage.publish(channel, "orders", *"123456")
    stage.tags(channel, 3)
    stage.counts(channel, "orders")
    channel.basic_ack(3, multiple=True)
    stage.tags(channel, 3)


@scenario
def prefetch_set_after_consuming_does_not_touch_that_consumer(stage: Stage) -> None:
    channel = stage.channel()
    channel.queue_declare("orders")
    stage.consume(channel, "orders", "early")
    channel.basic_qos(prefetch_count=1)
    stage.publish(channel, "orders", *"1234")
    stage.tags(channel, 4)
    stage.counts(channel, "orders")


@scenario
def automatic_acknowledgement_ignores_prefetch(stage: Stage) -> None:
    channel = stage.channel()
    channel.queue_declare("orders")
    channel.basic_qos(prefetch_count=1)
    stage.publish(channel, "orders", *"1234")
    stage.consume(channel, "orders", auto_ack=True)
    stage.tags(channel, 4)
    stage.counts(channel, "orders")


@scenario
def getting_does_not_count_for_prefetch(stage: Stage) -> None:
    channel = stage.channel()
    channel.queue_declare("orders")
    channel.basic_qos(prefetch_count=1)
    stage.publish(channel, "orders", *"123")
    stage.get_all(channel, "orders")


@scenario
def a_prefetch_size_is_not_implemented(stage: Stage) -> None:
    connection = stage.connect()
    channel = connection.channel()
    stage.refused(lambda: channel.basic_qos(prefetch_size=100))


@scenario
def an_exclusive_consumer_tolerates_no_other(stage: Stage) -> None:
    connection = stage.connect()
    channel = connection.channel()
    channel.queue_declare("orders")
    stage.consume(channel, "orders", exclusive=True)
    other = stage.connect()
    stage.refused(lambda: other.channel().basic_consume("orders", lambda *_: None))
    stage.refused(
        lambda: connection.channel().basic_consume("orders", lambda *_: None, exclusive=True)
    )
    channel.basic_cancel("c")
    stage.consume(other.channel(), "orders", "later")
    stage.refused(
        lambda: connection.channel().basic_consume("orders", lambda *_: None, exclusive=True)
    )


@scenario
def a_consumer_tag_is_used_once_on_a_channel(stage: Stage) -> None:
    client = stage.raw()
    client.open_channel()
    from pamqp import commands

    client.send(commands.Queue.Declare(0, "orders"))
    client.read()
    client.send(commands.Basic.Consume(0, "orders", "twice"))
    stage.see(client.said())
    client.send(commands.Basic.Consume(0, "orders", "twice"))
    stage.see(client.said())


@scenario
def the_server_makes_up_a_consumer_tag(stage: Stage) -> None:
    client = stage.raw()
    client.open_channel()
    from pamqp import commands

    client.send(commands.Queue.Declare(0, "orders"))
    client.read()
    client.send(commands.Basic.Consume(0, "orders", ""))
    stage.see(client.read()[1].consumer_tag)


@scenario
def deleting_a_queue_cancels_its_consumers(stage: Stage) -> None:
    channel = stage.channel()
    channel.queue_declare("orders")
    channel.add_on_cancel_callback(lambda frame: stage.see("cancelled", frame.method.consumer_tag))
    stage.consume(channel, "orders", "a")
    stage.consume(channel, "orders", "b")
    stage.channel().queue_delete("orders")
    stage.quiet(channel)
    stage.see("still open", channel.is_open, channel.consumer_tags)


@scenario
def cancelling_keeps_what_was_delivered(stage: Stage) -> None:
    channel = stage.channel()
    channel.queue_declare("orders")
    channel.basic_qos(prefetch_count=2)
    stage.publish(channel, "orders", *"123")
    stage.consume(channel, "orders")
    tags = stage.tags(channel, 2)
    # pika's own basic_cancel gives messages back that no callback has seen; all have been seen.
    channel.basic_cancel("c")
    stage.counts(channel, "orders")
    channel.basic_ack(tags[0])
    channel.basic_nack(tags[1])
    stage.counts(channel, "orders")


@scenario
def cancelling_a_consumer_nobody_knows(stage: Stage) -> None:
    client = stage.raw()
    client.open_channel()
    from pamqp import commands

    client.send(commands.Basic.Cancel("stranger"))
    stage.see(client.said())


@scenario
def what_a_closed_channel_held_goes_back_in_order(stage: Stage) -> None:
    watcher = stage.channel()
    watcher.queue_declare("orders")
    stage.publish(watcher, "orders", *"12345")
    channel = stage.channel()
    channel.basic_qos(prefetch_count=3)
    stage.consume(channel, "orders")
    stage.tags(channel, 3)
    channel.basic_ack(2)
    channel.close()
    stage.get_all(watcher, "orders")


@scenario
def what_a_dead_connection_held_goes_to_the_other_consumer(stage: Stage) -> None:
    publisher = stage.channel()
    publisher.queue_declare("orders")
    dying, living = stage.connect(), stage.channel()
    stage.consume(dying.channel(), "orders", "dying")
    stage.publish(publisher, "orders", *"123")
    stage.counts(publisher, "orders")
    stage.consume(living, "orders", "living")
    stage.publish(publisher, "orders", *"4567")
    stage.tags(living, 2)
    dying.close()
    stage.tags(living, 5)


@scenario
def priorities_of_consumers_are_not_turns(stage: Stage) -> None:
    channel = stage.channel()
    channel.queue_declare("orders")
    channel.basic_qos(prefetch_count=2)
    stage.consume(channel, "orders", "low", arguments={"x-priority": 1})
    stage.consume(channel, "orders", "high", arguments={"x-priority": 10})
    stage.publish(channel, "orders", *"12345")
    stage.tags(channel, 4)
