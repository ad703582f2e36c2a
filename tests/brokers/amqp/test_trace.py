"""The trace: what is told, in which order, as plain data; and the table in the README is true."""

from __future__ import annotations

import json
import re
from pathlib import Path
from random import Random
from typing import Any

import pytest
from pamqp.commands import Basic, Channel, Confirm, Connection, Exchange, Queue

import sandbox.brokers.amqp
from sandbox.brokers.amqp import AmqpError, Broker, administration, lifecycle
from tests.brokers.amqp.client import World, blank, new_world

README = Path(sandbox.brokers.amqp.__file__).with_name("README.md")


def a_busy_day() -> World:
    """Make every kind of event happen."""
    world = new_world()
    one, two = world.connect(heartbeat=60), world.connect()
    one.declare("q", durable=True)
    one.ask(Exchange.Declare(exchange="e", exchange_type="topic"))
    one.ask(Queue.Bind(queue="q", exchange="e", routing_key="#"))
    one.ask(Confirm.Select())
    one.publish(b"1", exchange="e", queue="k", delivery_mode=2, headers={"a": [1, {"b": None}]})
    one.publish(b"2", queue="q", mandatory=True)
    one.publish(b"3", queue="nowhere", mandatory=True)
    one.get("q")
    one.send(Basic.Nack(1))
    two.consume("q", "c")
    two.send(Basic.Ack(1))
    two.send(Basic.Reject(2, True))
    two.send(Basic.Ack(3))
    two.ask(Basic.Cancel("c"))
    one.ask(Queue.Unbind(queue="q", exchange="e", routing_key="#"))
    one.ask(Exchange.Delete(exchange="e"))
    one.ask(Queue.Purge(queue="q"))
    one.ask(Queue.Delete(queue="q"))
    one.ask(Exchange.Bind(destination="amq.fanout", source="amq.topic", routing_key="k"))
    one.ask(Exchange.Unbind(destination="amq.fanout", source="amq.topic", routing_key="k"))
    one.declare("full", arguments={"x-max-length": 0, "x-overflow": "reject-publish-dlx"})
    one.publish(b"4", queue="full")
    two.send(Channel.Close(200, "bye", 0, 0))
    two.send(Connection.Close(200, "bye", 0, 0), 0)
    administration.set_vhost(world.broker, "more")
    administration.delete_vhost(world.broker, "more", world.now_ns)
    world.advance(180)
    world.broker.restart(world.now_ns)
    return world


def documented() -> dict[str, set[str]]:
    """The table of events in the README: kind -> its fields."""
    table = {}
    for line in README.read_text().splitlines():
        match = re.match(r"\| `([a-z]+\.?[a-z]*)` \| (`[a-z_]+`.*) \|$", line)
        if match:
            table[match[1]] = set(re.findall(r"`([a-z_]+)`", match[2]))
    return table


def test_every_event_is_in_the_readme_with_exactly_its_fields() -> None:
    told: dict[str, set[str]] = {}
    for kind, fields in a_busy_day().events:
        assert told.setdefault(kind, set(fields)) == set(fields), kind
    assert told == documented()


def test_events_are_plain_data() -> None:
    def plain(value: Any) -> Any:
        if type(value) is dict:
            return {key: plain(inner) for key, inner in value.items() if type(key) is str}
        if type(value) is list:
            return [plain(inner) for inner in value]
        assert type(value) in (str, int, float, bool, bytes, type(None)), value
        return value.decode() if isinstance(value, bytes) else value

    for _, fields in a_busy_day().events:
        json.dumps({key: plain(value) for key, value in fields.items()})


def test_the_same_conversation_gives_the_same_trace() -> None:
    assert a_busy_day().events == a_busy_day().events


def test_a_messages_way_through_the_broker() -> None:
    world = new_world()
    producer, consumer = world.connect(), world.connect()
    producer.declare("q")
    producer.ask(Confirm.Select())
    consumer.consume("q", "c")
    world.events.clear()
    producer.publish(b"hello", queue="q", delivery_mode=2, message_id="m")
    consumer.send(Basic.Ack(1, True))
    assert [kind for kind, _ in world.events] == [
        "basic.publish", "basic.deliver", "confirm.ack", "basic.ack",
    ]  # fmt: skip
    publish, deliver, confirm, ack = [fields for _, fields in world.events]
    assert publish == {
        "vhost": "/",
        "exchange": "",
        "routing_key": "q",
        "message": 1,
        "body": b"hello",
        "queues": ["q"],
        "persistent": True,
        "mandatory": False,
        "properties": {"delivery_mode": 2, "message_id": "m"},
        "connection": "client-1",
        "channel": 1,
    }
    assert deliver == {
        "vhost": "/",
        "queue": "q",
        "message": 1,
        "tag": 1,
        "consumer_tag": "c",
        "redelivered": False,
        "no_ack": False,
        "connection": "client-2",
        "channel": 1,
    }
    assert (confirm["tag"], confirm["message"]) == (1, 1)
    assert (ack["tags"], ack["messages"], ack["queues"]) == ([1], [1], ["q"])
    assert ack["multiple"] is True


def test_an_ack_of_many_names_each_tag_message_and_queue() -> None:
    world = new_world()
    client = world.connect()
    for queue in ("one", "two"):
        client.declare(queue)
        client.publish(queue=queue)
        client.get(queue)
    client.send(Basic.Nack(0, multiple=True, requeue=True))
    (nack,) = world.of_kind("basic.nack")
    assert (nack["tags"], nack["messages"], nack["queues"]) == ([1, 2], [1, 2], ["one", "two"])
    assert [(r["queue"], r["messages"], r["reason"]) for r in world.of_kind("requeue")] == [
        ("one", [1], "nack"),
        ("two", [2], "nack"),
    ]


def test_a_lost_connection_says_what_became_of_its_messages() -> None:
    world = new_world()
    client = world.connect()
    client.declare("q", auto_delete=False)
    client.publish(queue="q")
    client.consume("q", "c")
    world.events.clear()
    client.side.connection_lost(0)
    assert [kind for kind, _ in world.events] == [
        "connection.close", "consumer.cancel", "requeue",
    ]  # fmt: skip
    assert world.events[1][1]["reason"] == "connection closed"
    assert world.events[2][1]["messages"] == [1]


def test_without_an_observer_everything_works_the_same() -> None:
    world = new_world()
    quiet = World(Broker(random=Random(1)), [])
    answers = []
    for each in (world, quiet):
        client = each.connect()
        client.declare("")
        client.declare("q")
        client.publish(b"1", queue="q", mandatory=True)
        client.publish(b"2", queue="no", mandatory=True)
        client.consume("q")
        client.send(Basic.Nack(1))
        client.send(Basic.Ack(2))
        client.ask(Queue.Delete(queue="q"))
        client.publish(exchange="no")
        client.side.connection_lost(0)
        each.broker.restart(0)
        answers.append(client.incoming)
    assert answers[0] == answers[1]
    assert quiet.events == []


# -- the administrator -------------------------------------------------------------------------


def test_an_administrator_needs_no_connection() -> None:
    world = new_world()
    broker = world.broker
    queue = broker.admin_declare_queue("/", "q", durable=True)
    properties = {"delivery_mode": 2, "headers": {"n": 1}}
    message = broker.admin_publish("/", "", "q", b"hello", properties, 5)
    assert message.number == 1
    assert (queue.ready_count, queue.durable, queue.consumer_count) == (1, True, 0)
    (entry,) = queue.ready
    assert (entry.body, entry.properties, entry.redelivered) == (b"hello", properties, False)
    (publish,) = world.of_kind("basic.publish")
    assert (publish["connection"], publish["channel"]) == (None, None)
    client = world.connect()
    got = client.get("q")
    assert got is not None
    assert (got.body, got.properties) == (b"hello", properties)


def test_an_administrator_is_told_no_as_clients_are() -> None:
    broker = new_world().broker
    with pytest.raises(AmqpError) as refused:
        broker.admin_publish("/", "no", "q", b"", None, 0)
    assert refused.value.reply_text == "NOT_FOUND - no exchange 'no' in vhost '/'"
    with pytest.raises(ValueError, match="an exclusive queue belongs to a connection"):
        broker.admin_declare_queue("/", "q", exclusive=True)


def test_an_administrators_message_reaches_a_waiting_consumer() -> None:
    world = new_world()
    client = world.connect()
    client.declare("q")
    client.consume("q")
    world.broker.admin_publish("/", "", "q", b"hello", None, 0)
    assert world.broker.take_writable() == [client.side]
    assert world.broker.take_writable() == []
    client.incoming += client.side.data_to_send()
    assert client.bodies() == [b"hello"]


def test_news_is_announced_once_until_taken() -> None:
    world = new_world()
    broker = world.broker
    one, two = broker.connect("one", 0), broker.connect("two", 0)
    two.receive_data(b"AMQP\x00\x00\x09\x01", 0)
    one.receive_data(b"nonsense", 0)
    two.receive_data(b"\x08\x00\x00\x00\x00\x00\x00\xce", 0)
    assert broker.take_writable() == [two, one]
    assert one.closing
    assert broker.take_writable() == []


def test_names_come_from_the_random_source_alone() -> None:
    names = [new_world().connect().declare("").queue for _ in range(2)]
    assert names[0] == names[1]
    other = World(Broker(random=Random(2)), [])
    assert other.connect().ask(blank(Queue.Declare)).queue != names[0]


def test_the_diagrams_in_the_readme_are_drawn_from_the_tables() -> None:
    text = README.read_text()
    for table in (lifecycle.CONNECTION, lifecycle.CHANNEL):
        assert lifecycle.diagram(table) in text


def test_the_map_in_the_readme_names_every_file() -> None:
    text = README.read_text()
    for file in README.parent.glob("*.py"):
        assert file.name == "__init__.py" or f"`{file.name}`" in text, file.name
