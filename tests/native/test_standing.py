"""Servers that outlive the command that started them: begun once, found again, ended whole."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import psutil
import pytest
import redis

from sandbox.native import catalogue
from sandbox.native.errors import ServerUnavailable
from sandbox.native.ports import answers, free_ports
from sandbox.native.redis import Redis
from sandbox.native.standing import Standing, state_folder


def _offset(name: str) -> int:
    """An offset that puts a server's first port where nothing listens."""
    usual = next(iter(catalogue.PORTS[name].values()))
    return free_ports(1)[0] - usual


def test_names_are_understood_in_any_order_and_by_protocol() -> None:
    assert catalogue.names("mqtt, Redis") == ["redis", "mosquitto"]
    assert catalogue.names(None) == ["rabbitmq", "kafka", "redis", "mosquitto"]
    with pytest.raises(ServerUnavailable, match="no server called zeromq"):
        catalogue.names("redis,zeromq")
    with pytest.raises(ServerUnavailable, match="no server called nothing"):
        catalogue.names(" , ")


def test_the_state_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANDBOX_STATE", "/somewhere/else")
    assert state_folder() == Path("/somewhere/else")


def test_a_state_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "running.json").write_text("{")
    with pytest.raises(ServerUnavailable, match=r"running\.json.*delete it"):
        Standing(tmp_path).running()
    (tmp_path / "running.json").write_text('{"version": 99, "servers": []}')
    with pytest.raises(ServerUnavailable, match="another version"):
        Standing(tmp_path).running()


def test_nothing_runs_where_nothing_was_started(tmp_path: Path) -> None:
    standing = Standing(tmp_path)
    assert standing.running() == []
    assert standing.down() == []
    assert standing.logs("redis") == []


def test_nothing_is_started_when_one_of_several_cannot_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox.native.mosquitto._PROGRAMS", ("no-such-program",))
    monkeypatch.setattr("sandbox.native.redis._PROGRAMS", ("no-such-program",))
    with pytest.raises(ServerUnavailable) as refused:
        Standing(tmp_path).up(["redis", "mosquitto"], offset=_offset("redis"))
    text = str(refused.value)
    assert "Redis is not installed" in text
    assert "Mosquitto is not installed" in text
    assert "Nothing was started" in text
    assert Standing(tmp_path).running() == []


@pytest.mark.live
def test_a_server_is_started_once_found_again_and_stopped_with_its_data_kept(
    tmp_path: Path, redis_server: Redis
) -> None:
    assert redis_server.port  # there is a Redis here to start another of
    offset = _offset("redis")
    said: list[str] = []
    try:
        (first,) = Standing(tmp_path).up(["redis"], offset=offset, say=said.append)
        port = 6379 + offset
        assert first.serves
        assert first.memory_bytes > 1_000_000
        with redis.Redis(port=port) as client:
            client.set("kept", "yes")
        (second,) = Standing(tmp_path).up(["redis"], offset=offset, say=said.append)
        assert second == first
        assert said[-1].endswith(f"runs already, at 127.0.0.1:{port}")
        with pytest.raises(ServerUnavailable, match="sandbox stack down"):
            Standing(tmp_path).up(["redis"], offset=offset + 1)
        assert "Ready to accept connections" in Standing(tmp_path).logs("redis")[0].read_text()
        assert [each.name for each in Standing(tmp_path).down()] == ["redis"]
        assert not answers(port)
        Standing(tmp_path).up(["redis"], offset=offset)
        with redis.Redis(port=port) as client:
            assert client.get("kept") == b"yes"
    finally:
        Standing(tmp_path).down(forget=True)
    assert not (tmp_path / "redis").exists()
    assert json.loads((tmp_path / "running.json").read_text())["servers"] == []


@pytest.mark.live
def test_a_server_that_was_killed_is_forgotten_and_can_be_started_again(
    tmp_path: Path, redis_server: Redis
) -> None:
    assert redis_server.port
    standing, offset = Standing(tmp_path), _offset("redis")
    try:
        (first,) = standing.up(["redis"], offset=offset)
        pid = first.children[0].pid
        os.kill(pid, signal.SIGKILL)
        psutil.Process(pid).wait(60)
        assert standing.running() == []
        (again,) = standing.up(["redis"], offset=offset)
        assert again.children != first.children
        assert again.serves
    finally:
        standing.down(forget=True)


@pytest.mark.live
def test_a_port_that_somebody_else_has_is_named(tmp_path: Path, redis_server: Redis) -> None:
    with pytest.raises(ServerUnavailable, match=rf"port {redis_server.port}, which redis-server"):
        Standing(tmp_path).up(["redis"], offset=redis_server.port - 6379)
