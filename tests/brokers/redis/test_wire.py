"""Requests and replies on the wire, good ones and hostile ones."""

from __future__ import annotations

from random import Random

import pytest

from sandbox.brokers.redis.commands import COMMANDS
from sandbox.brokers.redis.requests import ProtocolError, RequestReader, split_arguments
from tests.brokers.redis.client import Client, World, request


def test_binary_values_survive(client: Client) -> None:
    value = bytes(range(256)) + b"\r\n+OK\r\n"
    client.ask("SET", b"\x00key\r\n", value)
    assert client.ask("GET", b"\x00key\r\n") == value


def test_requests_may_be_cut_anywhere(client: Client) -> None:
    data = request("SET", "k", "v" * 50) + request("GET", "k") + b"PING\r\n"
    out = b"".join(client.feed(data[n : n + 1]) for n in range(len(data)))
    assert out == b"+OK\r\n$50\r\n" + b"v" * 50 + b"\r\n+PONG\r\n"


def test_a_pipeline_is_answered_in_order(client: Client) -> None:
    data = b"".join(request("INCR", "n") for _ in range(100))
    assert client.feed(data) == b"".join(b":%d\r\n" % n for n in range(1, 101))


def test_types_of_resp3_and_of_resp2(world: World) -> None:
    two, three = world.connect(), world.connect(resp=3)
    two.ask("HSET", "h", "a", "1")
    two.ask("ZADD", "z", "0.1", "m")
    two.ask("SADD", "s", "b", "a")
    assert two.feed(request("HGETALL", "h")) == b"*2\r\n$1\r\na\r\n$1\r\n1\r\n"
    assert three.feed(request("HGETALL", "h")) == b"%1\r\n$1\r\na\r\n$1\r\n1\r\n"
    assert two.ask("ZSCORE", "z", "m") == b"0.10000000000000001"
    assert three.feed(request("ZSCORE", "z", "m")) == b",0.10000000000000001\r\n"
    assert three.feed(request("SMEMBERS", "s")) == b"~2\r\n$1\r\na\r\n$1\r\nb\r\n"
    assert two.feed(request("GET", "nothing")) == b"$-1\r\n"
    assert three.feed(request("GET", "nothing")) == b"_\r\n"
    assert two.feed(request("BLPOP", "nothing", "0.001")) == b""
    world.advance(1)
    assert two.incoming == b"*-1\r\n"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"*x\r\n", "invalid multibulk length"),
        (b"*2\r\nGET\r\n", "expected '$', got 'G'"),
        (b"*1\r\n$-5\r\n", "invalid bulk length"),
        (b"*1\r\n$99999999999999\r\n", "invalid bulk length"),
        (b'set k "open\r\n', "unbalanced quotes in request"),
        (b"x" * 70_000, "too big inline request"),
    ],
)
def test_what_is_no_request_ends_the_connection_in_redis_words(
    client: Client, data: bytes, text: str
) -> None:
    assert client.feed(data) == f"-ERR Protocol error: {text}\r\n".encode()
    assert client.side.closing


def test_random_bytes_never_raise(world: World) -> None:
    random = Random(7)
    pieces = [b"*", b"$", b"\r\n", b"1", b"3", b"GET", b"-", b'"', b"\x00\xff", b"EVAL"]
    for _ in range(300):
        client = world.connect()
        client.feed(b"".join(random.choice(pieces) for _ in range(40)))
        client.lose()
    assert world.connect().ask("PING") == "PONG"


def test_wrong_arguments_to_every_command_are_answered(world: World) -> None:
    for name in sorted(COMMANDS):
        for arguments in ((), ("k",), ("k", b"\xff"), ("k", "-1", "x"), ("0", "1", "2", "3", "4")):
            client = world.connect()
            client.feed(request(*name.split(), *arguments))
            client.lose()
    assert world.connect().ask("PING") == "PONG"
    assert world.of_kind("engine.error") == []


def test_a_line_typed_by_hand() -> None:
    assert split_arguments(rb"""set "a b\x41\n" 'it\'s' """) == [b"set", b"a bA\n", b"it's"]


def test_who_has_not_authenticated_gets_little_room() -> None:
    reader = RequestReader()
    reader.feed(b"*1\r\n$20000\r\n")
    with pytest.raises(ProtocolError, match="unauthenticated bulk length"):
        reader.next_request(trusted=False)
