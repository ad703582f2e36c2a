"""What clients do to a server on purpose or by accident costs nobody else anything."""

from __future__ import annotations

import random
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress

import pika
import pytest
import redis

from sandbox.embedded import Server, ServerProcess
from sandbox.embedded.carrier import Client, Service
from sandbox.embedded.limits import Limits, connections_possible

PATIENCE_S = 60
AMQP = b"AMQP\x00\x00\x09\x01"
MQTT_CONNECT = b"\x10\x0f\x00\x04MQTT\x04\x02\x00\x3c\x00\x03bad"
#: How protocols begin, so that garbage gets past the first look.
BEGINNINGS = {
    "rabbitmq": [b"", AMQP, AMQP + b"\x01\x00\x00\xff\xff\xff\xff", b"GET / HTTP/1.1\r\n\r\n"],
    "kafka": [b"", b"\x00\x00\x00\x20\x00\x12\x00\x00", b"\x7f\xff\xff\xff", b"\xff\xff\xff\xff"],
    "mqtt": [b"", b"\x10\xff\xff\xff\x7f", MQTT_CONNECT, MQTT_CONNECT + b"\x32\xff\xff\xff\x7f"],
    "management": [b"", b"GET /api/overview HTTP/1.1\r\n", b"POST /api/definitions HTTP/1.1\r\n"],
    "redis": [b"", b"*3\r\n$3\r\nSET\r\n", b"*1000000000\r\n", b"$99999999999\r\n", b"*-1\r\n"],
}


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen within {PATIENCE_S} s"
        threading.Event().wait(0.01)


def connect(server: Server | ServerProcess, purpose: str) -> socket.socket:
    ports = server.ports if isinstance(server, ServerProcess) else server.engine.ports
    return socket.create_connection((server.options.host, ports[purpose]), PATIENCE_S)


def assert_well(server: Server | ServerProcess) -> None:
    """Every broker still does what it is for."""
    with pika.BlockingConnection(pika.URLParameters(server.url("rabbitmq"))) as connection:
        channel = connection.channel()
        queue = channel.queue_declare("", exclusive=True).method.queue
        channel.basic_publish("", queue, b"still here")
        assert channel.basic_get(queue, auto_ack=True)[2] == b"still here"
    assert redis.Redis.from_url(server.url("redis")).ping()
    with connect(server, "mqtt") as client:
        client.sendall(MQTT_CONNECT)
        assert client.recv(4, socket.MSG_WAITALL) == b"\x20\x02\x00\x00"
    with connect(server, "kafka") as client:
        client.sendall(struct.pack(">ihhih", 10, 18, 0, 7, -1))
        assert struct.unpack(">ii", client.recv(8, socket.MSG_WAITALL))[1] == 7


@pytest.mark.parametrize("purpose", sorted(BEGINNINGS))
@pytest.mark.parametrize("seed", range(4))
def test_random_bytes_end_at_most_their_own_connection(
    server: ServerProcess, purpose: str, seed: int
) -> None:
    chance = random.Random(f"{purpose} {seed}")
    for _ in range(25):
        with connect(server, purpose) as client, suppress(OSError):
            client.sendall(chance.choice(BEGINNINGS[purpose]))
            for _ in range(chance.randrange(4)):
                client.sendall(chance.randbytes(chance.choice((1, 10, 1000, 100_000))))
            if chance.random() < 0.5:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert_well(server)
    assert "fault of the sandbox" not in server.log_text, f"seed {seed}: {server.log_text[-3000:]}"


def test_what_real_clients_say_with_a_few_bytes_changed(server: ServerProcess) -> None:
    said = {
        "redis": b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n*2\r\n$3\r\nGET\r\n$1\r\na\r\n" * 5,
        "rabbitmq": AMQP + _start_ok() + b"\x01\x00\x00\x00\x00\x00\x0c" + bytes(13) + b"\xce",
        "kafka": struct.pack(">ihhih", 10, 18, 0, 7, -1) * 5,
        "mqtt": MQTT_CONNECT + b"\x82\x06\x00\x01\x00\x01a\x01" + b"\x32\x06\x00\x01a\x00\x02x",
        "management": b"GET /api/overview HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n" * 3,
    }
    for purpose, whole in said.items():
        chance = random.Random(purpose)
        for _ in range(100):
            changed = bytearray(whole)
            for _ in range(chance.randrange(1, 4)):
                changed[chance.randrange(len(changed))] = chance.randrange(256)
            with connect(server, purpose) as client, suppress(OSError):
                client.sendall(changed)
    assert_well(server)
    assert "fault of the sandbox" not in server.log_text, server.log_text[-3000:]


def _start_ok() -> bytes:
    payload = b"\x00\x0a\x00\x0b" + bytes(4) + b"\x05PLAIN" + b"\x00\x00\x00\x0c\x00guest\x00guest"
    payload += b"\x05en_US"
    return b"\x01\x00\x00" + struct.pack(">I", len(payload)) + payload + b"\xce"


@pytest.mark.parametrize("purpose", sorted(BEGINNINGS))
def test_a_client_that_closes_its_half_is_answered_and_let_go(
    server: ServerProcess, purpose: str
) -> None:
    asked, answer = {
        "rabbitmq": (AMQP, b"\x01\x00\x00"),
        "redis": (b"PING\r\n", b"+PONG\r\n"),
        "kafka": (struct.pack(">ihhih", 10, 18, 0, 7, -1), b"\x00\x00"),
        "mqtt": (MQTT_CONNECT, b"\x20\x02\x00\x00"),
        "management": (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"HTTP/1.1 "),
    }[purpose]
    with connect(server, purpose) as client:
        client.sendall(asked)
        client.shutdown(socket.SHUT_WR)
        heard = b""
        while piece := client.recv(65536):
            heard += piece
        assert heard.startswith(answer)


def test_a_refusal_reaches_a_client_that_is_still_sending(server: ServerProcess) -> None:
    with connect(server, "rabbitmq") as client:
        client.sendall(b"HTTP" * 100_000)
        client.shutdown(socket.SHUT_WR)
        heard = b""
        while piece := client.recv(65536):
            heard += piece
    assert heard == AMQP


def test_a_thousand_clients_at_once_are_served(server: ServerProcess) -> None:
    count = connections_possible(1000)
    with ExitStack() as stack:
        clients = [stack.enter_context(connect(server, "redis")) for _ in range(count)]
        for client in clients:
            client.sendall(b"PING\r\n")
        for client in clients:
            assert client.recv(7, socket.MSG_WAITALL) == b"+PONG\r\n"
        assert_well(server)


def test_more_clients_than_there_is_room_for_are_turned_away_and_told_of() -> None:
    with Server(only=("redis",), max_connections=3) as server:
        with ExitStack() as stack:
            clients = [stack.enter_context(connect(server, "redis")) for _ in range(3)]
            for client in clients:
                client.sendall(b"PING\r\n")
                assert client.recv(7, socket.MSG_WAITALL) == b"+PONG\r\n"
            with connect(server, "redis") as one_more, suppress(ConnectionResetError):
                assert one_more.recv(1) == b""
        until(lambda: server.run(lambda engine: engine.connections) == 0, "the end of all three")
        assert redis.Redis.from_url(server.url("redis")).ping()
        assert any("no more than 3 clients at once" in line for line in server.log_lines)


@pytest.fixture
def little_patience(monkeypatch: pytest.MonkeyPatch) -> Limits:
    """Servers that cut clients off early, so that tests need not send gigabytes."""
    limits = Limits(high_water_bytes=1 << 16, most_unsent_bytes=1 << 22)
    begin = Service.__init__

    def small(self: Service, *args: object, **options: object) -> None:
        begin(self, *args, **{**options, "limits": limits})  # type: ignore[arg-type]

    monkeypatch.setattr(Service, "__init__", small)
    return limits


def unsent(server: Server, name: str) -> int:
    def look(clients: dict[int, Client]) -> int:
        return max((client.unsent_bytes for client in clients.values()), default=0)

    return server.run(lambda engine: look(engine.services[name].clients))


def test_a_client_that_asks_and_does_not_read_is_not_read_any_more(
    little_patience: Limits,
) -> None:
    with Server(only=("redis",)) as server:
        redis.Redis.from_url(server.url("redis")).set("large", bytes(400))
        with connect(server, "redis") as client:
            client.setblocking(False)
            asked = 0
            stuck_since = time.monotonic()
            request = b"GET large\r\n" * 100
            while time.monotonic() - stuck_since < 1:
                try:
                    asked += client.send(request)
                    stuck_since = time.monotonic()
                except BlockingIOError:
                    threading.Event().wait(0.01)
                except ConnectionError:
                    pytest.fail("it was cut off, though it can be made to wait")
                assert asked < 100 << 20, "it is read without end"
            # What one read brought was answered whole, and no more was read.
            assert unsent(server, "redis") < 400 * 50_000


def test_a_subscriber_that_does_not_read_is_cut_off_and_told_of(little_patience: Limits) -> None:
    with Server(only=("redis",)) as server:
        publisher = redis.Redis.from_url(server.url("redis"))
        with connect(server, "redis") as subscriber:
            subscriber.sendall(b"SUBSCRIBE news\r\n")
            until(lambda: publisher.publish("news", "x") == 1, "the subscription")
            until(
                lambda: publisher.publish("news", bytes(1 << 20)) == 0,
                "the end of the slow subscriber",
            )
        assert any("is cut off: it does not read" in line for line in server.log_lines)
        assert publisher.ping()


def test_a_fault_in_a_broker_costs_one_client_its_connection_and_is_told(
    own_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    well = redis.Redis.from_url(own_server.url("redis"))
    well.ping()
    connection_type = own_server.run(lambda e: type(next(iter(e.brokers["redis"].connections))))
    receive = connection_type.receive_data

    def faulty(self: object, data: bytes, now_ns: int) -> None:
        if b"explode" in data:
            raise ZeroDivisionError("a fault made for a test")
        receive(self, data, now_ns)

    monkeypatch.setattr(connection_type, "receive_data", faulty)
    with connect(own_server, "redis") as client:
        client.sendall(b"explode\r\n")
        with suppress(ConnectionResetError):
            assert client.recv(1) == b""
    assert well.ping()
    told = [line for line in own_server.log_lines if "fault of the sandbox" in line]
    assert len(told) == 1
    assert "a fault made for a test" in told[0]


def test_a_consumer_that_does_not_read_leaves_messages_in_their_queue(
    little_patience: Limits,
) -> None:
    body = bytes(10_000)
    count = 4 * little_patience.most_unsent_bytes // len(body)
    with Server(only=("rabbitmq",)) as server:
        url = server.url("rabbitmq")
        with (
            pika.BlockingConnection(pika.URLParameters(url)) as publishing,
            pika.BlockingConnection(pika.URLParameters(url)) as consuming,
        ):
            channel = publishing.channel()
            channel.queue_declare("q")
            for _ in range(count):
                channel.basic_publish("", "q", body)
            seen = []
            consumer = consuming.channel()
            consumer.basic_consume("q", lambda *message: seen.append(message[3]), auto_ack=True)
            # pika reads nothing while nobody asks it to.
            left = channel.queue_declare("q", passive=True).method.message_count
            assert left > count // 2
            assert unsent(server, "rabbitmq") < 2 * little_patience.high_water_bytes
            while len(seen) < count:
                consuming.process_data_events(PATIENCE_S)
            assert channel.queue_declare("q", passive=True).method.message_count == 0
            # Nothing was forgotten: what comes now is delivered as well.
            channel.basic_publish("", "q", b"last")
            while seen[-1] != b"last":
                consuming.process_data_events(PATIENCE_S)
        assert not any("cut off" in line for line in server.log_lines)
