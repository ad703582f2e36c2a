"""Declaring, purging and deleting queues, and every way in which that can be refused."""

from __future__ import annotations

from tests.parity.amqp.stage import Stage, scenario


@scenario
def declaring_a_queue_twice_is_the_same_queue(stage: Stage) -> None:
    channel = stage.channel()
    for _ in range(2):
        ok = channel.queue_declare("orders").method
        stage.see(ok.queue, ok.message_count, ok.consumer_count)
        stage.publish(channel, "orders", "one")
        stage.quiet(channel)


@scenario
def a_queue_keeps_the_properties_it_was_first_declared_with(stage: Stage) -> None:
    connection = stage.connect()
    connection.channel().queue_declare("plain")
    connection.channel().queue_declare("lasting", durable=True)
    connection.channel().queue_declare("fleeting", auto_delete=True)
    stage.refused(lambda: connection.channel().queue_declare("plain", durable=True))
    stage.refused(lambda: connection.channel().queue_declare("lasting"))
    stage.refused(lambda: connection.channel().queue_declare("plain", auto_delete=True))
    stage.refused(lambda: connection.channel().queue_declare("fleeting"))
    stage.refused(lambda: connection.channel().queue_declare("plain", exclusive=True))
    stage.refused(lambda: connection.channel().queue_declare("lasting", exclusive=True))


@scenario
def asking_for_a_queue_that_nobody_declared(stage: Stage) -> None:
    connection = stage.connect()
    stage.refused(lambda: connection.channel().queue_declare("nobody's", passive=True))
    stage.refused(lambda: connection.channel().basic_get("nobody's"))
    stage.refused(lambda: connection.channel().basic_consume("nobody's", lambda *_: None))
    stage.refused(lambda: connection.channel().queue_purge("nobody's"))
    stage.refused(lambda: connection.channel().queue_bind("nobody's", "amq.direct", "k"))
    stage.refused(lambda: connection.channel().queue_delete("nobody's"))


@scenario
def a_passive_declaration_ignores_the_properties(stage: Stage) -> None:
    channel = stage.channel()
    channel.queue_declare("orders", durable=True)
    stage.publish(channel, "orders", "one", "two")
    stage.quiet(channel)
    ok = channel.queue_declare("orders", passive=True, auto_delete=True).method
    stage.see(ok.queue, ok.message_count, ok.consumer_count)


@scenario
def the_server_names_a_queue(stage: Stage) -> None:
    channel = stage.channel()
    first = channel.queue_declare("").method.queue
    second = channel.queue_declare("", exclusive=True).method.queue
    stage.see(first, second, first == second, len(first))
    stage.publish(channel, first, "one")
    stage.quiet(channel)
    stage.see(channel.queue_declare(first, passive=True).method.message_count)


@scenario
def an_empty_name_means_the_channels_last_queue(stage: Stage) -> None:
    connection = stage.connect()
    channel = connection.channel()
    channel.queue_declare("last")
    stage.publish(channel, "last", "one", "two")
    stage.see(channel.basic_get("")[2])
    channel.queue_bind("", "amq.direct", "key")
    stage.see(channel.queue_purge("").method.message_count)
    stage.see(channel.queue_delete("").method.message_count)
    stage.refused(lambda: connection.channel().basic_get(""))
    stage.refused(lambda: connection.channel().queue_purge(""))
    stage.refused(lambda: connection.channel().basic_consume("", lambda *_: None))


@scenario
def names_that_belong_to_the_server(stage: Stage) -> None:
    connection = stage.connect()
    stage.refused(lambda: connection.channel().queue_declare("amq.mine"))
    stage.refused(lambda: connection.channel().queue_declare("amq.mine", passive=True))
    stage.refused(lambda: connection.channel().queue_declare("x" * 256))


@scenario
def names_can_be_any_text(stage: Stage) -> None:
    channel = stage.channel()
    for name in ("grüße", "注文", "with space", "a/b?c=d", "🐇", "x" * 255):
        stage.see(channel.queue_declare(name).method.queue)
        stage.publish(channel, name, "found")
        stage.see(channel.basic_get(name)[2])


@scenario
def purging_leaves_what_is_unacknowledged(stage: Stage) -> None:
    channel = stage.channel()
    channel.queue_declare("orders")
    stage.publish(channel, "orders", "1", "2", "3")
    channel.basic_get("orders")
    stage.see("purged", channel.queue_purge("orders").method.message_count)
    stage.counts(channel, "orders")
    channel.basic_nack(1, requeue=True)
    stage.counts(channel, "orders")


@scenario
def deleting_only_if_unused_or_empty(stage: Stage) -> None:
    connection = stage.connect()
    channel = connection.channel()
    channel.queue_declare("full")
    stage.publish(channel, "full", "one")
    stage.quiet(channel)
    channel.queue_declare("used")
    stage.consume(channel, "used")
    stage.refused(lambda: connection.channel().queue_delete("full", if_empty=True))
    stage.refused(lambda: connection.channel().queue_delete("used", if_unused=True))
    stage.see(channel.queue_delete("full", if_unused=True).method.message_count)
    stage.see(channel.queue_delete("used", if_empty=True).method.message_count)


@scenario
def an_exclusive_queue_is_its_connections_own(stage: Stage) -> None:
    owner = stage.connect()
    mine = owner.channel()
    mine.queue_declare("mine", exclusive=True)
    owner.channel().queue_declare("mine", exclusive=True)
    other = stage.connect()
    stage.refused(lambda: other.channel().queue_declare("mine", exclusive=True))
    stage.refused(lambda: other.channel().queue_declare("mine"))
    stage.refused(lambda: other.channel().queue_declare("mine", passive=True))
    stage.refused(lambda: other.channel().basic_get("mine"))
    stage.refused(lambda: other.channel().basic_consume("mine", lambda *_: None))
    stage.refused(lambda: other.channel().queue_purge("mine"))
    stage.refused(lambda: other.channel().queue_delete("mine"))
    stage.refused(lambda: other.channel().queue_bind("mine", "amq.direct", "k"))
    publisher = other.channel()
    stage.publish(publisher, "mine", "anybody may publish")
    stage.quiet(publisher)
    stage.get_all(mine, "mine")


@scenario
def an_exclusive_queue_ends_with_its_connection(stage: Stage) -> None:
    owner = stage.connect()
    owner.channel().queue_declare("mine", exclusive=True)
    owner.close()
    stage.refused(lambda: stage.channel().queue_declare("mine", passive=True))


@scenario
def an_auto_delete_queue_ends_with_its_last_consumer(stage: Stage) -> None:
    connection = stage.connect()
    channel = connection.channel()
    channel.queue_declare("fleeting", auto_delete=True)
    stage.counts(channel, "fleeting")
    stage.consume(channel, "fleeting", "a")
    stage.consume(channel, "fleeting", "b")
    channel.basic_cancel("a")
    stage.counts(channel, "fleeting")
    channel.basic_cancel("b")
    stage.refused(lambda: connection.channel().queue_declare("fleeting", passive=True))


@scenario
def an_auto_delete_queue_ends_when_its_consumers_channel_closes(stage: Stage) -> None:
    connection = stage.connect()
    channel = connection.channel()
    channel.queue_declare("fleeting", auto_delete=True)
    stage.consume(channel, "fleeting")
    channel.close()
    watcher = connection.channel()
    stage.quiet(watcher)
    stage.refused(lambda: watcher.queue_declare("fleeting", passive=True))


@scenario
def deleting_a_queue_reports_its_messages_and_forgets_its_bindings(stage: Stage) -> None:
    channel = stage.channel()
    channel.queue_declare("orders")
    channel.queue_bind("orders", "amq.direct", "key")
    stage.publish(channel, "orders", "1", "2")
    stage.quiet(channel)
    stage.see(channel.queue_delete("orders").method.message_count)
    channel.queue_declare("orders")
    channel.basic_publish("amq.direct", "key", b"nowhere")
    stage.counts(channel, "orders")


@scenario
def a_queue_argument_of_the_wrong_type(stage: Stage) -> None:
    connection = stage.connect()
    stage.refused(lambda: connection.channel().queue_declare("q", arguments={"x-expires": "soon"}))
    stage.refused(lambda: connection.channel().queue_declare("q", arguments={"x-message-ttl": -1}))


@scenario
def a_queue_argument_nobody_knows_is_kept_and_ignored(stage: Stage) -> None:
    connection = stage.connect()
    ok = connection.channel().queue_declare("q", arguments={"unheard-of": 1}).method
    stage.see(ok.queue)
    stage.see(connection.channel().queue_declare("q").method.queue)
