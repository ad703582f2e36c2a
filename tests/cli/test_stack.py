"""`sandbox stack` on the command line: what it prints, and its exit status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sandbox.cli import main
from sandbox.cli.following import follow_files
from sandbox.native.ports import free_ports
from sandbox.native.redis import Redis


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANDBOX_STATE", str(tmp_path / "state"))


def test_nothing_runs_at_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stack", "status"]) == 1
    assert "sandbox stack up" in capsys.readouterr().out
    assert main(["stack", "down"]) == 0
    assert main(["stack", "logs"]) == 2
    assert "no logs yet" in capsys.readouterr().err


def test_an_unknown_server_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stack", "up", "--with", "nats"]) == 2
    assert "There is no server called nats. Choose from" in capsys.readouterr().err


@pytest.mark.live
def test_up_status_logs_and_down(capsys: pytest.CaptureFixture[str], redis_server: Redis) -> None:
    assert redis_server.port
    offset = free_ports(1)[0] - 6379
    try:
        assert main(["stack", "up", "--with", "redis", "--port-offset", str(offset)]) == 0
        address = f"127.0.0.1:{6379 + offset}"
        assert f"export REDIS_URL=redis://{address}" in capsys.readouterr().out
        assert main(["stack", "status"]) == 0
        fields = capsys.readouterr().out.strip().split("\t")
        assert (fields[0], fields[2], fields[3]) == ("redis", "serves", address)
        assert main(["stack", "status", "--json"]) == 0
        (listed,) = json.loads(capsys.readouterr().out)["servers"]
        assert listed["serves"] is True
        assert main(["stack", "logs", "redis", "-n", "1"]) == 0
        assert len(capsys.readouterr().out.splitlines()) == 1
    finally:
        assert main(["stack", "down", "--forget"]) == 0
    assert "Redis is stopped" in capsys.readouterr().out


def test_the_last_lines_of_several_logs_say_whose_they_are(tmp_path: Path) -> None:
    files = []
    for name in ("kafka", "redis"):
        (tmp_path / name).mkdir()
        files.append(tmp_path / name / "server.log")
        files[-1].write_text(f"one\n\x1b[31mtwo of {name}\x1b[0m\n")
    shown = list(follow_files(files, lines=1, follow=False))
    assert shown == ["kafka | two of kafka", "redis | two of redis"]
    assert list(follow_files(files[:1], lines=0, follow=False)) == []


def test_following_a_log_shows_what_is_added_and_a_new_beginning(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    log.write_text("old\nhalf")
    following = follow_files([log], lines=5, follow=True)
    assert next(following) == "old"
    with log.open("a") as more:
        more.write(" a line\n")
    assert next(following) == "half a line"
    log.write_text("new\n")
    assert next(following) == "new"
