"""Hostile bytes: whatever comes, the broker answers or hangs up, and goes on for everybody else."""

from __future__ import annotations

import struct
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.brokers.kafka.codec import APIS
from sandbox.brokers.kafka.framing import MAX_REQUEST_BYTES
from tests.brokers.kafka.client import World, batch

CALM = settings(deadline=None, suppress_health_check=list(HealthCheck))
HEADER = struct.Struct(">hhih")
APIS_AND_VERSIONS = [
    (api.key, version) for api in APIS.values() for version in range(api.lowest, api.highest + 1)
]
#: Small numbers, lengths and text are what gets far into a request.
PIECES = st.one_of(
    st.binary(max_size=12),
    st.sampled_from(
        [b"\0", b"\0\0\0\1", b"\xff\xff", b"\xff\xff\xff\xff", b"\0\6orders", b"\7orders"]
    ),
    st.integers(-(2**31), 2**31 - 1).map(lambda n: struct.pack(">i", n)),
    st.integers(-4, 300).map(lambda n: struct.pack(">h", n)),
)


def still_works(world: World) -> None:
    other = world.connect("other")
    name = f"topic-{len(world.cluster.topics)}"
    assert other.create_topic(name).error_code == 0
    assert other.produce(name, [b"still here"]).error_code == 0
    world.advance(400)


def frame(data: bytes) -> bytes:
    return struct.pack(">i", len(data)) + data


@CALM
@given(st.lists(st.binary(max_size=60), max_size=8))
def test_any_bytes_are_survived(pieces: list[bytes]) -> None:
    world = World()
    client = world.connect()
    for data in pieces:
        client.feed(data)
    still_works(world)


@CALM
@given(st.sampled_from(APIS_AND_VERSIONS), st.lists(PIECES, max_size=20))
def test_any_body_of_any_request_is_survived(api: tuple[int, int], pieces: list[bytes]) -> None:
    world = World()
    world.connect("admin").create_topic("orders", 2)
    client = world.connect()
    client.feed(frame(HEADER.pack(*api, 1, -1) + b"".join(pieces)))
    still_works(world)


class Recorder:
    """Requests as a client wrote them."""

    def __init__(self) -> None:
        world = World()
        client = world.connect()
        self.requests: list[bytes] = []
        feed = client.feed

        def keep(data: bytes) -> None:
            self.requests.append(data)
            feed(data)

        client.feed = keep  # type: ignore[method-assign]
        self._talk(client)

    def _talk(self, client: Any) -> None:
        client.create_topic("orders", 2, retention_ms="1000")
        client.produce("orders", batch(b"a", b"b", producer=(1, 0), sequence=0))
        client.fetch("orders", 0)
        client.commit("billing", "orders", 1)
        client.committed("billing", "orders")
        member = client.enter("shop")
        client.sync("shop", member, 1, {member: b"x"})
        client.init_producer("t")
        client.call("Metadata", {"topics": None})
        client.call("DescribeGroups", {"groups": ["shop"], "include_authorized_operations": False})


REQUESTS = Recorder().requests


@CALM
@given(st.sampled_from(REQUESTS), st.data())
def test_a_request_with_changed_bytes_is_survived(request: bytes, data: st.DataObject) -> None:
    world = World()
    world.connect("admin").create_topic("orders", 2)
    changed = bytearray(request)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(4, len(changed) - 1))
        changed[at] = data.draw(st.integers(0, 255))
    client = world.connect()
    client.feed(bytes(changed))
    still_works(world)


@CALM
@given(st.sampled_from(REQUESTS), st.data())
def test_a_request_that_is_cut_short_is_survived(request: bytes, data: st.DataObject) -> None:
    world = World()
    end = data.draw(st.integers(4, len(request) - 1))
    client = world.connect()
    client.feed(frame(request[4:end]))
    client.side.connection_lost(world.now_ns)
    still_works(world)


@CALM
@given(st.integers(-(2**31), 2**31 - 1).filter(bool))
def test_a_length_that_no_request_has_ends_the_connection(length: int) -> None:
    world = World()
    client = world.connect()
    client.feed(struct.pack(">i", length))
    assert client.side.closing == (not 0 <= length <= MAX_REQUEST_BYTES)
    still_works(world)
