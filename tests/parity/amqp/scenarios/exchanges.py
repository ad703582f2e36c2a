"""Exchange types, bindings, and the exchanges that are always there."""

from __future__ import annotations

from tests.parity.amqp.stage import Stage, scenario


@scenario
def the_exchanges_that_are_always_there(stage: Stage) -> None:
    channel = stage.channel()
    for name in ("amq.direct", "amq.fanout", "amq.topic", "amq.headers", "amq.match"):
        channel.exchange_declare(name, passive=True)
        stage.see(name)


@scenario
def a_direct_exchange_compares_the_whole_key(stage: Stage) -> None:
    channel = stage.channel()
    channel.exchange_declare("levels", "direct")
    for queue, keys in {"errors": ["error"], "all": ["error", "info"], "dot": ["error.*"]}.items():
        channel.queue_declare(queue)
        for key in keys:
            channel.queue_bind(queue, "levels", key)
    for key in ("error", "info", "debug", "error.disk", "error.*"):
        channel.basic_publish("levels", key, key.encode())
    for queue in ("errors", "all", "dot"):
        stage.see(queue)
        stage.get_all(channel, queue)


@scenario
def a_fanout_exchange_ignores_the_key(stage: Stage) -> None:
    channel = stage.channel()
    channel.exchange_declare("news", "fanout")
    for queue in ("a", "b"):
        channel.queue_declare(queue)
    channel.queue_bind("a", "news", "")
    channel.queue_bind("b", "news", "whatever")
    channel.queue_bind("b", "news", "again")
    channel.basic_publish("news", "key", b"once each")
    for queue in ("a", "b"):
        stage.get_all(channel, queue)


@scenario
def a_topic_exchange_matches_words(stage: Stage) -> None:
    channel = stage.channel()
    patterns = ["#", "*", "*.orange.*", "lazy.#", "#.rabbit", "a.*.#.b", "", "a..b", "#.#", "*.#"]
    for number, pattern in enumerate(patterns):
        channel.queue_declare(f"q{number}")
        channel.queue_bind(f"q{number}", "amq.topic", pattern)
    keys = ["", "a", "quick.orange.rabbit", "lazy", "lazy.brown.fox", "a.x.b", "a.x.y.b", "a..b"]
    keys += ["rabbit", "orange", ".", "a.b", "lazy.orange.male.rabbit", "quick.orange.male.rabbit"]
    for key in keys:
        channel.basic_publish("amq.topic", key, key.encode())
    for number, pattern in enumerate(patterns):
        taken = []
        while (message := channel.basic_get(f"q{number}", auto_ack=True))[0] is not None:
            taken.append(message[2].decode())
        stage.see(pattern, taken)


@scenario
def a_queue_bound_twice_gets_one_copy(stage: Stage) -> None:
    channel = stage.channel()
    channel.queue_declare("orders")
    for key in ("a.*", "*.b", "a.b", "a.b"):
        channel.queue_bind("orders", "amq.topic", key)
    channel.basic_publish("amq.topic", "a.b", b"one")
    stage.get_all(channel, "orders")


@scenario
def unbinding_stops_the_flow_and_may_be_repeated(stage: Stage) -> None:
    channel = stage.channel()
    channel.queue_declare("orders")
    channel.queue_bind("orders", "amq.direct", "key")
    channel.basic_publish("amq.direct", "key", b"before")
    channel.queue_unbind("orders", "amq.direct", "key")
    channel.basic_publish("amq.direct", "key", b"after")
    channel.queue_unbind("orders", "amq.direct", "key")
    channel.queue_unbind("orders", "amq.direct", "never bound")
    stage.get_all(channel, "orders")


@scenario
def the_default_exchange_takes_no_orders(stage: Stage) -> None:
    connection = stage.connect()
    connection.channel().queue_declare("orders")
    stage.refused(lambda: connection.channel().exchange_declare("", "direct"))
    stage.refused(lambda: connection.channel().exchange_delete(""))
    stage.refused(lambda: connection.channel().queue_bind("orders", "", "key"))
    stage.refused(lambda: connection.channel().queue_unbind("orders", "", "orders"))


@scenario
def names_that_belong_to_the_servers_exchanges(stage: Stage) -> None:
    connection = stage.connect()
    stage.refused(lambda: connection.channel().exchange_declare("amq.mine", "direct"))
    stage.refused(lambda: connection.channel().exchange_delete("amq.direct"))
    stage.refused(lambda: connection.channel().exchange_declare("amq.direct", "fanout"))
    channel = connection.channel()
    channel.exchange_declare("amq.direct", "direct", durable=True)
    stage.see("declaring what is there already is allowed")
    stage.refused(lambda: connection.channel().exchange_declare("amq.direct", "direct"))


@scenario
def an_exchange_keeps_its_type_and_properties(stage: Stage) -> None:
    connection = stage.connect()
    connection.channel().exchange_declare("news", "fanout")
    connection.channel().exchange_declare("news", "fanout")
    stage.refused(lambda: connection.channel().exchange_declare("news", "direct"))
    stage.refused(lambda: connection.channel().exchange_declare("news", "fanout", durable=True))
    stage.refused(lambda: connection.channel().exchange_declare("news", "fanout", auto_delete=True))
    stage.refused(lambda: connection.channel().exchange_declare("news", "fanout", internal=True))


@scenario
def an_exchange_type_that_does_not_exist(stage: Stage) -> None:
    connection = stage.connect()
    stage.refused(lambda: connection.channel().exchange_declare("x", "telepathy"))


@scenario
def exchanges_that_nobody_declared(stage: Stage) -> None:
    connection = stage.connect()
    connection.channel().queue_declare("orders")
    stage.refused(lambda: connection.channel().exchange_declare("nobody's", passive=True))
    stage.refused(lambda: connection.channel().queue_bind("orders", "nobody's", "k"))
    stage.refused(lambda: connection.channel().queue_unbind("orders", "nobody's", "k"))
    channel = connection.channel()
    channel.exchange_delete("nobody's")
    stage.see("deleting it is fine")

    def publish() -> None:
        channel.basic_publish("nobody's", "k", b"lost")
        channel.queue_declare("orders", passive=True)

    stage.refused(publish)


@scenario
def deleting_an_exchange_that_is_in_use(stage: Stage) -> None:
    connection = stage.connect()
    channel = connection.channel()
    channel.queue_declare("orders")
    channel.exchange_declare("x", "direct")
    channel.queue_bind("orders", "x", "k")
    stage.refused(lambda: connection.channel().exchange_delete("x", if_unused=True))
    channel.exchange_delete("x")
    stage.refused(lambda: connection.channel().exchange_declare("x", passive=True))
    channel.exchange_declare("x", "direct")
    channel.basic_publish("x", "k", b"its bindings went with it")
    stage.counts(channel, "orders")


@scenario
def an_auto_delete_exchange_ends_with_its_last_binding(stage: Stage) -> None:
    connection = stage.connect()
    channel = connection.channel()
    channel.exchange_declare("x", "direct", auto_delete=True)
    channel.queue_declare("orders")
    channel.queue_bind("orders", "x", "a")
    channel.queue_bind("orders", "x", "b")
    channel.queue_unbind("orders", "x", "a")
    channel.exchange_declare("x", passive=True)
    stage.see("one binding is left")
    channel.queue_delete("orders")
    stage.refused(lambda: connection.channel().exchange_declare("x", passive=True))


@scenario
def nobody_publishes_to_an_internal_exchange(stage: Stage) -> None:
    connection = stage.connect()
    channel = connection.channel()
    channel.exchange_declare("inside", "direct", internal=True)

    def publish() -> None:
        channel.basic_publish("inside", "k", b"lost")
        channel.exchange_declare("inside", passive=True)

    stage.refused(publish)
