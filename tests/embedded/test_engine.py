"""The server as a whole: it starts with all or nothing, and ends leaving nothing behind."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest
import redis

from sandbox.embedded import EmbeddedError, Server, ServerProcess
from sandbox.embedded.errors import CannotKeep
from sandbox.embedded.makers import KINDS
from sandbox.embedded.options import Options

PATIENCE_S = 60


def test_every_broker_keeps_its_state_when_asked_to(tmp_path: Path) -> None:
    with Server(data=tmp_path, kafka_brokers=3) as server:
        assert server.run(lambda engine: engine.forgetful) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        ["lock", *(f"{name}.journal" for name in KINDS)]
    )


def test_the_usual_ports_are_the_real_servers() -> None:
    usual = {purpose: port for kind in KINDS.values() for purpose, port in kind.ports.items()}
    assert usual == {
        "rabbitmq": 5672,
        "management": 15672,
        "kafka": 9092,
        "redis": 6379,
        "mqtt": 1883,
    }
    assert Options().host == "127.0.0.1"


def test_what_cannot_start_leaves_no_port_taken_and_no_folder_locked(tmp_path: Path) -> None:
    (tmp_path / "redis.journal").write_bytes(b"not a journal")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(EmbeddedError, match="no journal that this version can read"):
        Server(only=("redis",), ports={"redis": port}, data=tmp_path).start()
    (tmp_path / "redis.journal").unlink()
    with Server(only=("redis",), ports={"redis": port}, data=tmp_path) as server:
        assert redis.Redis.from_url(server.url("redis")).ping()


def test_stopping_twice_is_stopping_once() -> None:
    server = Server(only=("redis",)).start()
    server.stop()
    server.stop()
    process = ServerProcess(only=("redis",)).start()
    process.stop()
    process.stop()
    process.kill()


def test_a_full_disk_ends_the_server_with_a_sentence_and_confirms_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server(only=("redis",), data=tmp_path).start()
    client = redis.Redis.from_url(server.url("redis"), retry=None)
    assert client.set("kept", "1")
    write = os.write

    def full(descriptor: int, data: bytes) -> int:
        if threading.current_thread().name == "sandbox-embedded" and b"refused" in bytes(data):
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(redis.ConnectionError):
        client.set("refused", "2")
    with pytest.raises(EmbeddedError, match=r"redis.journal cannot be written \(No space left"):
        server.stop()
    monkeypatch.undo()
    with Server(only=("redis",), data=tmp_path) as again:
        assert redis.Redis.from_url(again.url("redis")).keys() == [b"kept"]


def test_time_goes_on_where_the_last_run_on_a_folder_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Server(only=("redis",), data=tmp_path) as server:
        redis.Redis.from_url(server.url("redis")).set("a", "1", ex=3600)
        ended_ns = server.act("redis", lambda _, now_ns: now_ns)
    monkeypatch.setattr("time.time_ns", lambda: ended_ns - 10**15)
    with Server(only=("redis",), data=tmp_path) as server:
        assert server.act("redis", lambda _, now_ns: now_ns) >= ended_ns
        assert 3500 < redis.Redis.from_url(server.url("redis")).ttl("a") <= 3600


@pytest.mark.skipif(os.name != "posix", reason="looks for the process as POSIX does")
def test_a_server_process_ends_with_the_program_that_started_it() -> None:
    program = (
        "import os, signal\n"
        "from sandbox.embedded import ServerProcess\n"
        "server = ServerProcess(only=('redis',)).start()\n"
        "print(server.ports['redis'], flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    port = int(killed.stdout)
    gone = threading.Event()
    for _ in range(PATIENCE_S * 20):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            gone.set()
            break
        with suppress(TimeoutError):
            gone.wait(0.05)
    assert gone.is_set(), "the server outlives the program that started it"


def test_a_kafka_of_three_brokers_goes_on_when_it_is_told_of_all(tmp_path: Path) -> None:
    from kafka import KafkaConsumer, KafkaProducer
    from kafka.admin import KafkaAdminClient, NewTopic

    with Server(only=("kafka",), kafka_brokers=3) as server:
        addresses = [server.url(purpose) for purpose in ("kafka", "kafka-2", "kafka-3")]
        admin = KafkaAdminClient(bootstrap_servers=addresses)
        admin.create_topics([NewTopic("orders", 3, 3)])
        admin.close()
        producer = KafkaProducer(bootstrap_servers=addresses, acks="all")
        for number in range(9):
            producer.send("orders", b"%d" % number, partition=number % 3).get(PATIENCE_S)
        producer.close()
        consumer = KafkaConsumer(
            "orders",
            bootstrap_servers=addresses,
            auto_offset_reset="earliest",
            consumer_timeout_ms=PATIENCE_S * 1000,
        )
        assert {next(consumer).value for _ in range(9)} == {b"%d" % n for n in range(9)}
        consumer.close()


def test_the_data_of_several_kafka_brokers_is_not_for_fewer(tmp_path: Path) -> None:
    from kafka.admin import KafkaAdminClient, NewTopic

    with Server(only=("kafka",), kafka_brokers=3, data=tmp_path) as server:
        admin = KafkaAdminClient(bootstrap_servers=server.url("kafka"))
        admin.create_topics([NewTopic("orders", 1, 3)])
        admin.close()
    with pytest.raises(EmbeddedError, match="--kafka-brokers 3"):
        Server(only=("kafka",), data=tmp_path).start()
    with Server(only=("kafka",), kafka_brokers=3, data=tmp_path) as server:
        topics = server.act("kafka", lambda broker, _: list(broker.cluster.topics))
        assert "orders" in topics


def test_with_fsync_nothing_is_confirmed_before_it_is_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sandbox.embedded.journal import Journal

    def broken(self: Journal) -> None:
        raise CannotKeep("the disk does not take it")

    server = Server(only=("redis",), data=tmp_path, fsync=True).start()
    client = redis.Redis.from_url(server.url("redis"), retry=None)
    assert client.set("kept", "1")
    monkeypatch.setattr(Journal, "sync", broken)
    with pytest.raises(redis.ConnectionError):
        client.set("refused", "2")
    monkeypatch.undo()
    with pytest.raises(CannotKeep):
        server.stop()


def test_a_redis_without_its_log_keeps_snapshots_only(tmp_path: Path) -> None:
    options = {"only": ("redis",), "data": tmp_path, "redis": {"appendonly": "no"}}
    server = ServerProcess(**options).start()
    client = redis.Redis.from_url(server.url("redis"), retry=None)
    client.set("saved", "1")
    client.save()
    client.set("later", "2")
    server.kill()
    with ServerProcess(**options) as again:
        client = redis.Redis.from_url(again.url("redis"))
        assert client.keys() == [b"saved"]
        client.set("before the stop", "3")
    with ServerProcess(**options) as last:
        assert sorted(redis.Redis.from_url(last.url("redis")).keys()) == [
            b"before the stop",
            b"saved",
        ]
