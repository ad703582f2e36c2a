"""Requests are cut out of a byte stream whole, named, and told apart from questions."""

from __future__ import annotations

import socket
import struct

import pytest

from sandbox.stack.live.tapped import TappedConnection
from sandbox.stack.live.taps import KafkaTap, MQTTTap, RedisTap, Tap


def _redis(*words: str) -> bytes:
    return b"*%d\r\n" % len(words) + b"".join(
        b"$%d\r\n%b\r\n" % (len(word), word.encode()) for word in words
    )


def _kafka(api: int, version: int, number: int, rest: bytes = b"") -> bytes:
    body = struct.pack(">hhih", api, version, number, 2) + b"me" + rest
    return struct.pack(">i", len(body)) + body


def _answer(number: int, rest: bytes = b"") -> bytes:
    return struct.pack(">ii", 4 + len(rest), number) + rest


@pytest.mark.parametrize(
    ("tap", "requests", "names"),
    [
        (RedisTap, [_redis("set", "a", "b\r\nc"), _redis("GET", "a")], ["redis SET", "redis GET"]),
        (RedisTap, [b"PING\r\n", _redis("XADD", "s", "*", "f", "")], ["redis PING", "redis XADD"]),
        (MQTTTap, [b"\x30\x03\x00\x01t", b"\xc0\x00"], ["mqtt PUBLISH", "mqtt PINGREQ"]),
        (MQTTTap, [b"\x30\x80\x01" + bytes(128)], ["mqtt PUBLISH"]),
        (KafkaTap, [_kafka(12, 4, 1), _kafka(99, 0, 2)], ["kafka Heartbeat", "kafka request 99"]),
    ],
)
def test_requests_are_whole_however_the_bytes_are_cut(
    tap: type[Tap], requests: list[bytes], names: list[str]
) -> None:
    stream = b"".join(requests)
    for step in (1, 2, 7, len(stream)):
        one = tap()
        found = [
            request
            for start in range(0, len(stream), step)
            for request in one.sent(stream[start : start + step])
        ]
        assert [request.data for request in found] == requests
        assert [request.name for request in found] == names


def test_redis_that_takes_in_vain_has_no_news() -> None:
    tap = RedisTap()
    (request,) = tap.sent(_redis("BLPOP", "jobs", "1"))
    assert request.poll
    assert tap.waiting_for is None
    assert tap.received(b"*-1\r\n")
    list(tap.sent(_redis("BLPOP", "jobs", "1")))
    assert not tap.received(b"*2\r\n$4\r\njobs\r\n$1\r\na\r\n")


def test_redis_is_waited_for_until_it_answers() -> None:
    tap = RedisTap()
    (request,) = tap.sent(_redis("INCR", "a"))
    assert not request.poll
    assert tap.waiting_for == "Redis's answer to INCR"
    tap.received(b":1\r\n")
    assert tap.waiting_for is None


def test_a_fetch_without_records_is_no_news() -> None:
    tap = KafkaTap()
    assert next(tap.sent(_kafka(1, 12, 7))).poll
    assert tap.received(_answer(7, bytes(20)))
    list(tap.sent(_kafka(1, 12, 8)))
    answer = _answer(8, bytes(500))
    assert tap.received(answer[:100])
    assert not tap.received(answer[100:])


def test_kafka_does_not_answer_a_produce_that_wants_no_acknowledgement() -> None:
    for version, rest in ((7, b"\xff\xff"), (9, b"\x00\x00")):
        for acks, waiting in ((0, None), (-1, "Kafka's answer to Produce"), (1, "Kafka's answer")):
            tap = KafkaTap()
            (request,) = tap.sent(_kafka(0, version, 3, rest + struct.pack(">hi", acks, 1)))
            assert not request.poll
            assert (tap.waiting_for or "").startswith(waiting or "")
            assert bool(tap.waiting_for) == bool(waiting)
            tap.received(_answer(3))
            assert tap.waiting_for is None


def test_a_member_of_a_group_is_known_by_what_it_said() -> None:
    tap = KafkaTap()
    list(tap.sent(_kafka(14, 5, 1, b"shop\x00\x00me-123")))
    assert tap.knows("me-123")
    assert not tap.knows("me-456")


def test_mqtt_pings_are_no_news_and_qos_0_wants_no_answer() -> None:
    tap = MQTTTap()
    (ping,) = tap.sent(b"\xc0\x00")
    assert ping.poll
    assert tap.received(b"\xd0\x00")
    list(tap.sent(b"\x30\x03\x00\x01t"))
    assert tap.waiting_for is None
    list(tap.sent(b"\x32\x05\x00\x01t\x00\x01"))
    assert tap.waiting_for == "the MQTT server's answer to PUBLISH"


class Owner:
    """A process that writes down what it is told, and dies at one request."""

    def __init__(self, dies_at: str = "") -> None:
        self.dies_at = dies_at
        self.moments: list[str] = []

    def moment(self, kind: str) -> bool:
        self.moments.append(kind)
        return kind != self.dies_at

    def noticed(self, *, poll: bool) -> None:
        pass

    def looked(self) -> None:
        pass


@pytest.mark.needs_os
@pytest.mark.parametrize(
    ("tap", "nonsense"), [(RedisTap, b"*x\r\n$y\r\n" + bytes(40)), (KafkaTap, b"\xff" * 40)]
)
def test_bytes_that_are_nothing_of_the_kind_pass_as_they_are(
    tap: type[Tap], nonsense: bytes
) -> None:
    client, near = socket.socketpair()
    far, broker = socket.socketpair()
    carried = TappedConnection(near, far, owner=Owner(), tap=tap())
    client.sendall(nonsense)
    carried.drain_client()
    broker.settimeout(60)
    got = b""
    while len(got) < len(nonsense):
        got += broker.recv(1000)
    assert got == nonsense
    for each in (client, broker):
        each.close()
    carried.close()


@pytest.mark.needs_os
def test_a_process_dies_just_before_a_request_and_nothing_of_it_arrives() -> None:
    client, near = socket.socketpair()
    far, broker = socket.socketpair()
    owner = Owner(dies_at="redis INCR")
    carried = TappedConnection(near, far, owner=owner, tap=RedisTap())
    client.sendall(_redis("SET", "a", "1") + _redis("INCR", "a") + _redis("DEL", "a"))
    carried.drain_client()
    broker.settimeout(60)
    assert broker.recv(1000) == _redis("SET", "a", "1")
    assert owner.moments == ["redis SET", "redis INCR"]
    client.close()
    carried.close()
    assert broker.recv(1000) == b""
    broker.close()
