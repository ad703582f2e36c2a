"""Ports: all or none, and a sentence about each that is taken."""

from __future__ import annotations

import os
import re
import socket
import sys

import pytest

from sandbox.embedded import ports
from sandbox.embedded.clock import Clock
from sandbox.embedded.errors import EmbeddedError, PortsTaken
from sandbox.holders import holder

HOST = "127.0.0.1"


def number(listening: socket.socket) -> int:
    port: int = listening.getsockname()[1]
    return port


def test_free_ports_are_listened_on():
    sockets = ports.listen_all(HOST, {"a": 0, "b": 0})
    try:
        for each in sockets.values():
            socket.create_connection((HOST, number(each))).close()
    finally:
        for each in sockets.values():
            each.close()


def test_a_taken_port_is_told_with_its_purpose_and_a_way_out():
    with socket.create_server((HOST, 0)) as taken, pytest.raises(PortsTaken) as refusal:
        ports.listen_all(HOST, {"RabbitMQ": number(taken)})
    text = str(refusal.value)
    assert text.startswith(f"Port {number_of(text)} for RabbitMQ is taken")
    assert "--port-offset" in text


def test_the_offset_that_is_advised_is_the_whole_one():
    with socket.create_server((HOST, 0)) as taken, pytest.raises(PortsTaken) as refusal:
        ports.listen_all(HOST, {"RabbitMQ": number(taken)}, offset=7)
    told = re.search(r"--port-offset (-?\d+)", str(refusal.value))
    assert told is not None
    assert int(told[1]) - 7 in ports._OFFSETS


def number_of(text: str) -> int:
    return int(text.split()[1])


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere only root may see it")
def test_who_has_a_taken_port_is_told():
    with socket.create_server((HOST, 0)) as taken:
        assert holder(number(taken)).endswith(f"(process {os.getpid()})")


def test_every_taken_port_is_told_and_those_that_were_free_are_given_back(monkeypatch):
    had = []

    def listen(host: str, port: int) -> socket.socket:
        had.append(real_listen(host, port))
        return had[-1]

    real_listen = ports._listen
    monkeypatch.setattr(ports, "_listen", listen)
    with (
        socket.create_server((HOST, 0)) as one,
        socket.create_server((HOST, 0)) as other,
        pytest.raises(PortsTaken, match=r"Port \d+ for b .*; port \d+ for c"),
    ):
        ports.listen_all(HOST, {"a": 0, "b": number(one), "c": number(other), "d": 0})
    assert len(had) >= 2
    assert all(each.fileno() == -1 for each in had)


def test_an_address_of_another_machine_is_told():
    with pytest.raises(EmbeddedError, match="--host takes an address of this machine"):
        ports.listen_all("192.0.2.1", {"a": 0})


def test_the_clock_never_goes_back_behind_what_was_kept():
    later = Clock().now_ns() + 10**15
    clock = Clock(not_before_ns=later)
    first, second = clock.now_ns(), clock.now_ns()
    assert later <= clock.began_ns <= first <= second
