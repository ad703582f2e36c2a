"""The trace: its schema is documented, versioned and kept to."""

from __future__ import annotations

import ast
import io
import json
import re
import signal
import socket
import threading
import time
from pathlib import Path

import pytest

import sandbox.sim
from sandbox.sim import trace
from sandbox.sim.trace import Trace
from sandbox.sim.world import World


def documented() -> dict[str, set[str]]:
    """Kinds and fields, as the table in `trace`'s docstring has them."""
    table = {}
    for line in (trace.__doc__ or "").splitlines():
        if match := re.match(r"\| ([a-z.]+) +\| (.*?) *\|$", line):
            kind, fields = match.groups()
            if kind != "kind":
                plain = re.sub(r"\([^)]*\)|\(.*$", "", fields)
                table[kind] = {field.strip() for field in plain.split(",")}
    return table


def emitted() -> dict[str, set[str]]:
    """Kinds that the package's source names when it adds to the trace."""
    kinds: dict[str, set[str]] = {}
    for file in Path(sandbox.sim.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            if node.func.attr == "_note" and len(node.args) == 2:
                kinds.setdefault(node.args[1].value, set()).update(
                    keyword.arg for keyword in node.keywords
                )
            elif node.func.attr == "add" and len(node.args) == 4:
                kind = node.args[2]
                if isinstance(kind, ast.Constant):
                    kinds.setdefault(kind.value, set())
    return kinds


def eventful_world() -> World:
    """A world in which everything happens that a world without brokers can show."""

    def server():
        with socket.create_server(("", 80)) as listening:
            connection, _ = listening.accept()
            connection.recv(1)
            connection.sendall(b"pong")
            connection.shutdown(socket.SHUT_WR)

    def client():
        from sandbox import record

        threading.Thread(target=lambda: 1 / 0, name="doomed").start()
        with socket.create_connection(("localhost", 80)) as connection:
            connection.sendall(b"ping")
            record("asked", {"n": 1})
        socket.socket().connect_ex(("localhost", 81))
        print("done")
        time.sleep(100)

    world = World(7)
    world.start_function(server)
    process = world.start_function(client)
    world.faults.at(1, lambda: world.faults.slow("client", "server", latency_s=1))
    world.faults.at(2, lambda: world.faults.heal("client", "server"))
    world.faults.at(3, lambda: process.signal(signal.SIGTERM))
    world.run()
    return world


@pytest.mark.needs_os
def test_every_kind_that_is_emitted_is_in_the_table_and_the_other_way_round():
    found, table = emitted(), documented()
    assert len(table) >= 14
    assert set(found) == set(table)


def test_the_fields_of_every_event_are_those_of_the_table():
    table = documented()
    seen = set()
    for event in eventful_world().trace.events:
        seen.add(event.kind)
        if event.kind != "fault":
            assert set(event.fields) == table[event.kind], event
    assert seen == set(table)


def test_events_are_numbered_in_order_and_never_go_back_in_time():
    events = eventful_world().trace.events
    assert [event.id for event in events] == list(range(1, len(events) + 1))
    times = [event.t_ns for event in events]
    assert times == sorted(times)
    assert events[-1].t_s == pytest.approx(3)


def test_a_trace_is_written_as_lines_of_json_with_a_header():
    world = eventful_world()
    file = io.StringIO()
    world.trace.write_jsonl(file)
    header, *lines = [json.loads(line) for line in file.getvalue().splitlines()]
    assert header == {"schema": "sandbox-trace", "version": 1, "seed": 7}
    assert len(lines) == len(world.trace.events)
    for line, event in zip(lines, world.trace.events, strict=True):
        assert list(line)[:4] == ["id", "t_ns", "process", "kind"]
        assert line["kind"] == event.kind
    sent = next(line for line in lines if line["kind"] == "net.send")
    assert sent["data"] == {"b64": "cGluZw=="}
    assert file.getvalue().isascii()


def test_a_field_that_is_no_plain_data_is_written_as_its_text():
    made = Trace(1)
    number = made.add(5, "p", "k", {"path": Path("a"), "view": memoryview(b"x")})
    assert number == 1
    assert made.events[0].to_json() == (
        '{"id":1,"t_ns":5,"process":"p","kind":"k","path":"a","view":{"b64":"eA=="}}'
    )


def test_events_are_found_by_kind():
    made = Trace(1)
    for kind in "abab":
        made.add(0, "p", kind, {})
    assert [event.id for event in made.of_kind("a")] == [1, 3]
    assert [event.id for event in made.of_kind("b", "a")] == [1, 2, 3, 4]


def test_the_version_is_the_tables():
    """Raise `VERSION` when a reader of the old table would be misled, and this digest with it."""
    import hashlib

    table = json.dumps({kind: sorted(fields) for kind, fields in sorted(documented().items())})
    assert (trace.VERSION, hashlib.sha256(table.encode()).hexdigest()[:12]) == (1, "cadf04a9cd5e")
