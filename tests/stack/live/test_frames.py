"""Frames are found however the bytes are cut, and their bytes are never changed."""

from __future__ import annotations

import itertools

import pamqp.body
import pamqp.frame
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pamqp import commands
from pamqp.heartbeat import Heartbeat

from sandbox.stack.live.frames import Frame, NotAmqpError, Splitter
from sandbox.stack.live.rewrite import Rewriter

GREETING = b"AMQP\x00\x00\x09\x01"
SENT = [
    pamqp.frame.marshal(commands.Channel.Open(), 1),
    pamqp.frame.marshal(commands.Queue.Declare(0, "orders"), 1),
    pamqp.frame.marshal(commands.Basic.Publish(0, "", "orders", False, False), 1),
    pamqp.frame.marshal(pamqp.body.ContentBody(b"order-1\xce\xce"), 1),
    pamqp.frame.marshal(Heartbeat(), 0),
    pamqp.frame.marshal(commands.Basic.Ack(7, True), 2),
]


@given(st.lists(st.integers(0, len(GREETING) + sum(map(len, SENT)))))
def test_any_cut_gives_the_same_frames(cuts: list[int]) -> None:
    stream = GREETING + b"".join(SENT)
    edges = [0, *sorted(cuts), len(stream)]
    splitter = Splitter(preamble=True)
    found = [
        item
        for start, end in itertools.pairwise(edges)
        for item in splitter.feed(stream[start:end])
    ]
    assert found[0] == GREETING
    frames = [item for item in found[1:] if isinstance(item, Frame)]
    assert [frame.raw for frame in frames] == SENT
    assert [frame.channel for frame in frames] == [1, 1, 1, 1, 0, 2]
    assert splitter.rest() == b""


def test_a_method_is_named_as_the_specification_names_it() -> None:
    for method, name in (
        (commands.Basic.GetEmpty(), "basic.get-empty"),
        (commands.Connection.StartOk({}, "PLAIN", "", "en_US"), "connection.start-ok"),
    ):
        (frame,) = Splitter(preamble=False).feed(pamqp.frame.marshal(method, 1))
        assert isinstance(frame, Frame)
        assert frame.name == name


def test_bytes_that_are_no_frames_can_be_had_back() -> None:
    splitter = Splitter(preamble=False)
    with pytest.raises(NotAmqpError):
        splitter.feed(b"HTTP/1.1 200 OK\r\n")
    assert splitter.rest() == b"HTTP/1.1 200 OK\r\n"


def test_a_frame_without_its_end_is_no_frame() -> None:
    whole = bytearray(SENT[0])
    whole[-1] = 0
    with pytest.raises(NotAmqpError):
        Splitter(preamble=False).feed(bytes(whole))


def test_a_method_nobody_knows_has_no_name_and_keeps_its_bytes() -> None:
    raw = b"\x01\x00\x01\x00\x00\x00\x04\x00\x3c\x03\xe7\xce"
    (frame,) = Splitter(preamble=False).feed(raw)
    assert isinstance(frame, Frame)
    assert (frame.name, frame.raw) == ("", raw)


# What the proxy changes on the way.

REWRITER = Rewriter("sandbox-run-1-ab", "shop", "secret")


def _through(method: object, *, to_broker: bool) -> tuple[bytes, bytes]:
    raw = pamqp.frame.marshal(method, 0)
    (frame,) = Splitter(preamble=False).feed(raw)
    assert isinstance(frame, Frame)
    return raw, REWRITER.to_broker(frame) if to_broker else REWRITER.to_client(frame)


def _decoded(raw: bytes) -> object:
    return pamqp.frame.unmarshal(raw)[2]


def test_the_usual_virtual_host_becomes_the_runs() -> None:
    _, carried = _through(commands.Connection.Open("/"), to_broker=True)
    assert _decoded(carried).virtual_host == "sandbox-run-1-ab"  # type: ignore[attr-defined]


def test_another_virtual_host_stays_and_is_the_brokers_to_refuse() -> None:
    raw, carried = _through(commands.Connection.Open("elsewhere"), to_broker=True)
    assert carried == raw


def test_guest_becomes_the_user_that_the_server_wants() -> None:
    start = commands.Connection.StartOk({}, "PLAIN", "\x00guest\x00guest", "en_US")
    _, carried = _through(start, to_broker=True)
    assert _decoded(carried).response == "\x00shop\x00secret"  # type: ignore[attr-defined]


def test_a_wrong_password_stays_wrong() -> None:
    start = commands.Connection.StartOk({}, "PLAIN", "\x00guest\x00wrong", "en_US")
    raw, carried = _through(start, to_broker=True)
    assert carried == raw


def test_a_refusal_names_the_virtual_host_that_the_learner_knows() -> None:
    text = "NOT_FOUND - no queue 'orders' in vhost 'sandbox-run-1-ab'"
    _, carried = _through(commands.Channel.Close(404, text, 50, 10), to_broker=False)
    expected = "NOT_FOUND - no queue 'orders' in vhost '/'"
    assert _decoded(carried).reply_text == expected  # type: ignore[attr-defined]


def test_everything_else_passes_byte_for_byte() -> None:
    for method in (commands.Basic.Ack(1, False), commands.Channel.Close(200, "bye", 0, 0)):
        for to_broker in (True, False):
            raw, carried = _through(method, to_broker=to_broker)
            assert carried == raw
