"""Exchanges, queues and bindings: what may be declared, and how RabbitMQ says no."""

from __future__ import annotations

from typing import Any

import pytest
from pamqp.commands import Basic, Channel, Connection, Exchange, Queue, Tx

from tests.brokers.amqp.client import Client, World, blank, closes_connection, is_close

LOCKED = (
    "RESOURCE_LOCKED - cannot obtain exclusive access to locked queue 'mine' in vhost '/'. It could"
    " be originally declared on another connection or the exclusive property value does not match"
    " that of the original declaration."
)
DEFAULT = "ACCESS_REFUSED - operation not permitted on the default exchange"


def declare(queue: str = "q", **options: Any) -> Queue.Declare:
    return blank(Queue.Declare, queue=queue, **options)


def exchange(name: str = "e", kind: str = "direct", **options: Any) -> Exchange.Declare:
    return blank(Exchange.Declare, exchange=name, exchange_type=kind, **options)


# -- queues ------------------------------------------------------------------------------------


def test_declaring_tells_name_messages_and_consumers(client: Client) -> None:
    client.declare("q")
    client.publish(queue="q")
    client.publish(queue="q")
    client.get("q")
    client.consume("q", tag="full")
    reply = client.declare("q")
    assert (reply.queue, reply.message_count, reply.consumer_count) == ("q", 0, 1)
    assert client.world.broker.vhosts["/"].queues["q"].unacked_count == 2


def test_the_server_names_a_queue_that_has_no_name(client: Client) -> None:
    one, two = client.declare("", exclusive=True), client.declare("")
    assert one.queue.startswith("amq.gen-")
    assert len(one.queue) == len("amq.gen-") + 22
    assert one.queue != two.queue


def test_the_last_declared_queue_needs_no_name(client: Client) -> None:
    name = client.declare("").queue
    client.publish(queue=name)
    got = client.ask(Basic.Get(queue=""))
    assert got.body == b"x"
    assert isinstance(client.ask(Queue.Bind(exchange="amq.direct")), Queue.BindOk)
    client.publish(exchange="amq.direct", queue=name)
    assert client.ask(Queue.Purge()).message_count == 1
    assert isinstance(client.ask(Queue.Unbind(exchange="amq.direct")), Queue.UnbindOk)
    client.publish(exchange="amq.direct", queue=name)
    assert client.ask(Queue.Delete()).message_count == 0


@pytest.mark.parametrize(
    "method", [Basic.Get(), Basic.Consume(), Queue.Bind(exchange="amq.direct"), Queue.Purge()]
)
def test_without_a_last_declared_queue_a_missing_name_is_404(client: Client, method: Any) -> None:
    is_close(client.ask(method), 404, "NOT_FOUND - no previously declared queue")


def test_line_ends_are_taken_out_of_names(client: Client) -> None:
    assert client.declare("a\r\nb").queue == "ab"


def test_any_other_name_will_do(client: Client) -> None:
    for name in ("with space", "ünïcode", "x" * 255, "a/b?c"):
        assert client.declare(name).queue == name
        client.publish(queue=name)
        assert client.get(name) is not None


@pytest.mark.parametrize(
    ("first", "second", "text"),
    [
        ({}, {"durable": True}, "'durable' for queue 'q' in vhost '/': received 'true' but"),
        ({"durable": True}, {}, "'durable' for queue 'q' in vhost '/': received 'false' but"),
        ({"auto_delete": True}, {}, "'auto_delete' for queue 'q' in vhost '/': received 'false'"),
        (
            {},
            {"arguments": {"x-queue-mode": "lazy"}},
            "'x-queue-mode' for queue 'q' in vhost '/': received the value 'lazy' of type"
            " 'longstr' but current is none",
        ),
        (
            {"arguments": {"x-queue-mode": "lazy"}},
            {},
            "'x-queue-mode' for queue 'q' in vhost '/': received none but current is the value"
            " 'lazy' of type 'longstr'",
        ),
        (
            {"arguments": {"x-queue-mode": "lazy"}},
            {"arguments": {"x-queue-mode": "default"}},
            "'x-queue-mode' for queue 'q' in vhost '/': received 'default' but current is 'lazy'",
        ),
    ],
)
def test_declaring_differently_is_406(
    client: Client, first: dict[str, Any], second: dict[str, Any], text: str
) -> None:
    client.declare("q", **first)
    reply = client.ask(declare("q", **second))
    assert reply.reply_code == 406
    assert reply.reply_text.startswith(f"PRECONDITION_FAILED - inequivalent arg {text}")
    assert (reply.class_id, reply.method_id) == (50, 10)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"arguments": {"x-queue-type": "classic"}}, {}),
        ({}, {"arguments": {"x-queue-type": "classic"}}),
        ({"arguments": {"x-whatever": 1}}, {"arguments": {"x-whatever": 2}}),
        ({"exclusive": True, "durable": True}, {"exclusive": True}),
    ],
)
def test_some_differences_do_not_count(
    client: Client, first: dict[str, Any], second: dict[str, Any]
) -> None:
    client.declare("q", **first)
    client.declare("q", **second)


def test_declaring_passively_only_looks(client: Client) -> None:
    is_close(
        client.ask(declare("nope", passive=True)), 404, "NOT_FOUND - no queue 'nope' in vhost '/'"
    )
    assert client.world.broker.vhosts["/"].queues == {}
    client.send(Channel.CloseOk())
    client.send(Channel.Open())
    client.declare("yes", durable=True)
    assert client.ask(declare("yes", passive=True, auto_delete=True)).queue == "yes"


@pytest.mark.parametrize(
    "method",
    [
        declare("mine"),
        declare("mine", passive=True),
        Queue.Delete(queue="mine"),
        Queue.Purge(queue="mine"),
        Queue.Bind(queue="mine", exchange="amq.direct", routing_key="k"),
        Basic.Get(queue="mine"),
        Basic.Consume(queue="mine"),
    ],
)
def test_another_connections_exclusive_queue_is_405(world: World, method: Any) -> None:
    world.connect().declare("mine", exclusive=True)
    is_close(world.connect().ask(method), 405, LOCKED)


def test_exclusive_and_not_are_different_queues(client: Client) -> None:
    client.declare("mine")
    is_close(client.ask(declare("mine", exclusive=True)), 405, LOCKED)
    client.send(Channel.CloseOk())
    client.send(Channel.Open())
    client.ask(Queue.Delete(queue="mine"))
    client.declare("mine", exclusive=True)
    is_close(client.ask(declare("mine")), 405, LOCKED)


def test_an_exclusive_queue_goes_with_its_connection(world: World) -> None:
    owner, other = world.connect(), world.connect()
    owner.declare("mine", exclusive=True, durable=True)
    other.publish(queue="mine")
    assert world.broker.vhosts["/"].queues["mine"].ready_count == 1
    owner.side.connection_lost(0)
    assert other.declare("mine").message_count == 0


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (
            {"x-queue-type": "foo"},
            406,
            "PRECONDITION_FAILED - invalid arg 'x-queue-type' for queue 'q' in vhost '/':"
            " \"unsupported queue type 'foo'\"",
        ),
        (
            {"x-queue-type": 5},
            406,
            "PRECONDITION_FAILED - invalid arg 'x-queue-type' for queue 'q' in vhost '/':"
            ' "expected longstr, got byte"',
        ),
        (
            {"x-queue-mode": "foo"},
            406,
            "PRECONDITION_FAILED - invalid arg 'x-queue-mode' for queue 'q' in vhost '/':"
            " \"unsupported queue mode 'foo'\"",
        ),
        (
            {"x-queue-version": 7},
            406,
            "PRECONDITION_FAILED - invalid arg 'x-queue-version' for queue 'q' in vhost '/':"
            " \"unsupported queue version '7'\"",
        ),
        (
            {"x-expires": 0},
            406,
            "PRECONDITION_FAILED - invalid arg 'x-expires' for queue 'q' in vhost '/':"
            " {value_zero,0}",
        ),
        (
            {"x-expires": -1},
            406,
            "PRECONDITION_FAILED - invalid arg 'x-expires' for queue 'q' in vhost '/':"
            " {value_negative,-1}",
        ),
        (
            {"x-expires": 1099511627776},
            406,
            "PRECONDITION_FAILED - invalid arg 'x-expires' for queue 'q' in vhost '/':"
            " {value_too_large,1099511627776}",
        ),
        (
            {"x-message-ttl": 1099511627776},
            406,
            "PRECONDITION_FAILED - invalid arg 'x-message-ttl' for queue 'q' in vhost '/':"
            " {value_too_large,1099511627776}",
        ),
        (
            {"x-max-length": -1},
            406,
            "PRECONDITION_FAILED - invalid arg 'x-max-length' for queue 'q' in vhost '/':"
            " {value_negative,-1}",
        ),
        (
            {"x-overflow": "foo"},
            406,
            "PRECONDITION_FAILED - invalid arg 'x-overflow' for queue 'q' in vhost '/':"
            " invalid_overflow",
        ),
        (
            {"x-overflow": True},
            406,
            "PRECONDITION_FAILED - invalid arg 'x-overflow' for queue 'q' in vhost '/':"
            " {unacceptable_type,bool}",
        ),
        (
            {"x-dead-letter-routing-key": "k"},
            406,
            "PRECONDITION_FAILED - invalid arg 'x-dead-letter-routing-key' for queue 'q' in vhost"
            " '/': routing_key_but_no_dlx_defined",
        ),
        (
            {"x-max-priority": 256},
            406,
            "PRECONDITION_FAILED - invalid arg 'x-max-priority' for queue 'q' in vhost '/':"
            " {max_value_exceeded,256}",
        ),
        (
            {"x-single-active-consumer": "yes"},
            406,
            "PRECONDITION_FAILED - invalid arg 'x-single-active-consumer' for queue 'q' in vhost"
            " '/': {unacceptable_type,longstr}",
        ),
        (
            {"x-expires": "soon"},
            406,
            "PRECONDITION_FAILED - invalid arg 'x-expires' for queue 'q' in vhost '/':"
            ' "expected integer, got longstr"',
        ),
        (
            {"x-dead-letter-exchange": True},
            406,
            "PRECONDITION_FAILED - invalid type 'bool' for arg 'x-dead-letter-exchange' in queue"
            " 'q' in vhost '/'",
        ),
        (
            {"x-delivery-limit": 5},
            406,
            "PRECONDITION_FAILED - invalid arg 'x-delivery-limit' for queue 'q' in vhost '/' of"
            " queue type rabbit_classic_queue",
        ),
        (
            {"x-queue-type": "quorum", "x-max-priority": 3},
            406,
            "PRECONDITION_FAILED - invalid arg 'x-max-priority' for queue 'q' in vhost '/' of"
            " queue type rabbit_quorum_queue",
        ),
        (
            {"x-queue-type": "quorum"},
            406,
            "PRECONDITION_FAILED - invalid property 'non-durable' for queue 'q' in vhost '/'",
        ),
        (
            {"x-queue-type": "stream"},
            540,
            "NOT_IMPLEMENTED - queue type 'stream' is not supported by the sandbox's broker",
        ),
    ],
)
def test_queue_arguments_are_checked_or_refused_but_never_ignored(
    client: Client, arguments: dict[str, Any], code: int, text: str
) -> None:
    reply = client.ask(declare("q", arguments=arguments))
    is_close(reply, code, text)
    assert closes_connection(reply) is (code == 540)
    assert client.world.broker.vhosts["/"].queues == {}


def test_a_reserved_queue_name_is_403(client: Client) -> None:
    text = "ACCESS_REFUSED - queue name 'amq.mine' contains reserved prefix 'amq.*'"
    is_close(client.ask(declare("amq.mine")), 403, text)


def test_deleting_counts_ready_messages_only(client: Client) -> None:
    client.declare("q")
    for _ in range(3):
        client.publish(queue="q")
    client.get("q")
    assert client.ask(Queue.Delete(queue="q")).message_count == 2
    assert client.asked(Basic.Ack(1)) == []
    assert client.declare("q").message_count == 0


def test_deleting_what_is_not_there_is_fine(client: Client) -> None:
    assert client.ask(Queue.Delete(queue="nope")).message_count == 0
    assert isinstance(client.ask(Exchange.Delete(exchange="nope")), Exchange.DeleteOk)


def test_deleting_only_if_unused_or_empty_is_406_otherwise(client: Client) -> None:
    client.declare("q")
    client.publish(queue="q")
    text = "PRECONDITION_FAILED - queue 'q' in vhost '/' not empty"
    is_close(client.ask(Queue.Delete(queue="q", if_empty=True)), 406, text)
    client.send(Channel.CloseOk())
    client.send(Channel.Open())
    client.consume("q")
    text = "PRECONDITION_FAILED - queue 'q' in vhost '/' in use"
    is_close(client.ask(Queue.Delete(queue="q", if_unused=True)), 406, text)


def test_purging_leaves_what_was_handed_out(client: Client) -> None:
    client.declare("q")
    for _ in range(4):
        client.publish(queue="q")
    client.get("q")
    assert client.ask(Queue.Purge(queue="q")).message_count == 3
    client.send(Basic.Nack(1))
    assert client.declare("q").message_count == 1


def test_purging_what_is_not_there_is_404(client: Client) -> None:
    is_close(client.ask(Queue.Purge(queue="no")), 404, "NOT_FOUND - no queue 'no' in vhost '/'")


def test_an_auto_delete_queue_goes_with_its_last_consumer(client: Client) -> None:
    queues = client.world.broker.vhosts["/"].queues
    client.declare("q", auto_delete=True)
    client.consume("q", tag="a")
    client.consume("q", tag="b")
    client.ask(Basic.Cancel("a"))
    assert "q" in queues
    client.ask(Basic.Cancel("b"))
    assert "q" not in queues
    client.declare("never consumed", auto_delete=True)
    client.side.connection_lost(0)
    assert "never consumed" in queues


@pytest.mark.parametrize("how", ["channel", "connection", "lost"])
def test_an_auto_delete_queue_goes_however_its_consumer_goes(client: Client, how: str) -> None:
    client.declare("q", auto_delete=True)
    client.consume("q")
    client.publish(queue="q")
    if how == "channel":
        client.send(Channel.Close(200, "", 0, 0))
    elif how == "connection":
        client.send(Connection.Close(200, "", 0, 0), 0)
    else:
        client.side.connection_lost(0)
    assert client.world.broker.vhosts["/"].queues == {}


def test_nowait_declarations_are_silent(client: Client) -> None:
    for method in (
        declare("q", nowait=True),
        exchange("e", nowait=True),
        Queue.Bind(queue="q", exchange="e", routing_key="k", nowait=True),
        Queue.Purge(queue="q", nowait=True),
        Exchange.Delete(exchange="e", nowait=True),
        Queue.Delete(queue="q", nowait=True),
    ):
        assert client.asked(method) == []
    assert client.world.kinds("queue.delete", "exchange.delete") == [
        "exchange.delete",
        "queue.delete",
    ]


# -- exchanges ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("amq.direct", "direct"),
        ("amq.fanout", "fanout"),
        ("amq.topic", "topic"),
        ("amq.headers", "headers"),
        ("amq.match", "headers"),
    ],
)
def test_some_exchanges_are_there_from_the_beginning(client: Client, name: str, kind: str) -> None:
    assert isinstance(client.ask(exchange(name, kind, passive=True)), Exchange.DeclareOk)
    assert isinstance(client.ask(exchange(name, kind, durable=True)), Exchange.DeclareOk)


@pytest.mark.parametrize(
    ("second", "text"),
    [
        ({"kind": "fanout"}, "'type' for exchange 'e' in vhost '/': received 'fanout' but current"
         " is 'direct'"),
        ({"durable": True}, "'durable' for exchange 'e' in vhost '/': received 'true' but current"
         " is 'false'"),
        ({"auto_delete": True}, "'auto_delete' for exchange 'e' in vhost '/': received 'true' but"
         " current is 'false'"),
        ({"internal": True}, "'internal' for exchange 'e' in vhost '/': received 'true' but"
         " current is 'false'"),
    ],
)  # fmt: skip
def test_declaring_an_exchange_differently_is_406(
    client: Client, second: dict[str, Any], text: str
) -> None:
    client.ask(exchange("e"))
    is_close(
        client.ask(exchange("e", **second)), 406, f"PRECONDITION_FAILED - inequivalent arg {text}"
    )


@pytest.mark.parametrize(
    ("method", "code", "text"),
    [
        (exchange("e", "foo"), 503, "COMMAND_INVALID - unknown exchange type 'foo'"),
        (
            exchange("amq.e"),
            403,
            "ACCESS_REFUSED - exchange name 'amq.e' contains reserved prefix 'amq.*'",
        ),
        (exchange(""), 403, DEFAULT),
        (exchange("", passive=True), 403, DEFAULT),
        (
            exchange("no", passive=True),
            404,
            "NOT_FOUND - no exchange 'no' in vhost '/'",
        ),
        (
            Exchange.Delete(exchange="amq.topic"),
            403,
            "ACCESS_REFUSED - deletion of system exchange 'amq.topic' in vhost '/' not allowed",
        ),
        (Exchange.Delete(exchange=""), 403, DEFAULT),
        (
            exchange("e", arguments={"alternate-exchange": True}),
            406,
            "PRECONDITION_FAILED - invalid type 'bool' for arg 'alternate-exchange' in exchange 'e'"
            " in vhost '/'",
        ),
        (
            Exchange.Bind(destination="no", source="amq.fanout"),
            404,
            "NOT_FOUND - no exchange 'no' in vhost '/'",
        ),
        (
            Exchange.Bind(destination="no", source="neither"),
            404,
            "NOT_FOUND - no exchange 'neither' in vhost '/'",
        ),
        (Exchange.Bind(destination="", source="amq.fanout"), 403, DEFAULT),
        (Exchange.Unbind(destination="amq.fanout", source=""), 403, DEFAULT),
        (
            Tx.Commit(),
            406,
            "PRECONDITION_FAILED - channel is not transactional",
        ),
        (
            Basic.Consume(queue="amq.rabbitmq.reply-to"),
            406,
            "PRECONDITION_FAILED - reply consumer cannot acknowledge",
        ),
    ],
)
def test_what_exchanges_refuse(client: Client, method: Any, code: int, text: str) -> None:
    reply = client.ask(method)
    is_close(reply, code, text)
    assert closes_connection(reply) is (code >= 500)


def test_an_exchange_in_use_is_not_deleted_if_unused_was_asked_for(client: Client) -> None:
    client.ask(exchange("e"))
    client.declare("q")
    client.ask(Queue.Bind(queue="q", exchange="e", routing_key="k"))
    text = "PRECONDITION_FAILED - exchange 'e' in vhost '/' in use"
    is_close(client.ask(Exchange.Delete(exchange="e", if_unused=True)), 406, text)


@pytest.mark.parametrize("how", ["unbind", "delete"])
def test_an_auto_delete_exchange_goes_with_its_last_binding(client: Client, how: str) -> None:
    exchanges = client.world.broker.vhosts["/"].exchanges
    client.ask(exchange("e", "fanout", auto_delete=True))
    for queue in ("one", "two"):
        client.declare(queue)
        client.ask(Queue.Bind(queue=queue, exchange="e"))
    for queue in ("one", "two"):
        assert "e" in exchanges
        if how == "unbind":
            client.ask(Queue.Unbind(queue=queue, exchange="e"))
        else:
            client.ask(Queue.Delete(queue=queue))
    assert "e" not in exchanges


# -- bindings ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("queue", "to", "code", "text"),
    [
        ("q", "no", 404, "NOT_FOUND - no exchange 'no' in vhost '/'"),
        ("no", "amq.direct", 404, "NOT_FOUND - no queue 'no' in vhost '/'"),
        ("no", "neither", 404, "NOT_FOUND - no exchange 'neither' in vhost '/'"),
        ("q", "", 403, DEFAULT),
    ],
)
def test_bindings_that_cannot_be(client: Client, queue: str, to: str, code: int, text: str) -> None:
    client.declare("q")
    is_close(client.ask(Queue.Bind(queue=queue, exchange=to, routing_key="k")), code, text)


@pytest.mark.parametrize(
    ("queue", "exchange"), [("q", "amq.direct"), ("q", "no"), ("no", "amq.direct")]
)
def test_unbinding_what_is_not_bound_is_fine(client: Client, queue: str, exchange: str) -> None:
    client.declare("q")
    method = Queue.Unbind(queue=queue, exchange=exchange, routing_key="k")
    assert isinstance(client.ask(method), Queue.UnbindOk)


def test_unbinding_from_the_default_exchange_is_403(client: Client) -> None:
    client.declare("q")
    is_close(client.ask(Queue.Unbind(queue="q", exchange="", routing_key="q")), 403, DEFAULT)


def counts(client: Client, *queues: str) -> list[int]:
    return [client.world.broker.vhosts["/"].queues[queue].ready_count for queue in queues]


def test_a_direct_exchange_compares_keys(client: Client) -> None:
    for queue in "abc":
        client.declare(queue)
    for queue, key in (("a", "red"), ("b", "red"), ("b", "blue"), ("c", "blue")):
        client.ask(Queue.Bind(queue=queue, exchange="amq.direct", routing_key=key))
    client.publish(exchange="amq.direct", queue="red")
    assert counts(client, *"abc") == [1, 1, 0]
    client.ask(Queue.Unbind(queue="b", exchange="amq.direct", routing_key="red"))
    client.publish(exchange="amq.direct", queue="red")
    client.publish(exchange="amq.direct", queue="blue")
    assert counts(client, *"abc") == [2, 2, 1]


def test_a_fanout_exchange_sends_one_copy_to_each_queue(client: Client) -> None:
    client.ask(exchange("e", "fanout"))
    for queue in "ab":
        client.declare(queue)
        for key in ("x", "y"):
            client.ask(Queue.Bind(queue=queue, exchange="e", routing_key=key))
    client.publish(exchange="e", queue="whatever")
    assert counts(client, *"ab") == [1, 1]
    client.ask(Queue.Unbind(queue="a", exchange="e", routing_key="x"))
    client.publish(exchange="e")
    client.ask(Queue.Unbind(queue="a", exchange="e", routing_key="y"))
    client.publish(exchange="e")
    assert counts(client, *"ab") == [2, 3]


def test_a_topic_exchange_matches_patterns_and_delivers_once(client: Client) -> None:
    for queue, keys in (("all", ["#"]), ("eu", ["order.eu.*", "order.#"]), ("us", ["*.us.*"])):
        client.declare(queue)
        for key in keys:
            client.ask(Queue.Bind(queue=queue, exchange="amq.topic", routing_key=key))
    client.publish(exchange="amq.topic", queue="order.eu.paid")
    client.publish(exchange="amq.topic", queue="invoice.us.paid")
    assert counts(client, "all", "eu", "us") == [2, 1, 1]


def test_bindings_that_differ_in_arguments_are_two(client: Client) -> None:
    client.declare("q")
    for arguments in ({}, {"a": 1}):
        client.ask(
            Queue.Bind(queue="q", exchange="amq.direct", routing_key="k", arguments=arguments)
        )
    client.publish(exchange="amq.direct", queue="k")
    client.ask(Queue.Unbind(queue="q", exchange="amq.direct", routing_key="k"))
    client.publish(exchange="amq.direct", queue="k")
    assert counts(client, "q") == [2]


def test_routes_follow_every_change_of_topology(client: Client) -> None:
    client.publish(queue="q")
    client.declare("q")
    client.publish(queue="q")
    assert counts(client, "q") == [1]
    client.ask(Queue.Delete(queue="q"))
    client.publish(queue="q")
    client.declare("q")
    assert counts(client, "q") == [0]
    client.ask(exchange("e", "fanout"))
    client.ask(Queue.Bind(queue="q", exchange="e"))
    client.publish(exchange="e")
    client.ask(Exchange.Delete(exchange="e"))
    client.publish(exchange="e")
    is_close(client.received()[-1], 404, "NOT_FOUND - no exchange 'e' in vhost '/'")
    assert counts(client, "q") == [1]


# -- methods out of place ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "channel", "code", "text"),
    [
        (Channel.Open(), 1, 504, "CHANNEL_ERROR - second 'channel.open' seen"),
        (Basic.Qos(), 3, 504, "CHANNEL_ERROR - expected 'channel.open'"),
        (Channel.Close(200, "", 0, 0), 3, 504, "CHANNEL_ERROR - expected 'channel.open'"),
        (
            Channel.Open(),
            0,
            504,
            "CHANNEL_ERROR - unexpected method in connection state running",
        ),
        (
            Connection.Open(),
            0,
            504,
            "CHANNEL_ERROR - unexpected method in connection state running",
        ),
        (Channel.CloseOk(), 1, 503, "COMMAND_INVALID - unimplemented method"),
        (Channel.FlowOk(True), 1, 503, "COMMAND_INVALID - unimplemented method"),
        (Queue.DeclareOk("q", 0, 0), 1, 503, "COMMAND_INVALID - unimplemented method"),
        (Connection.Close(200, "", 0, 0), 1, 503, "COMMAND_INVALID - unimplemented method"),
        (Channel.Flow(False), 1, 540, "NOT_IMPLEMENTED - active=false"),
    ],
)
def test_methods_out_of_place_close_the_connection(
    client: Client, method: Any, channel: int, code: int, text: str
) -> None:
    reply = client.asked(method, channel)[-1]
    is_close(reply, code, text)
    assert closes_connection(reply)


def test_a_closed_channels_number_is_free_again(client: Client) -> None:
    assert isinstance(client.ask(Channel.Close(200, "", 0, 0)), Channel.CloseOk)
    assert isinstance(client.ask(Channel.Open()), Channel.OpenOk)


def test_a_failed_channel_ignores_everything_until_close_ok(client: Client) -> None:
    client.publish(exchange="no")
    client.received()
    client.publish(exchange="no")
    assert client.asked(declare("q")) == []
    client.send(Channel.CloseOk())
    assert isinstance(client.ask(Channel.Open()), Channel.OpenOk)
    client.declare("q")


def test_other_channels_do_not_notice_a_failed_one(client: Client) -> None:
    client.send(Channel.Open(), 2)
    client.publish(exchange="no")
    assert [type(f) for f in client.received()][-1] is Channel.Close
    assert isinstance(client.ask(declare("q"), 2), Queue.DeclareOk)


def test_flow_on_is_answered(client: Client) -> None:
    assert client.ask(Channel.Flow(True)).active is True
