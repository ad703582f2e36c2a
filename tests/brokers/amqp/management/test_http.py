"""HTTP itself: requests however they are cut, answers, refusals, and clients that say nothing."""

from __future__ import annotations

import random

import pytest

from sandbox.brokers.amqp.management.connection import MAX_BODY_BYTES
from tests.brokers.amqp.client import World
from tests.brokers.amqp.management.web import Web, read

LOGIN = "authorization: Basic Z3Vlc3Q6Z3Vlc3Q="
WHOAMI = f"GET /api/whoami HTTP/1.1\r\nhost: x\r\n{LOGIN}\r\n\r\n".encode()
ME = {"name": "guest", "tags": ["administrator"]}


def test_a_request_that_comes_byte_by_byte_is_answered_once_it_is_there(web: Web) -> None:
    for number, byte in enumerate(WHOAMI):
        assert web.side.data_to_send() == b"", number
        web.side.receive_data(bytes((byte,)), 0)
    assert web.server.take_writable() == [web.side]
    (reply,) = read(web.side.data_to_send())
    assert (reply.status, reply.body) == (200, ME)


def test_requests_that_come_at_once_are_answered_in_order(web: Web) -> None:
    put = f"PUT /api/queues/%2F/q HTTP/1.1\r\nhost: x\r\n{LOGIN}\r\ncontent-length: 2\r\n\r\n{{}}"
    web.side.receive_data(WHOAMI + put.encode() + WHOAMI, 0)
    assert [reply.status for reply in read(web.side.data_to_send())] == [200, 201, 200]
    assert not web.side.closing


def test_a_connection_closes_after_an_answer_if_the_client_wants(web: Web) -> None:
    web.side.receive_data(WHOAMI.replace(b"host", b"connection: close\r\nhost"), 0)
    assert read(web.side.data_to_send())[0].body == ME
    assert web.side.closing
    assert web.server.connections == {}


def test_a_client_may_ask_whether_to_send_its_body(web: Web) -> None:
    ask = f"PUT /api/queues/%2F/q HTTP/1.1\r\nhost: x\r\n{LOGIN}\r\ncontent-length: 2\r\n"
    web.side.receive_data(f"{ask}expect: 100-continue\r\n\r\n".encode(), 0)
    assert web.side.data_to_send().startswith(b"HTTP/1.1 100 ")
    web.side.receive_data(b"{}", 0)
    assert read(web.side.data_to_send())[0].status == 201


def test_the_answer_to_head_has_the_length_of_the_answer_to_get(web: Web) -> None:
    got, head = web.ask("GET", "/api/vhosts"), web.ask("HEAD", "/api/vhosts")
    assert head.headers["content-length"] == got.headers["content-length"]
    assert web.get("/api/whoami") == ME


def test_what_is_no_http_is_refused_and_cut_off(web: Web) -> None:
    web.side.receive_data(b"AMQP\0\0\x09\x01 this is another protocol\r\n\r\n", 0)
    (reply,) = read(web.side.data_to_send())
    assert (reply.status, reply.headers["connection"]) == (400, "close")
    assert web.side.closing
    web.side.receive_data(WHOAMI, 0)
    assert web.side.data_to_send() == b""


def test_random_bytes_never_raise(world: World) -> None:
    chance = random.Random(7)
    for _ in range(300):
        web = Web(world)
        data = bytearray(WHOAMI * 2)
        for _ in range(chance.randint(1, 8)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        web.side.receive_data(bytes(data), 0)
        web.side.receive_data(chance.randbytes(50), 0)
        web.side.connection_lost(0)


def test_a_body_without_end_is_refused_before_it_is_kept(web: Web) -> None:
    web.side.receive_data(
        f"PUT /api/queues/%2F/q HTTP/1.1\r\nhost: x\r\n{LOGIN}\r\n"
        f"content-length: {MAX_BODY_BYTES * 10}\r\n\r\n".encode(),
        0,
    )
    piece = b" " * 1_000_000
    for _ in range(25):
        web.side.receive_data(piece, 0)
    assert read(web.side.data_to_send())[0].status == 413
    assert web.side.closing


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/nope", 404),
        ("GET", "/nope", 404),
        ("DELETE", "/api/overview", 405),
        ("POST", "/api/vhosts", 405),
        ("OPTIONS", "/api/queues/%2F", 200),
    ],
)
def test_paths_and_methods_that_there_are_not(
    web: Web, method: str, path: str, status: int
) -> None:
    reply = web.ask(method, path)
    assert reply.status == status
    assert status == 404 or "options" in reply.headers["allow"]


@pytest.mark.parametrize("body", [b"{bad", b"[]", b'"text"', b"[" * 100_000])
def test_a_body_that_is_no_object_is_refused(web: Web, body: bytes) -> None:
    headers = {"authorization": LOGIN.partition(": ")[2]}
    reply = web.send("PUT", "/api/queues/%2F/q", body, headers)
    assert (reply.status, reply.body) == (400, {"error": "bad_request", "reason": "not_json"})


def test_a_client_that_says_nothing_for_a_minute_is_cut_off(world: World) -> None:
    web = Web(world)
    minute = 60_000_000_000
    web.side.receive_data(WHOAMI, minute // 2)
    web.server.handle_timer(minute + 1)
    assert not web.side.closing
    assert web.server.next_event_timer() is None
    web.server.handle_timer(minute // 2 + minute)
    assert web.side.closing
    assert web.server.next_timer() is None


def test_the_date_is_the_brokers(world: World) -> None:
    world.broker.epoch_ns = 784_111_777 * 1_000_000_000
    reply = Web(world).ask("GET", "/api/whoami")
    assert reply.headers["date"] == "sun, 06 nov 1994 08:49:37 gmt"


def test_a_restart_breaks_connections_and_keeps_the_port(web: Web, world: World) -> None:
    web.server.restart(0)
    assert web.side.closing
    again = web.server.connect("browser:2", 0)
    again.receive_data(WHOAMI, 0)
    assert read(again.data_to_send())[0].body == ME
