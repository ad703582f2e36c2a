"""`sandbox up` as a person starts it."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pika
import pika.exceptions
import pytest
import redis

from sandbox.embedded import Server, ServerProcess
from sandbox.embedded.engine import Engine
from sandbox.embedded.figures import look
from sandbox.events import SCHEMA, VERSION

PATIENCE_S = 60
CLI = [sys.executable, "-m", "sandbox", "up"]


class Up:
    """A running command."""

    def __init__(self, *arguments: str) -> None:
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [*CLI, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.ready = threading.Event()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        assert self.ready.wait(PATIENCE_S), self.text

    @property
    def text(self) -> str:
        return "".join(self.lines)

    def address(self, purpose: str) -> str:
        found = re.search(rf"^{purpose} +(\S+)$", self.text, re.MULTILINE)
        assert found, self.text
        return found[1]

    def end(self) -> int:
        status = self.process.wait(PATIENCE_S)
        self._reader.join()
        return status

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            if line.startswith(("Ready", "sandbox: ")):
                self.ready.set()
        self.process.stdout.close()
        self.ready.set()


@pytest.fixture
def up() -> Iterator[type[Up]]:
    started: list[Up] = []

    class Tracked(Up):
        def __init__(self, *arguments: str) -> None:
            started.append(self)
            super().__init__(*arguments)

    yield Tracked
    for each in started:
        each.process.kill()
        each.end()


def free_offset(usual: int) -> int:
    """An offset that moves this usual port to a free one."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        offset: int = free.getsockname()[1] - usual
        return offset


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_to_connect_serves_and_stops_in_good_order(
    up: type[Up], ending: signal.Signals
) -> None:
    server = up("--only", "redis", "--port-offset", str(free_offset(6379)))
    client = redis.Redis.from_url(server.address("redis"))
    assert client.ping()
    server.process.send_signal(ending)
    assert server.end() == 0
    assert re.search(r"^\d\d:\d\d:\d\d redis +127\.0\.0\.1:\d+ connected$", server.text, re.M)
    assert server.lines[-1] == "Stopped.\n"


def test_a_taken_port_is_a_sentence_and_status_2(up: type[Up]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = up("--only", "redis", "--port-offset", str(port - 6379))
        assert server.end() == 2
    assert server.text.startswith(f"sandbox: Port {port} for redis is taken by ")
    assert "sandbox up --port-offset" in server.text
    assert "Traceback" not in server.text


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--only", "rabitmq"], "There is no broker called 'rabitmq'; there are rabbitmq, kafka"),
        (["--users", "nobody.toml"], "The users in nobody.toml cannot be read"),
        (["--host", "192.0.2.1"], "--host takes an address of this machine"),
        (["--port-offset", "70000"], "--port-offset"),
        (["--port-offset", "-6000"], "--port-offset"),
    ],
)
def test_what_cannot_be_is_a_sentence_and_status_2(
    up: type[Up], arguments: list[str], told: str
) -> None:
    server = up(*arguments)
    assert server.end() == 2
    assert told in server.text
    assert "Traceback" not in server.text


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_the_second_interrupt_stops_it_at_once(up: type[Up]) -> None:
    server = up("--only", "rabbitmq", "--port-offset", str(free_offset(5672)))
    connection = pika.BlockingConnection(pika.URLParameters(server.address("rabbitmq")))
    # The client does not answer, so stopping in good order takes a while.
    server.process.send_signal(signal.SIGINT)
    while "stopping" not in server.text:
        threading.Event().wait(0.01)
    server.process.send_signal(signal.SIGINT)
    assert server.end() in (130, 0)
    assert "Traceback" not in server.text
    with pytest.raises(pika.exceptions.AMQPError):
        connection.process_data_events(PATIENCE_S)


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_it_goes_on_serving_when_nobody_reads_what_it_prints() -> None:
    offset = free_offset(6379)
    process = subprocess.Popen(
        [*CLI, "--only", "redis", "--port-offset", str(offset)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        while not process.stdout.readline().startswith(b"Ready"):
            assert process.poll() is None
        process.stdout.close()
        for _ in range(3):
            assert redis.Redis(port=6379 + offset).ping()
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) == 0
        assert process.stderr is not None
        assert b"Traceback" not in process.stderr.read()
    finally:
        process.kill()
        process.wait()
        if process.stderr is not None:
            process.stderr.close()


def test_a_trace_is_written_as_the_worlds_is(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    with Server(only=("redis", "rabbitmq"), trace=path, seed=7) as server:
        redis.Redis.from_url(server.url("redis")).set("a", "1")
        pika.BlockingConnection(pika.URLParameters(server.url("rabbitmq"))).close()
    header, *events = [json.loads(line) for line in path.read_text().splitlines()]
    assert header == {"schema": SCHEMA, "version": VERSION, "seed": 7}
    assert [event["id"] for event in events] == list(range(1, len(events) + 1))
    times = [event["t_ns"] for event in events]
    assert times == sorted(times)
    assert 0 <= times[0] < PATIENCE_S * 10**9
    by_id = {event["id"]: event for event in events}
    [command] = [e for e in events if e["kind"] == "command" and e["name"] == "set"]
    assert command["process"] == "redis"
    cause = by_id[command["cause"]]
    assert cause["kind"] == "net.send"
    assert cause["process"] == cause["connection"] == command["connection"]
    assert any(event["kind"] == "connection.close" for event in events)


def test_one_seed_gives_the_same_names(tmp_path: Path) -> None:
    def first_name(seed: int | None) -> str:
        with Server(only=("rabbitmq",), seed=seed) as server:
            parameters = pika.URLParameters(server.url("rabbitmq"))
            with pika.BlockingConnection(parameters) as connection:
                name: str = connection.channel().queue_declare("", exclusive=True).method.queue
                return name

    assert first_name(7) == first_name(7) != first_name(8)
    assert first_name(None) != first_name(None)


def test_the_status_counts_what_there_is(own_server: Server) -> None:
    def figures(engine: Engine) -> dict[str, tuple[int, dict[str, int]]]:
        return {each.name: (each.messages, dict(each.holdings)) for each in look(engine)}

    before = own_server.run(figures)
    assert set(before) == {"rabbitmq", "kafka", "redis", "mqtt"}
    redis.Redis.from_url(own_server.url("redis")).set("a", "1")
    with pika.BlockingConnection(pika.URLParameters(own_server.url("rabbitmq"))) as connection:
        channel = connection.channel()
        channel.queue_declare("q")
        for _ in range(3):
            channel.basic_publish("", "q", b"x")
        channel.queue_declare("q", passive=True)
        [rabbitmq] = [e for e in own_server.run(look) if e.name == "rabbitmq"]
        assert rabbitmq.connections == 1
        assert rabbitmq.received_bytes > 0 < rabbitmq.sent_bytes
        assert set(rabbitmq.ports) == {"rabbitmq", "management"}
    after = own_server.run(figures)
    assert after["rabbitmq"][0] - before["rabbitmq"][0] == 3
    assert after["rabbitmq"][1] == {"queues": 1, "ready": 3, "consumers": 0}
    assert after["redis"][1]["keys"] == 1


@pytest.mark.skipif(os.name != "posix", reason="needs a terminal of POSIX")
def test_on_a_terminal_it_shows_a_table_and_leaves_the_cursor_visible() -> None:
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [*CLI, "--only", "rabbitmq", "--port-offset", str(free_offset(5672))],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=os.environ | {"COLUMNS": "120", "LINES": "40", "TERM": "xterm"},
    )
    os.close(theirs)
    shown = b""
    address = None
    stopped = False
    try:
        with suppress(OSError):  # The terminal's other end is gone: the command has ended.
            while piece := os.read(ours, 65536):
                shown += piece
                plain = re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"", shown)
                found = re.search(rb"amqp://guest:guest@127\.0\.0\.1:\d+/", plain)
                if found and address is None:
                    address = found[0].decode()
                    with pika.BlockingConnection(pika.URLParameters(address)) as connection:
                        connection.channel().queue_declare("q", exclusive=True)
                if b"disconnected" in plain and not stopped:
                    stopped = True
                    process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) == 0, shown.decode()
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    assert b"RabbitMQ" in shown
    assert shown.rindex(b"\x1b[?25h") > shown.rindex(b"\x1b[?25l")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_server_that_nobody_uses_is_small() -> None:
    with ServerProcess() as server:
        status = Path(f"/proc/{server.pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found
    assert int(found[1]) < 100_000
