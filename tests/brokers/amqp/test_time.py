"""Heartbeats, blocked publishers, and the timers under both."""

from __future__ import annotations

import pytest
from pamqp.commands import Basic, Connection

from sandbox.brokers.timers import Timers
from tests.brokers.amqp.client import SECOND_NS, World, is_close, published

BEAT = b"\x08\x00\x00\x00\x00\x00\x00\xce"


def test_an_idle_client_gets_a_heartbeat_every_interval(world: World) -> None:
    client = world.connect(heartbeat=10)
    for _ in range(10):
        world.advance(10)
        client.feed(BEAT)
    client.received()
    assert 9 <= client.heartbeats <= 10


def test_a_client_that_is_sent_things_needs_no_heartbeats(world: World) -> None:
    client = world.connect(heartbeat=10)
    client.declare("q")
    for _ in range(100):
        world.advance(1)
        client.get("q")
    assert client.heartbeats == 0


@pytest.mark.parametrize("last_word_s", [1, 30, 59])
def test_a_silent_client_is_cut_off_after_two_silent_intervals(
    world: World, last_word_s: int
) -> None:
    client = world.connect(heartbeat=60)
    world.advance(last_word_s)
    client.feed(BEAT)
    world.advance(179 - last_word_s)
    assert not client.side.closing
    world.advance(1)
    assert client.side.closing
    assert not any(isinstance(what, Connection.Close) for what in client.received())
    assert world.kinds("heartbeat.missed", "connection.close") == [
        "heartbeat.missed",
        "connection.close",
    ]


def test_what_a_silent_client_held_goes_back(world: World) -> None:
    client, other = world.connect(heartbeat=60), world.connect()
    client.declare("q")
    client.publish(queue="q")
    client.get("q")
    other.consume("q")
    world.advance(180)
    (delivery,) = other.received()
    assert delivery.method.redelivered is True


def test_any_byte_is_a_sign_of_life(world: World) -> None:
    client = world.connect(heartbeat=60)
    for byte in published(b"very slow", queue="nowhere"):
        world.advance(50)
        client.feed(bytes((byte,)))
    assert not client.side.closing


def test_without_an_interval_there_are_no_heartbeats(world: World) -> None:
    client = world.connect(heartbeat=0)
    assert world.broker.next_timer() is None
    world.advance(100_000)
    assert not client.side.closing
    assert client.received() == []


def test_heartbeats_are_housekeeping(world: World) -> None:
    client = world.connect(heartbeat=60)
    assert world.broker.next_timer() == 30 * SECOND_NS
    assert world.broker.next_event_timer() is None
    before = world.broker.activity
    world.advance(60)
    client.feed(BEAT)
    assert world.broker.activity == before
    client.declare("q")
    assert world.broker.activity > before


def test_a_closed_connection_leaves_no_timer(world: World) -> None:
    client = world.connect(heartbeat=60)
    client.send(Connection.Close(200, "", 0, 0), 0)
    assert world.broker.next_timer() is None


# -- blocked publishers ------------------------------------------------------------------------


def test_a_publisher_is_blocked_and_told_so_while_there_is_an_alarm(world: World) -> None:
    client = world.connect()
    client.declare("q")
    world.broker.set_alarm("memory", True, 0)
    client.declare("q")
    client.publish(b"1", queue="q")
    (blocked,) = client.received()
    assert isinstance(blocked, Connection.Blocked)
    assert blocked.reason == "low on memory"
    client.publish(b"2", queue="q")
    client.send(Basic.Get(queue="q"))
    assert client.received() == []
    assert world.broker.vhosts["/"].queues["q"].ready_count == 0
    world.broker.set_alarm("memory", False, 0)
    world.carry()
    heard = client.received()
    assert isinstance(heard[0], Connection.Unblocked)
    assert heard[1].body == b"1"
    assert heard[1].method.message_count == 1


def test_consumers_go_on_while_publishers_are_blocked(world: World) -> None:
    publisher, consumer = world.connect(), world.connect()
    consumer.declare("q")
    for body in (b"1", b"2"):
        publisher.publish(body, queue="q")
    world.broker.set_alarm("disk", True, 0)
    publisher.publish(b"3", queue="q")
    consumer.consume("q")
    assert consumer.bodies() == [b"1", b"2"]
    assert consumer.asked(Basic.Ack(1)) == []
    assert consumer.side.blocked is False


def test_a_second_alarm_keeps_publishers_blocked(world: World) -> None:
    client = world.connect()
    world.broker.set_alarm("memory", True, 0)
    world.broker.set_alarm("disk", True, 0)
    client.publish(queue="q")
    assert client.received()[0].reason == "low on memory & disk"
    world.broker.set_alarm("memory", False, 0)
    assert client.side.blocked
    world.broker.set_alarm("disk", False, 0)
    assert not client.side.blocked


def test_a_client_without_the_capability_is_blocked_silently(world: World) -> None:
    client = world.connect(capabilities={})
    client.declare("q")
    world.broker.set_alarm("memory", True, 0)
    client.publish(queue="q")
    world.broker.set_alarm("memory", False, 0)
    world.carry()
    assert client.received() == []
    assert world.broker.vhosts["/"].queues["q"].ready_count == 1


def test_a_blocked_client_is_not_taken_for_dead(world: World) -> None:
    client = world.connect(heartbeat=60)
    world.broker.set_alarm("memory", True, 0)
    client.publish(queue="q")
    world.advance(600)
    assert not client.side.closing
    world.broker.set_alarm("memory", False, world.now_ns)
    world.advance(300)
    assert client.side.closing


def test_a_blocked_client_may_vanish(world: World) -> None:
    client = world.connect()
    world.broker.set_alarm("memory", True, 0)
    client.publish(queue="q")
    client.side.connection_lost(0)
    world.broker.set_alarm("memory", False, 0)
    assert list(world.broker.connections) == []


# -- timers ------------------------------------------------------------------------------------


def test_timers_run_in_order_of_time_and_of_creation() -> None:
    timers = Timers()
    ran: list[str] = []
    timers.at(20, lambda now: ran.append(f"late at {now}"), housekeeping=False)
    timers.at(10, lambda now: ran.append("first"), housekeeping=True)
    timers.at(10, lambda now: ran.append("second"), housekeeping=False)
    assert (timers.next_due(), timers.next_event_due()) == (10, 10)
    assert timers.run_due(15) == 1
    assert ran == ["first", "second"]
    assert timers.run_due(25) == 1
    assert ran[-1] == "late at 25"
    assert timers.next_due() is None


def test_a_cancelled_timer_neither_runs_nor_is_waited_for() -> None:
    timers = Timers()
    timers.at(10, lambda now: pytest.fail("was cancelled"), housekeeping=False).cancel()
    assert timers.next_due() is None
    assert timers.run_due(100) == 0


def test_a_timer_may_make_another_that_is_due_at_once() -> None:
    timers = Timers()
    ran: list[int] = []
    timers.at(
        0, lambda now: (timers.at(now, ran.append, housekeeping=False), None)[1], housekeeping=False
    )
    assert timers.run_due(5) == 2
    assert ran == [5]


def test_a_timer_at_zero_counts() -> None:
    timers = Timers()
    timers.at(0, lambda now: None, housekeeping=True)
    assert timers.next_due() == 0


def test_an_administrator_closes_a_connection(world: World) -> None:
    client = world.connect()
    world.broker.admin_close_connection("client-1", "CLOSED_VIA_MANAGEMENT", 0)
    world.carry()
    is_close(client.received()[0], 320, "CONNECTION_FORCED - CLOSED_VIA_MANAGEMENT")
