"""What a restart keeps, and what it does to everybody connected."""

from __future__ import annotations

import pytest
from pamqp.commands import Basic, Exchange, Queue

from tests.brokers.amqp.client import World, is_close


@pytest.fixture
def shop(world: World) -> World:
    client = world.connect()
    for queue, durable in (("durable", True), ("transient", False)):
        client.declare(queue, durable=durable)
        for mode, body in ((2, b"persistent"), (1, b"transient"), (2, b"last")):
            client.publish(body, queue=queue, delivery_mode=mode)
    return world


def contents(world: World, queue: str) -> list[tuple[bytes, bool]]:
    ready = world.broker.vhosts["/"].queues[queue].ready
    return [(entry.body, entry.redelivered) for entry in ready]


@pytest.mark.parametrize("how", ["restart", "crash"])
def test_only_persistent_messages_in_durable_queues_survive(shop: World, how: str) -> None:
    getattr(shop.broker, how)(0)
    assert list(shop.broker.vhosts["/"].queues) == ["durable"]
    assert contents(shop, "durable") == [(b"persistent", False), (b"last", False)]


@pytest.mark.parametrize("how", ["restart", "crash"])
def test_what_was_handed_out_comes_back_marked_and_in_its_place(shop: World, how: str) -> None:
    client = shop.connect()
    client.get("durable")
    client.get("durable", no_ack=False)
    client.send(Basic.Ack(2))
    getattr(shop.broker, how)(0)
    assert contents(shop, "durable") == [(b"persistent", True), (b"last", False)]


def test_exclusive_and_auto_delete_queues_with_consumers_do_not_survive(shop: World) -> None:
    client = shop.connect()
    client.declare("exclusive", exclusive=True, durable=True)
    client.declare("consumed", auto_delete=True, durable=True)
    client.consume("consumed")
    client.declare("never consumed", auto_delete=True, durable=True)
    shop.broker.restart(0)
    assert set(shop.broker.vhosts["/"].queues) == {"durable", "never consumed"}


def test_durable_exchanges_and_bindings_between_durable_things_survive(shop: World) -> None:
    client = shop.connect()
    for name, durable in (("kept", True), ("lost", False)):
        client.ask(Exchange.Declare(exchange=name, exchange_type="fanout", durable=durable))
        for queue in ("durable", "transient"):
            client.ask(Queue.Bind(queue=queue, exchange=name))
    shop.broker.restart(0)
    vhost = shop.broker.vhosts["/"]
    assert "lost" not in vhost.exchanges
    assert [binding.target.name for binding in vhost.exchanges["kept"].bindings] == ["durable"]
    again = shop.connect()
    again.publish(exchange="kept")
    assert vhost.queues["durable"].ready_count == 3
    again.declare("transient")
    again.publish(queue="transient")
    assert vhost.queues["transient"].ready_count == 1


def test_clients_are_told_of_a_restart(shop: World) -> None:
    client = shop.connect()
    shop.broker.restart(0)
    shop.carry()
    (close,) = client.received()
    is_close(
        close,
        320,
        "CONNECTION_FORCED - broker forced connection closure with reason 'shutdown'",
    )
    assert client.side.closing
    assert list(shop.broker.connections) == []


def test_a_crash_tells_nobody(shop: World) -> None:
    client = shop.connect()
    shop.broker.crash(0)
    shop.carry()
    assert client.received() == []
    assert client.side.closing


def test_a_client_in_its_handshake_is_dropped_by_a_restart(world: World) -> None:
    client = world.raw()
    world.broker.restart(0)
    world.carry()
    assert client.side.closing
    assert client.received() == []


def test_after_a_restart_everything_works_again(shop: World) -> None:
    shop.broker.set_alarm("memory", True, 0)
    shop.broker.restart(0)
    client = shop.connect()
    client.publish(b"new", queue="durable", delivery_mode=2)
    client.consume("durable")
    assert client.bodies() == [b"persistent", b"last", b"new"]
    shop.broker.restart(0)
    shop.broker.restart(0)
    assert [body for body, _ in contents(shop, "durable")] == [b"persistent", b"last", b"new"]


def test_numbers_of_messages_go_on_after_a_restart(shop: World) -> None:
    before = shop.broker.last_message
    shop.broker.restart(0)
    shop.connect().publish(queue="durable")
    assert shop.of_kind("basic.publish")[-1]["message"] == before + 1
