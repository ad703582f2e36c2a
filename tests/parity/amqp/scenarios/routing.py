"""Ways through several exchanges: bindings between them, alternates, headers, sender's keys."""

from __future__ import annotations

from typing import Any

from pika.adapters.blocking_connection import BlockingChannel

from tests.parity.amqp.stage import Stage, scenario


def _got(stage: Stage, channel: BlockingChannel, *queues: str) -> None:
    """Write down which queue got what."""
    stage.quiet(channel)
    for queue in queues:
        bodies = []
        while (taken := channel.basic_get(queue, auto_ack=True))[0] is not None:
            bodies.append(taken[2].decode())
        stage.see(queue, bodies)


@scenario
def an_exchange_bound_to_an_exchange(stage: Stage) -> None:
    channel = stage.channel()
    channel.exchange_declare("outer", "topic")
    channel.exchange_declare("inner", "fanout")
    channel.queue_declare("q")
    channel.queue_bind("q", "inner")
    channel.queue_bind("q", "outer", "both")
    channel.exchange_bind("inner", "outer", "in.#")
    channel.exchange_bind("inner", "outer", "in.#")
    for key in ("in.1", "both", "other"):
        channel.basic_publish("outer", key, key.encode())
    _got(stage, channel, "q")
    channel.exchange_unbind("inner", "outer", "in.#")
    channel.exchange_unbind("inner", "outer", "in.#")
    channel.basic_publish("outer", "in.2", b"in.2")
    _got(stage, channel, "q")


@scenario
def exchanges_bound_in_a_circle(stage: Stage) -> None:
    channel = stage.channel()
    for name in ("a", "b"):
        channel.exchange_declare(name, "fanout")
    channel.exchange_bind("a", "b")
    channel.exchange_bind("b", "a")
    channel.queue_declare("q")
    channel.queue_bind("q", "b")
    channel.basic_publish("a", "", b"once")
    _got(stage, channel, "q")


@scenario
def bindings_of_exchanges_that_cannot_be(stage: Stage) -> None:
    for destination, source in (("amq.fanout", "none"), ("none", "amq.fanout"), ("", "amq.fanout")):
        channel = stage.channel()
        stage.refused(lambda c=channel, d=destination, s=source: c.exchange_bind(d, s, "k"))


@scenario
def the_alternate_exchange_gets_what_is_left(stage: Stage) -> None:
    channel = stage.channel()
    channel.exchange_declare("rest", "fanout")
    channel.exchange_declare("e", "direct", arguments={"alternate-exchange": "rest"})
    for queue, exchange in (("q", "e"), ("left", "rest")):
        channel.queue_declare(queue)
        channel.queue_bind(queue, exchange, "k")
    channel.confirm_delivery()
    for key in ("k", "other"):
        channel.basic_publish("e", key, key.encode(), mandatory=True)
    _got(stage, channel, "q", "left")


@scenario
def an_alternate_exchange_that_is_not_there(stage: Stage) -> None:
    channel = stage.channel()
    channel.exchange_declare("e", "direct", arguments={"alternate-exchange": "none"})
    channel.confirm_delivery()
    stage.refused(lambda: channel.basic_publish("e", "k", b"x", mandatory=True))
    channel = stage.channel()
    arguments = {"alternate-exchange": 1}
    stage.refused(lambda: channel.exchange_declare("f", "direct", arguments=arguments))


@scenario
def a_message_reaches_an_internal_exchange_by_another(stage: Stage) -> None:
    channel = stage.channel()
    channel.exchange_declare("inside", "fanout", internal=True)
    channel.exchange_declare("door", "fanout")
    channel.exchange_bind("inside", "door")
    channel.queue_declare("q")
    channel.queue_bind("q", "inside")
    channel.basic_publish("door", "", b"x")
    _got(stage, channel, "q")


@scenario
def a_headers_exchange_looks_at_headers(stage: Stage) -> None:
    channel = stage.channel()
    patterns: dict[str, dict[str, Any]] = {
        "all": {"x-match": "all", "a": 1, "b": "x"},
        "any": {"x-match": "any", "a": 1, "b": "x"},
        "default": {"a": 1},
        "there": {"a": None},
        "with x": {"x-match": "any-with-x", "x-c": 1},
        "without x": {"x-match": "any", "x-c": 1},
        "nothing": {},
    }
    for queue, pattern in patterns.items():
        channel.queue_declare(queue)
        channel.queue_bind(queue, "amq.headers", "", arguments=pattern)
    headers: dict[str, dict[str, Any] | None] = {
        "both": {"a": 1, "b": "x"},
        "one": {"a": 1},
        "text": {"a": "1"},
        "long": {"a": 2**40},
        "x": {"x-c": 1},
        "none": None,
    }
    for body, given in headers.items():
        properties = stage.properties(headers=given)
        channel.basic_publish("amq.headers", "", body.encode(), properties)
    _got(stage, channel, *patterns)


@scenario
def patterns_of_headers_that_mean_nothing(stage: Stage) -> None:
    stage.channel().queue_declare("q")
    for mode in ("most", 1, None):
        channel = stage.channel()
        arguments = {"x-match": mode}
        stage.refused(
            lambda c=channel, a=arguments: c.queue_bind("q", "amq.headers", "", arguments=a)
        )


@scenario
def a_sender_adds_routing_keys(stage: Stage) -> None:
    channel = stage.channel()
    for queue in ("to", "cc", "bcc"):
        channel.queue_declare(queue)
    headers = {"CC": ["cc", "to", "nobody"], "BCC": ["bcc"]}
    channel.basic_publish("", "to", b"x", stage.properties(headers=headers))
    stage.quiet(channel)
    for queue in ("to", "cc", "bcc"):
        method, properties, _ = channel.basic_get(queue, auto_ack=True)
        stage.see(queue, method.routing_key, method.message_count, dict(properties.headers))
    channel.basic_publish("", "to", b"x", stage.properties(headers={"CC": "no list"}))
    stage.refused(lambda: channel.queue_declare("to", passive=True))


@scenario
def an_auto_delete_exchange_bound_to_an_exchange(stage: Stage) -> None:
    channel = stage.channel()
    channel.exchange_declare("source", "fanout", auto_delete=True)
    channel.exchange_declare("target", "fanout", auto_delete=True)
    channel.exchange_bind("target", "source")
    channel.exchange_delete("target")
    stage.quiet(channel)
    stage.refused(lambda: channel.exchange_declare("source", passive=True))
