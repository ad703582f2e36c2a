"""Whatever anybody sends, `receive_data` does not raise, and the broker goes on serving others."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from pamqp import commands

from sandbox.brokers.amqp.framing import FrameSplitter
from tests.brokers.amqp.client import PROTOCOL_HEADER, World, new_world, raw_frame

METHODS = sorted(commands.INDEX_MAPPING)


def still_serves(world: World) -> None:
    client = world.connect()
    client.declare("proof")
    client.publish(b"alive", queue="proof")
    got = client.get("proof")
    assert got is not None
    assert got.body == b"alive"


def speaks_frames(data: bytes) -> None:
    if data.startswith(PROTOCOL_HEADER):
        data = data[8:]
    splitter = FrameSplitter(0)
    splitter.feed(data)
    while splitter.next_frame() is not None:
        pass


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300), st.booleans())
def test_random_bytes_before_and_after_the_handshake(data: bytes, greeted: bool) -> None:
    world = new_world()
    client = world.connect() if greeted else world.raw()
    client.feed(data)
    speaks_frames(client.incoming)
    world.advance(60)
    still_serves(world)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([1, 1, 1, 1, 2, 3, 8, 5]),
            st.sampled_from([0, 1, 1, 1, 2]),
            st.sampled_from(METHODS),
            st.binary(max_size=60),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_random_methods_with_random_fields(frames: list[tuple[int, int, int, bytes]]) -> None:
    world = new_world()
    client = world.connect()
    for kind, channel, method, rest in frames:
        head = method.to_bytes(4, "big") if kind == 1 else b"\x00\x3c\x00\x00" if kind == 2 else b""
        client.feed(raw_frame(kind, channel, head + rest))
    speaks_frames(client.incoming)
    client.side.connection_lost(world.now_ns)
    still_serves(world)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_good_conversation_with_flipped_bytes(data: st.DataObject) -> None:
    from tests.brokers.amqp.test_framing import CONVERSATION

    damaged = bytearray(CONVERSATION)
    for _ in range(data.draw(st.integers(1, 5))):
        damaged[data.draw(st.integers(8, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    world = new_world()
    client = world.raw()
    client.feed(bytes(damaged))
    client.side.connection_lost(world.now_ns)
    still_serves(world)


def test_tables_nested_a_thousand_deep_are_refused() -> None:
    table = b""
    for _ in range(1000):
        inner = b"\x01kF" + len(table).to_bytes(4, "big") + table
        table = inner
    arguments = len(table).to_bytes(4, "big") + table
    world = new_world()
    client = world.connect()
    client.feed(raw_frame(1, 1, b"\0\x32\0\x0a\0\0\x01q\0" + arguments))
    assert client.received()[0].reply_code == 501
    still_serves(world)


def test_a_message_announced_as_enormous_is_refused_before_it_comes() -> None:
    world = new_world()
    client = world.connect()
    client.feed(raw_frame(1, 1, b"\0\x3c\0\x28\0\0\0\x01q\0"))
    client.feed(raw_frame(2, 1, b"\0\x3c\0\0" + (2**63).to_bytes(8, "big") + b"\0\0"))
    (close,) = client.received()
    assert close.reply_code == 406
    assert close.reply_text == (
        f"PRECONDITION_FAILED - message size {2**63} is larger than configured max size 134217728"
    )
    client.feed(raw_frame(3, 1, b"ignored"))
    assert client.received() == []
    still_serves(world)


def test_a_client_that_vanishes_twice_is_gone_once() -> None:
    world = new_world()
    client = world.connect()
    client.side.connection_lost(0)
    client.side.connection_lost(0)
    client.feed(b"late bytes")
    assert world.kinds("connection.close") == ["connection.close"]
    assert list(world.broker.connections) == []
