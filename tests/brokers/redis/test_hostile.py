"""Whatever bytes come, cut wherever: no exception, an answer or an end, and others are served."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.brokers.redis.commands import COMMANDS
from sandbox.brokers.redis.requests import ProtocolError, RequestReader
from tests.brokers.redis.client import new_world, request

_WORDS = st.one_of(
    st.sampled_from(sorted({word for name in COMMANDS for word in name.split()})),
    st.sampled_from(
        ["k", "0", "-1", "*", "$", ">", "GROUP", "STREAMS", "BLOCK", "COUNT", "", "1-1"]
    ),
    st.integers(-(2**70), 2**70).map(str),
    st.binary(max_size=20),
)
_REQUESTS = st.lists(_WORDS, min_size=1, max_size=8).map(lambda words: request(*words))
_BITS = st.one_of(
    _REQUESTS,
    st.binary(max_size=60),
    st.sampled_from(
        [
            b"*1\r\n", b"*-1\r\n", b"*0\r\n", b"*2\r\n$3\r\nGET\r\n", b"*1048577\r\n", b"$5\r\n",
            b"*1\r\n$536870913\r\n", b"*1\r\n$536870912\r\n", b"*1\r\n*1\r\n$4\r\nPING\r\n",
            b"PING\r\n", b'SET "a\\x41" b\r\n', b"\r\n\r\n",
            b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$2\r\n\r\n\r\n",
            b"*1\r\n$0004\r\nPING\r\n", b"*+1\r\n", b"* 1\r\n", b"%1\r\n", b"\x00" * 70_000,
        ]
    ),
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(_BITS, max_size=8), st.lists(st.integers(1, 40), max_size=10))
def test_hostile_bytes_harm_nobody_else(bits: list[bytes], cuts: list[int]) -> None:
    world = new_world()
    hostile, other = world.connect(), world.connect()
    data = b"".join(bits)
    for cut in cuts:
        hostile.side.receive_data(data[:cut], world.now_ns)
        data = data[cut:]
    hostile.side.receive_data(data, world.now_ns)
    world.carry()
    hostile.lose()
    # It may have stopped everybody, or asked for a password; but not broken anything.
    world.broker.paused = None
    world.advance(0)
    assert other.side.closing or other.feed(request("PING")) != b"" or world.broker.held
    errors = [event["error"] for event in world.of_kind("engine.error")]
    assert errors == []


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.lists(st.binary(max_size=30), min_size=1, max_size=5), max_size=6),
    st.lists(st.integers(1, 50), max_size=20),
)
def test_requests_are_read_the_same_however_they_are_cut(
    requests: list[list[bytes]], cuts: list[int]
) -> None:
    data = b"".join(request(*each) for each in requests)
    whole, cut_up = RequestReader(), RequestReader()
    whole.feed(data)
    found: list[list[bytes]] = []
    for cut in [*cuts, len(data)]:
        cut_up.feed(data[:cut])
        data = data[cut:]
        while (fields := cut_up.next_request()) is not None:
            found.append(fields)
    assert found == requests
    read = []
    while (fields := whole.next_request()) is not None:
        read.append(fields)
    assert read == requests
    assert whole.waiting == cut_up.waiting == 0


@given(st.binary(max_size=200))
def test_a_line_of_anything_is_words_or_an_error(line: bytes) -> None:
    reader = RequestReader()
    reader.feed(line + b"\r\n")
    told = ""
    try:
        while reader.next_request() is not None:
            pass
    except ProtocolError as error:
        told = str(error)
    assert told == "" or told.startswith("Protocol error")
