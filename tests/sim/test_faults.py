"""Faults between programs: partitions, slow links, exact times."""

from __future__ import annotations

import socket
import threading
import time

import pytest


def server():
    with socket.create_server(("", 80)) as listening:
        while True:
            connection, _ = listening.accept()
            threading.Thread(target=echo, args=(connection,), daemon=True).start()


def echo(connection):
    with connection:
        while data := connection.recv(1_000_000):
            connection.sendall(data)


def asking(times, log):
    with socket.create_connection(("localhost", 80)) as connection:
        for n in range(times):
            began = time.monotonic()
            connection.sendall(str(n).encode())
            assert connection.recv(10) == str(n).encode()
            log.append(round(time.monotonic() - began, 2))
            time.sleep(1)


def test_a_partition_holds_everything_back_until_it_heals(world):
    log = []
    world.start_function(server, name="server")
    world.start_function(asking, 5, log, name="client")
    world.faults.at(1.5, lambda: world.faults.partition("client", "server"))
    world.faults.at(9.0, lambda: world.faults.heal("client", "server"))
    world.run()
    assert log == [0.0, 0.0, pytest.approx(7.0, abs=0.02), 0.0, 0.0]
    assert [event.fields for event in world.trace.of_kind("fault")] == [
        {"what": "partition", "one": "client", "other": "server"},
        {"what": "heal", "one": "client", "other": "server"},
    ]


def test_what_was_on_its_way_when_a_partition_began_arrives_once_and_in_order(world):
    got = []

    def sink():
        with socket.create_server(("", 80)) as listening:
            connection, _ = listening.accept()
            while data := connection.recv(100):
                got.append((data, round(time.monotonic() - 1000)))

    def source():
        with socket.create_connection(("localhost", 80)) as connection:
            for n in range(5):
                connection.sendall(b"%d" % n)
                time.sleep(1)

    world.start_function(sink, name="sink")
    world.start_function(source, name="source")
    world.faults.at(2.0001, lambda: world.faults.partition("sink", "source"))
    world.faults.at(20, lambda: world.faults.heal("source", "sink"))
    world.run()
    assert b"".join(data for data, _ in got) == b"01234"
    assert got[:2] == [(b"0", 0), (b"1", 1)]
    assert all(at == 20 for _, at in got[2:])


def test_a_partition_concerns_the_two_it_names(world):
    logs = {"a": [], "b": []}
    world.start_function(server, name="server")
    for name, log in logs.items():
        world.start_function(asking, 4, log, name=name)
    world.faults.at(0.5, lambda: world.faults.partition("a", "server"))
    world.faults.at(30, lambda: world.faults.heal("a", "server"))
    world.run()
    assert max(logs["a"]) > 20
    assert max(logs["b"]) < 0.1


def test_connecting_across_a_partition_waits_for_it_to_heal_or_times_out(world):
    seen = []

    def client():
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            socket.create_connection(("shop", 80), timeout=5)
        seen.append(round(time.monotonic() - began))
        socket.create_connection(("shop", 80), timeout=60).close()
        seen.append(round(time.monotonic() - began))
        world.faults.partition("client", "shop")
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            socket.create_connection(("shop", 80))
        seen.append(round(time.monotonic() - began))

    world.start_function(server, host="shop")
    world.faults.partition("client", "shop")
    process = world.start_function(client, name="client")
    world.faults.at(20, lambda: world.faults.heal("client", "shop"))
    world.run()
    assert process.error is None, process.reports
    assert seen[:2] == [5, 20]
    assert seen[2] == pytest.approx(127, abs=1)


def test_a_slow_link_delays_and_limits_what_passes(world):
    log = []

    def big():
        with socket.create_connection(("localhost", 80)) as connection:
            connection.sendall(bytes(100_000))
            left = 100_000
            while left:
                left -= len(connection.recv(100_000))
            log.append(round(time.monotonic() - 1000, 1))

    world.start_function(server, name="server")
    world.faults.slow("server", "big", latency_s=0.5, bytes_per_s=10_000)
    world.start_function(big, name="big")
    world.start_function(asking, 3, log, name="small")
    world.run()
    # One round trip to connect, then ten seconds each way for the bytes.
    assert log[:3] == [0.0, 0.0, 0.0]
    assert 20 <= log[3] <= 23


def test_the_last_fault_that_names_a_pair_wins(world):
    log = []
    world.start_function(server, name="server")
    world.start_function(asking, 4, log, name="client")
    world.faults.slow("client", "server", latency_s=2)
    world.faults.slow("client", "localhost", latency_s=0.25)
    world.faults.at(2.5, lambda: world.faults.slow("client", "server", latency_s=1))
    world.run()
    assert log[0] == pytest.approx(0.5, abs=0.01)
    assert log[-1] == pytest.approx(2, abs=0.01)


def test_a_fault_happens_at_its_exact_time(world):
    times = []
    world.start_function(server)
    world.faults.at(1.25, lambda: times.append(world.kernel.clock.now_ns))
    world.faults.after(0.5, lambda: times.append(world.kernel.clock.now_ns))
    world.faults.at(-5, lambda: times.append(world.kernel.clock.now_ns))
    world.run()
    assert times == [0, 500_000_000, 1_250_000_000]


def test_a_connection_across_a_partition_that_nobody_heals_is_an_idle_end(world):
    log = []
    world.start_function(server, name="server")
    world.start_function(asking, 5, log, name="client")
    world.faults.at(1.5, lambda: world.faults.partition("client", "server"))
    ending = world.run()
    assert ending.kind in ("idle", "deadlock")
    assert "client" in ending.sentence
