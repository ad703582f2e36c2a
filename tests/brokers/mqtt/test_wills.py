"""Wills: what a client leaves behind, and when."""

from __future__ import annotations

from typing import Any

import pytest

from tests.brokers.mqtt import packets
from tests.brokers.mqtt.client import Client, World

WILL = ("wills/c", b"gone", 1, False)


@pytest.fixture
def reader(world: World) -> Client:
    client = world.connect("reader")
    client.subscribe("wills/#", qos=1)
    return client


def dying(world: World, version: int = 5, **options: Any) -> Client:
    return world.connect("c", version, will=WILL, **options)


@pytest.mark.parametrize("version", [3, 4, 5])
def test_a_will_is_published_when_the_connection_breaks(
    world: World, reader: Client, version: int
) -> None:
    dying(world, version).lose()
    assert reader.payloads() == [b"gone"]


@pytest.mark.parametrize("version", [3, 4, 5])
def test_a_will_is_forgotten_by_who_says_goodbye(
    world: World, reader: Client, version: int
) -> None:
    dying(world, version).disconnect()
    assert not reader.received()


@pytest.mark.parametrize("reason", [0x04, 0x80])
def test_a_goodbye_with_another_reason_publishes_the_will(
    world: World, reader: Client, reason: int
) -> None:
    dying(world).disconnect(reason)
    assert reader.payloads() == [b"gone"]


def test_a_protocol_error_publishes_the_will(world: World, reader: Client) -> None:
    dying(world).send(b"\x00\x00")
    assert reader.payloads() == [b"gone"]


def test_silence_publishes_the_will(world: World, reader: Client) -> None:
    dying(world, keep_alive_s=10)
    world.advance(15.1)
    assert reader.payloads() == [b"gone"]


def test_a_will_can_be_retained_and_have_properties(world: World) -> None:
    world.connect(
        "c", will=("w", b"x", 0, True), will_properties={"content_type": "text/plain"}
    ).lose()
    assert world.broker.retained() == [
        {
            "topic": "w",
            "payload": b"x",
            "qos": 0,
            "retain": True,
            "properties": {"content_type": "text/plain"},
        }
    ]


def delayed(world: World, delay_s: int = 10, expiry_s: int = 100, **options: Any) -> Client:
    return dying(
        world,
        clean=False,
        session_expiry_interval=expiry_s,
        will_properties={"will_delay_interval": delay_s},
        **options,
    )


def test_a_delayed_will_waits(world: World, reader: Client) -> None:
    delayed(world).lose()
    assert world.broker.next_event_timer() is not None, "a will that waits is something to come"
    world.advance(9.9)
    assert not reader.received()
    world.advance(0.2)
    assert reader.payloads() == [b"gone"]
    assert world.broker.next_event_timer() is None


def test_a_client_that_is_back_in_time_leaves_no_will(world: World, reader: Client) -> None:
    delayed(world).lose()
    world.advance(5)
    delayed(world)
    world.advance(100)
    assert not reader.received()
    assert world.of_kind("will.cancel")


def test_a_delay_ends_with_the_session(world: World, reader: Client) -> None:
    delayed(world, delay_s=50, expiry_s=5).lose()
    world.advance(5.1)
    assert reader.payloads() == [b"gone"]


def test_a_delay_without_a_session_is_none(world: World, reader: Client) -> None:
    delayed(world, expiry_s=0).lose()
    assert reader.payloads() == [b"gone"]


def test_a_clean_start_ends_the_session_and_the_delay(world: World, reader: Client) -> None:
    delayed(world).lose()
    world.connect("c")
    assert reader.payloads() == [b"gone"]


def test_leaving_for_good_publishes_no_will_later(world: World, reader: Client) -> None:
    delayed(world).disconnect()
    world.advance(1000)
    assert not reader.received()


def test_being_taken_over_publishes_the_will(world: World, reader: Client) -> None:
    dying(world, clean=False, session_expiry_interval=100)
    world.connect("c", clean=False, session_expiry_interval=100)
    assert reader.payloads() == [b"gone"]


def test_being_taken_over_by_oneself_forgets_a_delayed_will(world: World, reader: Client) -> None:
    delayed(world)
    world.connect("c", clean=False, session_expiry_interval=100)
    world.advance(1000)
    assert not reader.received()


def test_being_taken_over_by_a_clean_start_publishes_a_delayed_will(
    world: World, reader: Client
) -> None:
    delayed(world)
    world.connect("c")
    assert reader.payloads() == [b"gone"]


@pytest.mark.parametrize(
    ("will", "reason"),
    [
        (("a/#", b"", 0, False), 0x90),
        (("", b"", 0, False), 0x90),
        (("$SYS/x", b"", 0, False), 0x87),
        (("a", b"", 3, False), 0x81),
    ],
)
def test_a_will_that_cannot_be_published_is_refused(
    world: World, will: tuple[str, bytes, int, bool], reason: int
) -> None:
    client = world.connect("c", will=will)
    assert client.connack.reason == reason
    assert client.closed


def test_flags_of_a_will_without_a_will_are_refused(world: World) -> None:
    client = world.raw()
    client.send(packets.connect("c", flags=0x20))
    assert client.next().reason == 0x81
