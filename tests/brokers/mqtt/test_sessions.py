"""Sessions: what a client finds again, when it ends, and who takes it over."""

from __future__ import annotations

from typing import Any

import pytest

from tests.brokers.mqtt import packets
from tests.brokers.mqtt.client import Client, World

KEPT: dict[int, dict[str, Any]] = {
    4: {"clean": False},
    5: {"clean": False, "session_expiry_interval": 60},
}


@pytest.fixture(params=[4, 5])
def version(request: pytest.FixtureRequest) -> int:
    return int(request.param)


def away(world: World, version: int, qos: int = 2) -> None:
    """Make a kept session `c` with a subscription to t, and leave."""
    client = world.connect("c", version, **KEPT[version])
    client.subscribe("t", qos=qos)
    client.lose()


def test_a_kept_session_gets_what_came_while_its_client_was_away(
    world: World, version: int
) -> None:
    away(world, version)
    for qos in (0, 1, 2):
        world.publish("t", b"%d" % qos, qos=qos)
    client = world.connect("c", version, **KEPT[version])
    assert client.connack.session_present
    assert client.payloads() == [b"1", b"2"]
    world.publish("t", b"now", qos=0)
    assert client.payloads() == [b"now"]


def test_a_clean_start_ends_the_session(world: World, version: int) -> None:
    away(world, version)
    world.publish("t", b"x", qos=1)
    assert not world.connect("c", version).connack.session_present
    assert not world.broker.subscriptions()
    assert not world.connect("c", version, **KEPT[version]).connack.session_present


def test_an_unacknowledged_message_comes_again_marked_as_duplicate(
    world: World, version: int
) -> None:
    client = world.connect("c", version, **KEPT[version])
    client.subscribe("t", qos=1)
    world.publish("t", b"1", qos=1)
    world.publish("t", b"2", qos=1)
    client.received()
    client.answer("PUBACK", 1)
    client.lose()
    client = world.connect("c", version, **KEPT[version])
    again = client.next()
    assert (again.payload, again.packet_id, again.dup) == (b"2", 2, True)


def test_a_quality_2_delivery_goes_on_where_it_stopped(world: World, version: int) -> None:
    client = world.connect("c", version, **KEPT[version])
    client.subscribe("t")
    world.publish("t", b"1", qos=2)
    world.publish("t", b"2", qos=2)
    client.received()
    client.answer("PUBREC", 1)
    client.lose()
    client = world.connect("c", version, **KEPT[version])
    release, again = client.received()
    assert (release.kind, release.packet_id) == ("PUBREL", 1)
    assert (again.payload, again.packet_id, again.dup) == (b"2", 2, True)


def test_a_quality_2_message_can_be_released_on_another_connection(
    world: World, version: int
) -> None:
    reader = world.connect("r")
    reader.subscribe("t", qos=0)
    writer = world.connect("c", version, **KEPT[version])
    writer.publish("t", b"x", 2, 5)
    writer.lose()
    writer = world.connect("c", version, **KEPT[version])
    writer.publish("t", b"x", 2, 5, dup=True)
    writer.answer("PUBREL", 5)
    assert [each.kind for each in writer.received()] == ["PUBREC", "PUBCOMP"]
    assert reader.next().payload == b"x"


def test_what_is_sent_again_respects_the_new_receive_maximum(world: World) -> None:
    client = world.connect("c", **KEPT[5])
    client.subscribe("t", qos=1)
    for number in range(4):
        world.publish("t", b"%d" % number, qos=1)
    client.lose()
    client = world.connect("c", **KEPT[5], receive_maximum=2)
    assert [each.payload for each in client.received()] == [b"0", b"1"]
    client.answer("PUBACK", 1)
    again = client.next()
    assert (again.payload, again.dup) == (b"2", True)


def test_a_session_ends_when_its_expiry_interval_is_over(world: World) -> None:
    away(world, 5)
    world.advance(59.9)
    assert len(world.broker.sessions()) == 1
    assert world.broker.next_event_timer() is None, "the end of a session is housekeeping"
    world.advance(0.2)
    assert not world.broker.sessions()
    assert not world.broker.subscriptions()
    assert not world.connect("c", **KEPT[5]).connack.session_present


def test_a_session_that_is_resumed_does_not_end(world: World) -> None:
    away(world, 5)
    world.advance(50)
    client = world.connect("c", **KEPT[5])
    world.advance(1000)
    assert client.connack.session_present
    assert not client.closed
    client.lose()
    world.advance(59)
    assert world.connect("c", **KEPT[5]).connack.session_present


def test_a_session_of_mqtt_3_never_ends_by_itself(world: World) -> None:
    away(world, 4)
    world.advance(10**7)
    assert world.connect("c", 4, clean=False).connack.session_present


def test_a_session_without_an_interval_ends_with_its_connection(world: World) -> None:
    client = world.connect("c", clean=False)
    client.subscribe("t")
    client.lose()
    assert not world.broker.sessions()


def test_the_interval_can_be_changed_when_leaving(world: World) -> None:
    client = world.connect("c", **KEPT[5])
    client.disconnect(session_expiry_interval=5)
    world.advance(6)
    assert not world.broker.sessions()
    world.connect("c", **KEPT[5]).disconnect(session_expiry_interval=0)
    assert not world.broker.sessions()


def test_a_session_that_was_to_end_cannot_be_kept_when_leaving(world: World) -> None:
    client = world.connect("c")
    client.disconnect(session_expiry_interval=5)
    assert client.next().reason == 0x82
    assert not world.broker.sessions()


def test_mqtt_3_1_is_not_told_that_there_is_a_session(world: World) -> None:
    world.connect("c", 3, clean=False).lose()
    client = world.connect("c", 3, clean=False)
    assert not client.connack.session_present
    assert world.of_kind("connect")[-1]["session_present"]


# -- taking over -------------------------------------------------------------------------------


def test_a_second_connection_takes_the_session_over(world: World, version: int) -> None:
    first = world.connect("c", version, **KEPT[version])
    first.subscribe("t")
    second = world.connect("c", version, **KEPT[version])
    assert second.connack.session_present
    assert first.closed
    if version == 5:
        assert first.next().reason == 0x8E
    world.publish("t", b"x", qos=0)
    assert second.next().payload == b"x"
    first.lose()
    assert world.broker.sessions()[0]["connected"]


def test_what_the_old_connection_still_sends_is_ignored(world: World) -> None:
    first = world.connect("c")
    world.connect("c")
    first.received()
    first.publish("t", b"late", retain=True)
    assert not world.broker.retained()


# -- connecting --------------------------------------------------------------------------------


def test_a_client_without_a_name_is_given_one(world: World) -> None:
    first, second = (world.connect("").connack.properties for _ in range(2))
    name = first["assigned_client_identifier"]
    assert name.startswith("auto-")
    assert name != second["assigned_client_identifier"]
    assert [each["client_id"] for each in world.broker.sessions()].count(name) == 1


def test_mqtt_3_1_1_without_a_name_needs_a_clean_session(world: World) -> None:
    assert world.connect("", 4).connack.reason == 0
    refused = world.connect("", 4, clean=False)
    assert (refused.connack.reason, refused.closed) == (2, True)
    assert world.connect("", 3).connack.reason == 2


def test_an_unknown_version_is_told_in_the_old_way(world: World) -> None:
    client = world.raw(4)
    client.send(packets.connect("c", 6))
    assert client.next().reason == 1
    assert client.closed


def test_something_that_is_not_mqtt_is_cut_off_without_a_word(world: World) -> None:
    client = world.raw()
    client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert client.closed
    assert not client.incoming


def test_the_first_packet_is_connect(world: World) -> None:
    client = world.raw()
    client.send(packets.publish("t"))
    assert client.closed
    assert not client.incoming


def test_a_second_connect_is_a_protocol_error(world: World) -> None:
    client = world.connect("c")
    client.send(packets.connect("c"))
    assert client.next().reason == 0x82
    assert client.closed


@pytest.mark.parametrize(
    ("user", "password"), [(None, None), ("ann", None), ("ann", b"wrong"), ("bob", b"secret")]
)
def test_who_has_not_the_password_is_refused(
    version: int, user: str | None, password: bytes | None
) -> None:
    from tests.brokers.mqtt.client import new_world

    world = new_world(users={"ann": "secret"})
    client = world.connect("c", version, user=user, password=password)
    assert client.connack.reason == {4: 5, 5: 0x86}[version]
    assert client.closed
    assert not world.broker.sessions()
    welcome = world.connect("c", version, user="ann", password=b"secret")
    assert welcome.connack.reason == 0
    assert world.broker.sessions()[0]["user"] == "ann"


def test_extended_authentication_is_refused(world: World) -> None:
    client = world.connect("c", authentication_method="SCRAM-SHA-1", authentication_data=b"x")
    assert client.connack.reason == 0x8C
    assert client.closed
    client = world.connect("c")
    client.send(b"\xf0\x00")
    assert client.next().reason == 0x82


# -- proof of life -----------------------------------------------------------------------------


def silence(client: Client, seconds: float) -> bool:
    """Let time pass; whether the client was cut off."""
    client.world.advance(seconds)
    return client.closed


def test_a_silent_client_is_cut_off_after_one_and_a_half_intervals(
    world: World, version: int
) -> None:
    client = world.connect("c", version, keep_alive_s=10)
    assert not silence(client, 14.9)
    client.send(packets.PINGREQ)
    assert client.next().kind == "PINGRESP"
    assert not silence(client, 14.9)
    assert silence(client, 0.2)
    assert [each.reason for each in client.received()] == ([0x8D] if version == 5 else [])
    assert world.of_kind("disconnect")[-1]["by"] == "server"


def test_a_client_without_keep_alive_may_be_silent(world: World) -> None:
    assert not silence(world.connect("c", 4), 10**6)


def test_pings_are_no_activity_and_keep_alive_is_housekeeping(world: World) -> None:
    client = world.connect("c", keep_alive_s=10)
    before = world.broker.activity
    client.send(packets.PINGREQ)
    assert world.broker.activity == before
    assert world.broker.next_event_timer() is None
    assert world.broker.next_timer() is not None


def test_the_server_may_want_a_shorter_interval() -> None:
    from tests.brokers.mqtt.client import new_world

    world = new_world(max_keep_alive_s=20)
    client = world.connect("c", keep_alive_s=100)
    assert client.connack.properties["server_keep_alive"] == 20
    assert silence(client, 31)
    assert "server_keep_alive" not in world.connect("d", keep_alive_s=5).connack.properties


def test_who_never_introduces_itself_is_cut_off(world: World) -> None:
    client = world.raw()
    client.send(packets.connect("c")[:5])
    assert silence(client, 91)
    assert not world.broker.connections
