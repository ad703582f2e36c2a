"""Frames cut anywhere, and bytes that are no frames."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pamqp.commands import Basic, Channel, Connection, Queue

from sandbox.brokers.amqp.errors import AmqpError, erlang_binary
from sandbox.brokers.amqp.framing import (
    PROTOCOL_HEADER,
    FrameSplitter,
    content_frames,
)
from tests.brokers.amqp.client import (
    Client,
    World,
    blank,
    is_close,
    marshal,
    new_world,
    published,
    raw_frame,
)
from tests.brokers.amqp.test_handshake import start_ok

CONVERSATION = b"".join(
    (
        PROTOCOL_HEADER,
        marshal(start_ok(), 0),
        marshal(Connection.TuneOk(2047, 4096, 0), 0),
        marshal(Connection.Open(), 0),
        marshal(Channel.Open(), 1),
        marshal(Queue.Declare(queue="q"), 1),
        marshal(Basic.Consume(queue="q", consumer_tag="c"), 1),
        published(b"hello", queue="q", delivery_mode=2, headers={"n": 1}),
        published(b"", queue="q"),
        published(b"z" * 9000, queue="q", frame_max=4096),
        published(b"back", queue="nowhere", mandatory=True),
        marshal(Basic.Ack(2, True), 1),
        raw_frame(8, 0, b""),
        published(b"lost", exchange="nowhere"),
        marshal(Channel.CloseOk(), 1),
        marshal(Connection.Close(200, "bye", 0, 0), 0),
    )
)


def played(pieces: list[bytes]) -> tuple[bytes, list[tuple[str, dict[str, object]]]]:
    world = new_world()
    client = world.raw()
    for piece in pieces:
        client.feed(piece)
    return client.incoming, world.events


WHOLE = played([CONVERSATION])


def test_the_conversation_used_here_goes_to_its_end() -> None:
    assert WHOLE[1][-1][0] == "connection.close"
    assert WHOLE[1][-1][1]["code"] == 200
    assert [fields["tag"] for kind, fields in WHOLE[1] if kind == "basic.deliver"] == [1, 2, 3]


def test_bytes_may_come_one_at_a_time() -> None:
    assert played([CONVERSATION[n : n + 1] for n in range(len(CONVERSATION))]) == WHOLE


@settings(max_examples=60, deadline=None)
@given(st.sets(st.integers(0, len(CONVERSATION)), max_size=30))
def test_where_bytes_are_cut_makes_no_difference(cuts: set[int]) -> None:
    places = [0, *sorted(cuts), len(CONVERSATION)]
    pieces = [CONVERSATION[start:end] for start, end in pairwise(places)]
    assert played(pieces) == WHOLE


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([1, 2, 3]), st.integers(0, 9), st.binary(max_size=40))),
    st.data(),
)
def test_the_splitter_gives_back_every_frame(
    frames: list[tuple[int, int, bytes]], data: st.DataObject
) -> None:
    stream = b"".join(raw_frame(*frame) for frame in frames)
    splitter = FrameSplitter()
    found = []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        splitter.feed(stream[:size])
        stream = stream[size:]
        while (frame := splitter.next_frame()) is not None:
            found.append(frame)
    assert found == frames


@settings(deadline=None)
@given(st.binary(max_size=60), st.integers(9, 40))
def test_content_is_cut_into_frames_no_larger_than_agreed(body: bytes, frame_max: int) -> None:
    splitter = FrameSplitter(0)
    splitter.feed(content_frames(7, b"header", body, frame_max))
    assert splitter.next_frame() == (2, 7, b"header")
    pieces = []
    while (frame := splitter.next_frame()) is not None:
        assert frame[:2] == (3, 7)
        assert 0 < len(frame[2]) <= frame_max - 8
        pieces.append(frame[2])
    assert b"".join(pieces) == body


def test_a_large_message_is_reframed_for_a_client_with_small_frames(world: World) -> None:
    one, two = world.connect(frame_max=131072), world.connect(frame_max=4096)
    one.declare("q")
    one.publish(b"a" * 10_000, queue="q")
    got = two.get("q")
    assert got is not None
    assert (got.body, got.size, got.frames) == (b"a" * 10_000, 10_000, 3)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (raw_frame(1, 1, b"\0\x3c\0\x0a")[:-1] + b"\xcd", "{invalid_frame_end_marker,205}"),
        (raw_frame(9, 1, b"\0\x3c\0\x0a"), "unknown_frame"),
        (raw_frame(0, 1, b"\0\x3c\0\x0a"), "unknown_frame"),
        (raw_frame(9, 0, b"\0\x3c\0\x0a"), "unknown_frame"),
        (raw_frame(9, 5, b"\0\x3c\0\x0a"), "unknown_frame"),
    ],
)
def test_bytes_that_are_no_frame_are_501(client: Client, data: bytes, problem: str) -> None:
    client.feed(data)
    text = f"FRAME_ERROR - type {data[0]}, all octets = <<0,60,0,10>>: {problem}"
    is_close(client.received()[0], 501, text)


def test_a_frame_larger_than_agreed_is_501_before_it_is_there(client: Client) -> None:
    client.feed(b"\x03\x00\x01\x00\x03\x0d\x40")
    text = "FRAME_ERROR - type 3, all octets = <<>>: {frame_too_large,200000,131064}"
    is_close(client.received()[0], 501, text)


def test_a_browser_that_comes_to_the_wrong_port_is_501(client: Client) -> None:
    client.feed(b"GET / HTTP/1.1\r\n\r\n")
    text = "FRAME_ERROR - type 71, all octets = <<>>: {frame_too_large,539959368,131064}"
    is_close(client.received()[0], 501, text)


def test_after_garbage_a_close_ok_is_still_understood(client: Client) -> None:
    client.feed(b"\xff" * 20)
    assert not client.side.closing
    client.feed(b"\xff" * 20)
    client.feed(marshal(Connection.CloseOk(), 0))
    assert client.side.closing


@pytest.mark.parametrize(
    ("data", "code", "text"),
    [
        (
            raw_frame(1, 1, b"\0\x32"),
            501,
            "FRAME_ERROR - type 1, all octets = <<0,50>>: unknown_frame",
        ),
        (raw_frame(1, 1, b"\0\x32\0\x0a"), 501, "FRAME_ERROR - cannot decode <<>>"),
        (
            raw_frame(1, 1, b"\0\x3c\0\x0a" + bytes(7) + b"\x07"),
            501,
            "FRAME_ERROR - cannot decode <<0,0,0,0,0,0,0,7>>",
        ),
        (
            raw_frame(1, 1, b"\0\x32\0\x0a\0\0\x01\xff\x04\0\0\0\0"),
            501,
            "FRAME_ERROR - Malformed UTF-8 in shortstr",
        ),
        (
            raw_frame(1, 1, b"\0\x3c\0\x28\0\0\x01\xff\x00\x00") + published(queue="x")[-24:],
            501,
            None,
        ),
        (
            raw_frame(1, 1, b"\0\x3c\0\x28\0\0\x05a"),
            501,
            "FRAME_ERROR - cannot decode <<0,0,5,97>>",
        ),
        (raw_frame(1, 1, b"\0\x3c\0\x50\0"), 501, "FRAME_ERROR - cannot decode <<0>>"),
        (
            raw_frame(8, 0, b"\0"),
            501,
            "FRAME_ERROR - type 8, all octets = <<0>>: unknown_frame",
        ),
        (raw_frame(8, 1, b""), 505, "UNEXPECTED_FRAME - type 8, all octets = <<>>"),
        (raw_frame(3, 0, b"abc"), 505, 'UNEXPECTED_FRAME - type 3, all octets = <<"abc">>'),
        (
            raw_frame(1, 1, b"\0\x3c\0\x63"),
            540,
            "NOT_IMPLEMENTED - method 99 of class 60 is not known to the sandbox's broker",
        ),
    ],
)
def test_frames_that_mean_nothing_close_the_connection(
    client: Client, data: bytes, code: int, text: str | None
) -> None:
    client.feed(data)
    reply = client.received()[0]
    assert isinstance(reply, Connection.Close)
    assert reply.reply_code == code
    if text is not None:
        assert reply.reply_text == text


PUBLISH = marshal(blank(Basic.Publish, routing_key="x"), 1)
HEADER_OF_ONE = raw_frame(2, 1, b"\0\x3c\0\0" + (1).to_bytes(8, "big") + b"\0\0")


@pytest.mark.parametrize(
    ("data", "text", "method"),
    [
        (HEADER_OF_ONE, "expected method frame, got non method frame instead", (0, 0)),
        (raw_frame(3, 1, b"x"), "expected method frame, got non method frame instead", (0, 0)),
        (
            raw_frame(3, 7, b"x"),
            "expected method frame, got non method frame instead",
            (0, 0),
        ),
        (
            PUBLISH + marshal(Basic.Qos(), 1),
            "expected content header for class 60, got non content header frame instead",
            (60, 40),
        ),
        (
            PUBLISH + raw_frame(3, 1, b"x"),
            "expected content header for class 60, got non content header frame instead",
            (60, 40),
        ),
        (
            PUBLISH + raw_frame(2, 1, b"\0\x32" + bytes(12)),
            "expected content header for class 60, got one for class 50 instead",
            (60, 40),
        ),
        (
            PUBLISH + raw_frame(2, 1, b"\0\x3c\0\x01" + bytes(10)),
            "expected content header for class 60, got non content header frame instead",
            (60, 40),
        ),
        (
            PUBLISH + HEADER_OF_ONE + HEADER_OF_ONE,
            "expected content body, got non content body frame instead",
            (60, 40),
        ),
        (
            PUBLISH + HEADER_OF_ONE + PUBLISH,
            "expected content body, got non content body frame instead",
            (60, 40),
        ),
    ],
)
def test_content_out_of_order_is_505(
    client: Client, data: bytes, text: str, method: tuple[int, int]
) -> None:
    client.feed(data)
    reply = client.received()[0]
    is_close(reply, 505, f"UNEXPECTED_FRAME - {text}")
    assert isinstance(reply, Connection.Close)
    assert (reply.class_id, reply.method_id) == method


def test_content_of_two_channels_may_be_interleaved(client: Client) -> None:
    client.send(Channel.Open(), 2)
    client.declare("q")
    one = [published(b"one", queue="q", channel=1), published(b"two", queue="q", channel=2)]
    frames = [[], []]
    for which, data in enumerate(one):
        splitter = FrameSplitter()
        splitter.feed(data)
        while (frame := splitter.next_frame()) is not None:
            frames[which].append(raw_frame(*frame))
    for pair in zip(*frames, strict=True):
        for data in pair:
            client.feed(data)
    assert [client.get("q").body, client.get("q").body] == [b"one", b"two"]  # type: ignore[union-attr]


def test_more_body_than_announced_is_passed_on_with_its_true_size(client: Client) -> None:
    client.declare("q")
    publish = marshal(blank(Basic.Publish, routing_key="q"), 1)
    client.feed(publish + HEADER_OF_ONE + raw_frame(3, 1, b"xyz"))
    got = client.get("q")
    assert got is not None
    assert (got.body, got.size) == (b"xyz", 3)


def test_empty_body_frames_do_no_harm(client: Client) -> None:
    client.declare("q")
    publish = marshal(blank(Basic.Publish, routing_key="q"), 1)
    client.feed(publish + HEADER_OF_ONE + raw_frame(3, 1, b"") + raw_frame(3, 1, b"z"))
    got = client.get("q")
    assert got is not None
    assert got.body == b"z"


def test_bytes_are_printed_as_erlang_does() -> None:
    assert erlang_binary(b"") == "<<>>"
    assert erlang_binary(b"\x00\x3c") == "<<0,60>>"
    assert erlang_binary(b'say "x"') == '<<"say \\"x\\"">>'


def test_a_long_reply_text_is_cut_to_255_bytes() -> None:
    text = AmqpError(404, "é" * 300).reply_text
    assert len(text.encode()) <= 255
    assert text.startswith("NOT_FOUND - é")
    assert text.endswith("...")
