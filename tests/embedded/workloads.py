"""Programs that write to a broker until it is killed, and know what it had confirmed by then.

A `Workload` runs in a thread beside the one that kills the server. After the next start `check`
compares what is there with what was confirmed: everything that was must be there, and what was
under way when the server died may be.
"""

from __future__ import annotations

import socket
import threading
import time
from collections import deque
from contextlib import suppress

import pika
import pika.exceptions
import redis

from sandbox.brokers.kafka.records import Record, build_batch, parse_batches
from sandbox.embedded import ServerProcess
from tests.brokers.kafka.client import Client

PATIENCE_S = 60


class Workload:
    """Writes numbers, counting up over all rounds."""

    def __init__(self) -> None:
        #: How many rounds had anything confirmed.
        self.eventful_rounds = 0
        self.confirmed = 0
        self._thread: threading.Thread | None = None
        self._over = threading.Event()
        self._before = 0
        self._broken_off = threading.Event()
        self._error: BaseException | None = None
        self._broken: BaseException | None = None

    def begin(self, server: ServerProcess) -> None:
        """Write, from now until the server dies."""
        self._over.clear()
        self._broken_off.clear()
        self._before = self.confirmed
        self._thread = threading.Thread(target=self._run, args=(server,))
        self._thread.start()

    def until_confirmed(self, count: int) -> None:
        """Wait until so many of this round are confirmed."""
        while self.confirmed - self._before < count:
            if self._broken_off.is_set():
                self._over.set()
                assert self._thread is not None
                self._thread.join(PATIENCE_S)
                raise AssertionError("it broke off") from self._error
            self._broken_off.wait(0.01)

    def end(self) -> None:
        """The server is dead."""
        self._over.set()
        assert self._thread is not None
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive(), f"{type(self).__name__} goes on without a server"
        if self._broken is not None:
            raise self._broken
        self.eventful_rounds += self.confirmed > self._before

    def _run(self, server: ServerProcess) -> None:
        try:
            self.write(server)
        except BaseException as error:
            self._error = error
            self._broken_off.set()
            if not self._over.wait(PATIENCE_S):  # It broke before the server was killed.
                self._broken = error

    def write(self, server: ServerProcess) -> None:
        """Write until an exception says that the server is gone."""
        raise NotImplementedError

    def check(self, server: ServerProcess) -> None:
        """Compare what is there with what was confirmed."""
        raise NotImplementedError


class RabbitMQ(Workload):
    """Publishes persistent messages with confirms; now and then takes the oldest for good."""

    def __init__(self) -> None:
        super().__init__()
        self._first = 0  # everything before this is acknowledged, and the broker said it knows
        self._first_possible = 0
        self._next = 0

    def write(self, server: ServerProcess) -> None:
        connection = pika.BlockingConnection(pika.URLParameters(server.url("rabbitmq")))
        channel = connection.channel()
        channel.confirm_delivery()
        channel.queue_declare("kept", durable=True)
        persistent = pika.BasicProperties(delivery_mode=2)
        while True:
            for _ in range(5):
                self._next += 1
                channel.basic_publish("", "kept", b"%d" % (self._next - 1), persistent)
                self.confirmed = self._next
            method, _, body = channel.basic_get("kept")
            self._first_possible = int(body) + 1
            channel.basic_ack(method.delivery_tag)
            # An ack is not answered; whatever is answered after it says that it arrived.
            channel.queue_declare("kept", durable=True, passive=True)
            self._first = self._first_possible

    def check(self, server: ServerProcess) -> None:
        with pika.BlockingConnection(pika.URLParameters(server.url("rabbitmq"))) as connection:
            channel = connection.channel()
            channel.queue_declare("kept", durable=True)
            found = []
            while (got := channel.basic_get("kept"))[0] is not None:
                found.append(int(got[2]))
            channel.close()  # Everything goes back.
        if not self._next:
            assert not found
            return
        first = found[0] if found else self._first_possible
        end = found[-1] + 1 if found else first
        assert found == list(range(first, end)), "messages are lost or doubled"
        assert self._first <= first <= self._first_possible
        assert self.confirmed <= end <= self._next, f"{self.confirmed - end} confirmed ones lost"
        self._first = self._first_possible = first
        self._next = self.confirmed = end


class Redis(Workload):
    """Appends to a list and takes from its other end, counts, and sets what expires later."""

    def __init__(self) -> None:
        super().__init__()
        self._pushed_possible = 0
        self._popped = 0
        self._popped_possible = 0

    def write(self, server: ServerProcess) -> None:
        client = redis.Redis.from_url(server.url("redis"), retry=None)
        while True:
            self._pushed_possible += 1
            with client.pipeline() as both:  # MULTI ... EXEC: both or neither
                both.rpush("kept", self._pushed_possible - 1)
                both.set("count", self._pushed_possible, ex=3600)
                both.execute()
            self.confirmed = self._pushed_possible
            if self.confirmed % 3 == 0:
                self._popped_possible = self._popped + 1
                assert client.lpop("kept") == b"%d" % self._popped
                self._popped = self._popped_possible

    def check(self, server: ServerProcess) -> None:
        client = redis.Redis.from_url(server.url("redis"))
        found = [int(item) for item in client.lrange("kept", 0, -1)]  # type: ignore[union-attr]
        count = int(client.get("count") or 0)  # type: ignore[arg-type]
        first = found[0] if found else self._popped_possible
        assert found == list(range(first, first + len(found))), "items are lost or doubled"
        assert self._popped <= first <= self._popped_possible
        assert self.confirmed <= count <= self._pushed_possible, "a confirmed transaction is lost"
        assert count == first + len(found), "half a transaction is kept"
        if count:
            assert 0 < int(client.ttl("count")) <= 3600  # type: ignore[arg-type]
        client.close()
        self._popped = self._popped_possible = first
        self._pushed_possible = self.confirmed = count


class Kafka(Workload):
    """Produces with acks=all and commits offsets."""

    def __init__(self) -> None:
        super().__init__()
        self._next = 0
        self._checked = 0
        self._committed = 0
        self._committed_possible = 0

    def write(self, server: ServerProcess) -> None:
        with KafkaClient(server) as client:
            while True:
                for _ in range(5):
                    self._next += 1
                    # Of now: what is older than a week is not kept.
                    now_ms = time.time_ns() // 1_000_000
                    batch = build_batch([Record(0, now_ms, None, b"%d" % (self._next - 1))])
                    answer = client.produce("kept", batch)
                    assert answer.error_code == 0
                    self.confirmed = self._next
                self._committed_possible = self.confirmed
                assert client.commit("readers", "kept", self.confirmed) == 0
                self._committed = self._committed_possible

    def check(self, server: ServerProcess) -> None:
        with KafkaClient(server) as client:
            if client.create_topic("kept").error_code == 0:
                assert not self._next, "the topic is lost"
            found: list[int] = []
            while True:
                answer = client.fetch("kept", self._checked + len(found))
                assert answer.error_code == 0, answer
                if not answer.records:
                    break
                found += [
                    int(record.value or b"")
                    for batch in parse_batches(answer.records)
                    for record in batch.records()
                ]
            committed = max(0, client.committed("readers", "kept")[0])
        end = self._checked + len(found)
        assert found == list(range(self._checked, end)), "records are lost or doubled"
        assert self.confirmed <= end <= self._next, f"{self.confirmed - end} confirmed ones lost"
        assert self._committed <= committed <= self._committed_possible, "a commit is lost"
        self._checked = self._next = self.confirmed = end
        self._committed = self._committed_possible = committed


class KafkaClient(Client):
    """Kafka's requests over TCP, one at a time.

    Client libraries go on trying after the server is gone, for minutes; this one breaks at once.
    """

    def __init__(self, server: ServerProcess) -> None:
        self.name = "workload"
        self.incoming = b""
        self._correlation_id = 0
        self._sent = {}
        address = (server.options.host, server.ports["kafka"])
        self._socket = socket.create_connection(address, PATIENCE_S)

    def feed(self, data: bytes) -> None:
        self._socket.sendall(data)
        while len(self.incoming) < 4 or len(self.incoming) < 4 + int.from_bytes(self.incoming[:4]):
            piece = self._socket.recv(1 << 20)
            if not piece:
                raise ConnectionResetError("the server is gone")
            self.incoming += piece

    def __enter__(self) -> KafkaClient:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()


class Mqtt(Workload):
    """Publishes with QoS 1 for a subscriber that is away, and retains the last number."""

    #: A server keeps a thousand messages for somebody who is away.
    MOST = 800

    def __init__(self) -> None:
        super().__init__()
        self._next = 0
        self._heard = 0
        self._last = 0  # what the server said it retains, at least

    def write(self, server: ServerProcess) -> None:
        with MqttClient(server, "writer") as client:
            while self._next - self._heard < self.MOST:
                self._next += 1
                client.publish("kept/all", b"%d" % (self._next - 1))
                self.confirmed = self._next
                client.publish("kept/last", b"%d" % self._next, retain=True)
                self._last = self._next
            self._over.wait(PATIENCE_S)

    def check(self, server: ServerProcess) -> None:
        with MqttClient(server, "reader", clean=False) as reader:
            with MqttClient(server, "finisher") as finisher:
                if not reader.session_present:
                    assert not self._next, "the session is lost"
                    reader.subscribe("kept/all")
                finisher.subscribe("kept/last")
                finisher.publish("kept/all", b"end")
                last = int(finisher.receive()[1]) if self._last else 0
            found = []
            while (message := reader.receive()[1]) != b"end":
                found.append(int(message))
            # An acknowledgement is not answered; without this, "end" might come again.
            reader.ping()
        assert found == sorted(found), "messages come in another order"
        end = found[-1] + 1 if found else self._heard
        assert sorted(set(found)) == list(range(self._heard, end)), "messages are lost"
        assert self.confirmed <= end <= self._next
        assert self._last <= last <= end, "a retained message is lost"
        self._heard = self._next = self.confirmed = end
        self._last = last


class MqttClient:
    """MQTT 3.1.1 over TCP, one packet at a time. [mqtt-v3.1.1-os 2.2, 3]"""

    def __init__(self, server: ServerProcess, name: str, *, clean: bool = True) -> None:
        address = (server.options.host, server.ports["mqtt"])
        self._socket = socket.create_connection(address, PATIENCE_S)
        self._bytes = self._socket.makefile("rb")
        self._packets: deque[tuple[int, bytes]] = deque()
        self._last_id = 0
        flags = bytes([2 * clean])
        self._send(0x10, b"\x00\x04MQTT\x04" + flags + b"\x00\x00" + _text(name.encode()))
        self.session_present = bool(self._await(0x20)[0])

    def subscribe(self, pattern: str) -> None:
        self._send(0x82, b"\x00\x01" + _text(pattern.encode()) + b"\x01")
        assert self._await(0x90)[2] == 1

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish with QoS 1, and wait until the server has it."""
        self._last_id = self._last_id % 65535 + 1
        number = self._last_id.to_bytes(2)
        self._send(0x32 | retain, _text(topic.encode()) + number + payload)
        assert self._await(0x40) == number

    def ping(self) -> None:
        """Wait until the server has done all that was asked before."""
        self._send(0xC0, b"")
        self._await(0xD0)

    def receive(self) -> tuple[str, bytes]:
        """The next message's topic and payload; acknowledges it."""
        body = self._await(0x30)
        size = int.from_bytes(body[:2])
        topic, number, payload = body[2 : 2 + size], body[2 + size : 4 + size], body[4 + size :]
        self._send(0x40, number)
        return topic.decode(), payload

    def _send(self, head: int, body: bytes) -> None:
        size, length = len(body), bytearray()
        while not length or size:
            length.append(size % 128 | (0x80 if size > 127 else 0))
            size //= 128
        self._socket.sendall(bytes([head]) + length + body)

    def _await(self, kind: int) -> bytes:
        """The next packet of that kind; others wait for their turn."""
        for packet in self._packets:
            if packet[0] & 0xF0 == kind:
                self._packets.remove(packet)
                return packet[1]
        while True:
            head = self._read(1)[0]
            size, shift = 0, 0
            while True:
                byte = self._read(1)[0]
                size |= (byte & 0x7F) << shift
                shift += 7
                if byte < 0x80:
                    break
            body = self._read(size)
            if head & 0xF0 == kind:
                return body
            self._packets.append((head, body))

    def _read(self, size: int) -> bytes:
        data = self._bytes.read(size)
        if len(data) < size:
            raise ConnectionResetError("the server is gone")
        return data

    def __enter__(self) -> MqttClient:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._send(0xE0, b"")
        self._bytes.close()
        self._socket.close()


def _text(text: bytes) -> bytes:
    return len(text).to_bytes(2) + text


WORKLOADS = {"rabbitmq": RabbitMQ, "redis": Redis, "kafka": Kafka, "mqtt": Mqtt}
