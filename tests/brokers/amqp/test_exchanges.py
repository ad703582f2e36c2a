"""Headers exchanges, exchanges bound to exchanges, alternate and internal exchanges."""

from __future__ import annotations

from typing import Any

import pytest
from pamqp.commands import Exchange, Queue

from tests.brokers.amqp.client import Client, blank, is_close


def exchange(client: Client, name: str, kind: str = "fanout", **options: Any) -> None:
    reply = client.ask(blank(Exchange.Declare, exchange=name, exchange_type=kind, **options))
    assert isinstance(reply, Exchange.DeclareOk), reply


def bind(client: Client, queue: str, to: str, key: str = "", **arguments: Any) -> Any:
    client.declare(queue)
    return client.ask(Queue.Bind(queue=queue, exchange=to, routing_key=key, arguments=arguments))


@pytest.mark.parametrize(
    ("pattern", "headers", "fits"),
    [
        ({}, {"a": 1}, True),
        ({"x-match": "any"}, {"a": 1}, False),
        ({"a": 1, "b": "two"}, {"a": 1, "b": "two", "c": 3}, True),
        ({"a": 1, "b": "two"}, {"a": 1}, False),
        ({"x-match": "all", "a": 1}, {"a": 2}, False),
        ({"x-match": "any", "a": 1, "b": 2}, {"b": 2}, True),
        ({"x-match": "any", "a": 1, "b": 2}, {"c": 3}, False),
        ({"a": None}, {"a": "whatever"}, True),
        ({"a": None}, {"b": 1}, False),
        ({"a": "1"}, {"a": 1}, False),
        ({"x-match": "all", "x-a": 1, "b": 2}, {"b": 2}, True),
        ({"x-match": "all-with-x", "x-a": 1, "b": 2}, {"b": 2}, False),
        ({"x-match": "any-with-x", "x-a": 1}, {"x-a": 1}, True),
        ({"x-match": "any", "x-a": 1}, {"x-a": 1}, False),
    ],
)
def test_a_headers_exchange_compares_headers(
    client: Client, pattern: dict[str, Any], headers: dict[str, Any], fits: bool
) -> None:
    client.declare("q")
    method = blank(Queue.Bind, queue="q", exchange="amq.headers", routing_key="", arguments=pattern)
    assert isinstance(client.ask(method), Queue.BindOk)
    client.publish(b"x", exchange="amq.headers", headers=headers)
    client.publish(b"no headers at all", exchange="amq.headers")
    found = client.get("q")
    assert (found is not None and found.body == b"x") is fits


@pytest.mark.parametrize(
    ("mode", "text"),
    [
        (
            "foo",
            'Invalid x-match field value <<"foo">>; expected all, any, all-with-x, or any-with-x',
        ),
        (True, "Invalid x-match field type bool (value True); expected longstr"),
    ],
)
def test_a_match_that_means_nothing_is_406(client: Client, mode: Any, text: str) -> None:
    client.declare("q")
    reply = client.ask(Queue.Bind(queue="q", exchange="amq.headers", arguments={"x-match": mode}))
    is_close(reply, 406, f"PRECONDITION_FAILED - {text}")


def test_bindings_with_other_arguments_are_other_bindings(client: Client) -> None:
    client.declare("q")
    for value in (1, 2):
        client.ask(Queue.Bind(queue="q", exchange="amq.headers", arguments={"a": value}))
    client.ask(Queue.Unbind(queue="q", exchange="amq.headers", arguments={"a": 1}))
    for value in (1, 2):
        client.publish(bytes((value,)), exchange="amq.headers", headers={"a": value})
    found = client.get("q", no_ack=True)
    assert found is not None
    assert found.body == b"\x02"
    assert client.get("q") is None


def test_exchanges_lead_to_exchanges_and_a_circle_is_no_trouble(client: Client) -> None:
    for name in ("one", "two", "three"):
        exchange(client, name)
    for source, destination in (("one", "two"), ("two", "three"), ("three", "one")):
        reply = client.ask(Exchange.Bind(destination=destination, source=source))
        assert isinstance(reply, Exchange.BindOk)
    bind(client, "q", "three")
    bind(client, "q", "two")
    client.publish(b"once", exchange="one")
    assert client.declare("q").message_count == 1
    client.ask(Exchange.Unbind(destination="two", source="one"))
    client.publish(b"nowhere", exchange="one")
    assert client.declare("q").message_count == 1


def test_deleting_an_exchange_undoes_bindings_to_it(client: Client) -> None:
    exchange(client, "source", auto_delete=True)
    exchange(client, "target")
    client.ask(Exchange.Bind(destination="target", source="source"))
    client.ask(Exchange.Delete(exchange="target"))
    assert "source" not in client.world.broker.vhosts["/"].exchanges


def test_what_has_no_way_takes_the_alternate(client: Client) -> None:
    exchange(client, "main", "direct", arguments={"alternate-exchange": "other"})
    client.publish(b"the alternate is not there", exchange="main", queue="lost")
    exchange(client, "other")
    bind(client, "found", "main", "known")
    bind(client, "strays", "other")
    client.publish(b"1", exchange="main", queue="known")
    client.publish(b"2", exchange="main", queue="unknown", mandatory=True)
    assert client.received() == []
    assert client.declare("found").message_count == 1
    assert client.declare("strays").message_count == 1


def test_another_alternate_is_another_exchange(client: Client) -> None:
    exchange(client, "main", arguments={"alternate-exchange": "one"})
    reply = client.ask(
        blank(
            Exchange.Declare,
            exchange="main",
            exchange_type="fanout",
            arguments={"alternate-exchange": "two"},
        )
    )
    text = "PRECONDITION_FAILED - inequivalent arg 'alternate-exchange' for exchange 'main' in"
    is_close(reply, 406, f"{text} vhost '/': received 'two' but current is 'one'")


def test_only_exchanges_publish_to_an_internal_exchange(client: Client) -> None:
    exchange(client, "inner", internal=True)
    exchange(client, "outer")
    client.ask(Exchange.Bind(destination="inner", source="outer"))
    bind(client, "q", "inner")
    client.publish(exchange="outer")
    assert client.declare("q").message_count == 1
    client.publish(exchange="inner")
    (reply,) = client.received()
    text = "ACCESS_REFUSED - cannot publish to internal exchange 'inner' in vhost '/'"
    is_close(reply, 403, text)
