"""Who may come in, and what is agreed on the way."""

from __future__ import annotations

from typing import Any

import pytest
from pamqp import encode
from pamqp.commands import Channel, Connection

from sandbox.brokers.amqp import lifecycle
from sandbox.brokers.amqp.lifecycle import (
    CHANNEL,
    CONNECTION,
    ChannelInput,
    ChannelState,
    ConnectionInput,
    ConnectionState,
)
from tests.brokers.amqp.client import (
    CAPABILITIES,
    PROTOCOL_HEADER,
    Client,
    World,
    is_close,
    marshal,
    new_world,
    raw_frame,
)


def start_ok(**fields: Any) -> Connection.StartOk:
    values = {
        "client_properties": {"capabilities": CAPABILITIES},
        "mechanism": "PLAIN",
        "response": "\0guest\0guest",
        "locale": "en_US",
    }
    return Connection.StartOk(**(values | fields))


def at(state: ConnectionState) -> Client:
    """A client whose connection is in a state."""
    client = new_world().raw()
    steps = {
        ConnectionState.AWAIT_HEADER: lambda: None,
        ConnectionState.AWAIT_START_OK: lambda: client.feed(PROTOCOL_HEADER),
        ConnectionState.AWAIT_TUNE_OK: lambda: client.send(start_ok(), 0),
        ConnectionState.AWAIT_OPEN: lambda: client.send(Connection.TuneOk(9, 8192, 0), 0),
        ConnectionState.RUNNING: lambda: client.send(Connection.Open(), 0),
        ConnectionState.CLOSING: lambda: client.send(Channel.Open(), 0),
        ConnectionState.CLOSED: lambda: client.send(Connection.CloseOk(), 0),
    }
    for reached, step in steps.items():
        step()
        assert client.side.state is reached
        if reached is state:
            break
    client.received()
    return client


INPUTS: dict[ConnectionInput, bytes] = {
    ConnectionInput.PROTOCOL_HEADER: PROTOCOL_HEADER,
    ConnectionInput.START_OK: marshal(start_ok(), 0),
    ConnectionInput.TUNE_OK: marshal(Connection.TuneOk(9, 8192, 0), 0),
    ConnectionInput.OPEN: marshal(Connection.Open(), 0),
    ConnectionInput.CLOSE: marshal(Connection.Close(200, "bye", 0, 0), 0),
    ConnectionInput.CLOSE_OK: marshal(Connection.CloseOk(), 0),
    ConnectionInput.UPDATE_SECRET: raw_frame(1, 0, b"\x00\x0a\x00\x46\x00\x00\x00\x01a\x01b"),
    ConnectionInput.OTHER_METHOD: marshal(Channel.Open(), 0),
    ConnectionInput.CHANNEL_FRAME: marshal(Channel.Open(), 1),
    ConnectionInput.HEARTBEAT: b"\x08\x00\x00\x00\x00\x00\x00\xce",
}


def test_every_action_in_the_tables_exists() -> None:
    from sandbox.brokers.amqp.channel import Channel as ServerChannel
    from sandbox.brokers.amqp.connection import ACTIONS

    wanted = {action for _, action in CONNECTION.values() if action is not None}
    assert wanted == {*ACTIONS, "on_channel_frame"}
    for _, action in CHANNEL.values():
        assert action is None or hasattr(ServerChannel, action)


@pytest.mark.parametrize("state", ConnectionState)
@pytest.mark.parametrize("what", ConnectionInput)
def test_every_input_in_every_state_leads_where_the_table_says(
    state: ConnectionState, what: ConnectionInput
) -> None:
    client = at(state)
    client.feed(INPUTS[what])
    after, _ = CONNECTION.get((state, what), (None, None))
    if after is not None:
        assert client.side.state is after
        assert client.side.closing is (after is ConnectionState.CLOSED)
    elif state in lifecycle.SPEAKS_BEFORE_CLOSING:
        assert client.side.state is ConnectionState.CLOSING
        assert isinstance(client.received()[0], Connection.Close)
    else:
        assert client.side.closing
        assert [f for f in client.received() if not isinstance(f, bytes)] == []


@pytest.mark.parametrize("state", ChannelState)
@pytest.mark.parametrize("what", ChannelInput)
def test_every_input_in_every_channel_state_leads_where_the_table_says(
    state: ChannelState, what: ChannelInput, client: Client
) -> None:
    number = {ChannelState.CLOSED: 7, ChannelState.OPEN: 1, ChannelState.CLOSING: 1}[state]
    if state is ChannelState.CLOSING:
        client.publish(exchange="nowhere")
        is_close(client.received()[0], 404, "NOT_FOUND - no exchange 'nowhere' in vhost '/'")
    method = {
        ChannelInput.OPEN: Channel.Open(),
        ChannelInput.CLOSE: Channel.Close(200, "bye", 0, 0),
        ChannelInput.CLOSE_OK: Channel.CloseOk(),
        ChannelInput.OTHER: Channel.Flow(True),
    }[what]
    client.send(method, number)
    after, action = CHANNEL.get((state, what), (None, None))
    heard = client.received()
    if after is None:
        assert isinstance(heard[0], Connection.Close)
    else:
        channel = client.side.channels.get(number)
        assert (ChannelState.CLOSED if channel is None else channel.state) is after
        assert bool(heard) is (action not in (None, "on_close_ok"))


def test_the_server_introduces_itself_as_what_it_imitates(world: World) -> None:
    client = world.raw()
    client.feed(PROTOCOL_HEADER)
    (start,) = client.received()
    assert (start.version_major, start.version_minor) == (0, 9)
    assert start.mechanisms.split() == ["PLAIN", "AMQPLAIN"]
    assert start.server_properties["product"] == "RabbitMQ"
    assert start.server_properties["capabilities"]["publisher_confirms"] is True


@pytest.mark.parametrize("hello", [b"HTTP/1.1", b"AMQP\x00\x01\x00\x00", b"AMQP\x01\x01\x00\x09"])
def test_another_protocol_is_answered_with_ours_and_cut_off(world: World, hello: bytes) -> None:
    client = world.raw()
    client.feed(hello)
    assert client.received() == [PROTOCOL_HEADER]
    assert client.side.closing


def test_a_client_logs_in_with_amqplain(world: World) -> None:
    client = world.raw()
    client.feed(PROTOCOL_HEADER)
    response = encode.field_table({"LOGIN": "guest", "PASSWORD": "guest"})[4:].decode()
    client.send(start_ok(mechanism="AMQPLAIN", response=response), 0)
    assert isinstance(client.received()[-1], Connection.Tune)


def test_a_wrong_password_is_told_to_clients_that_can_hear_it(world: World) -> None:
    client = world.raw()
    client.feed(PROTOCOL_HEADER)
    client.send(start_ok(response="\0guest\0wrong"), 0)
    is_close(
        client.received()[-1],
        403,
        "ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN. For details see"
        " the broker logfile.",
    )


def test_a_wrong_password_just_ends_it_for_old_clients(world: World) -> None:
    client = world.raw()
    client.feed(PROTOCOL_HEADER)
    client.received()
    client.send(start_ok(client_properties={}, response="\0guest\0wrong"), 0)
    assert client.received() == []
    assert client.side.closing


@pytest.mark.parametrize(
    ("mechanism", "response"),
    [
        ("EXTERNAL", ""),
        ("PLAIN", "guest"),
        ("PLAIN", "someone\0guest\0guest"),
        ("AMQPLAIN", "nonsense"),
        ("AMQPLAIN", ""),
    ],
)
def test_a_malformed_login_ends_it_without_a_word(
    world: World, mechanism: str, response: str
) -> None:
    client = world.raw()
    client.feed(PROTOCOL_HEADER)
    client.received()
    client.send(start_ok(mechanism=mechanism, response=response), 0)
    assert client.received() == []
    assert client.side.closing
    assert world.of_kind("connection.close")[0]["reason"]


@pytest.mark.parametrize(
    ("channel_max", "frame_max"),
    [(0, 131072), (4000, 131072), (2047, 0), (2047, 200000), (2047, 4095)],
)
def test_a_client_cannot_tune_beyond_what_was_offered(
    world: World, channel_max: int, frame_max: int
) -> None:
    client = world.raw()
    client.feed(PROTOCOL_HEADER)
    client.send(start_ok(), 0)
    client.received()
    client.send(Connection.TuneOk(channel_max, frame_max, 0), 0)
    assert client.received() == []
    assert client.side.closing
    assert "NOT_ALLOWED - negotiated" in world.of_kind("connection.close")[0]["reason"]


def test_without_limits_of_the_servers_a_client_may_have_none() -> None:
    world = new_world(channel_max=0, frame_max=0)
    client = world.connect(channel_max=0, frame_max=0)
    client.declare("q")
    client.publish(b"x" * 300_000, queue="q")
    got = client.get("q")
    assert got is not None
    assert (len(got.body), got.frames) == (300_000, 1)


def test_an_unknown_virtual_host_is_530() -> None:
    client = at(ConnectionState.AWAIT_OPEN)
    reply = client.ask(Connection.Open("nowhere"), 0)
    is_close(reply, 530, "NOT_ALLOWED - vhost nowhere not found")


def test_more_channels_than_agreed_are_530(world: World) -> None:
    client = world.connect(channel_max=2)
    client.send(Channel.Open(), 2)
    is_close(
        client.ask(Channel.Open(), 3),
        530,
        "NOT_ALLOWED - number of channels opened (2) has reached the negotiated channel_max (2)",
    )


def test_virtual_hosts_have_queues_of_their_own() -> None:
    world = new_world(vhosts=("/", "shop"), users={"ann": "secret"})
    one = world.connect(user="ann", password="secret")
    two = world.connect(user="ann", password="secret", vhost="shop")
    one.declare("q")
    two.declare("q")
    one.publish(queue="q")
    assert two.get("q") is None
    assert one.get("q") is not None


def test_a_client_that_does_not_shake_hands_is_dropped_after_ten_seconds(world: World) -> None:
    client = world.raw()
    client.feed(PROTOCOL_HEADER)
    world.advance(9)
    assert not client.side.closing
    world.advance(1)
    assert client.side.closing


def test_a_client_that_never_answers_a_close_is_dropped_after_thirty_seconds(
    client: Client, world: World
) -> None:
    client.send(Channel.Open(), 1)
    world.advance(29)
    assert not client.side.closing
    world.advance(1)
    assert client.side.closing


def test_renewing_credentials_is_answered() -> None:
    client = at(ConnectionState.RUNNING)
    client.feed(INPUTS[ConnectionInput.UPDATE_SECRET])
    assert isinstance(client.received()[0], Connection.UpdateSecretOk)
