"""Killed at any moment, a server that keeps its data loses nothing that it confirmed.

A round starts the server on the folder that the killed one left, checks what is there, lets clients
write to every broker at once, and kills it at a random moment. There are few rounds in `make test`;
`SANDBOX_KILL_ROUNDS=300 pytest tests/embedded/test_kill.py` does as many as one has time for, and
`make test-live` does hundreds.
"""

from __future__ import annotations

import logging
import os
import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.embedded import Server, ServerProcess
from tests.embedded.workloads import WORKLOADS, Workload

ROUNDS = int(os.environ.get("SANDBOX_KILL_ROUNDS", "24"))
LIVE_ROUNDS = int(os.environ.get("SANDBOX_KILL_ROUNDS", "200"))


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """pika tells the whole story of each connection that breaks, and hundreds do."""
    logger = logging.getLogger("pika")
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    yield
    logger.setLevel(before)


def keeping(tmp_path: Path) -> list[str]:
    """The brokers whose state can be kept."""
    with Server(data=tmp_path / "look") as server:
        forgetful = server.run(lambda engine: engine.forgetful)
    return [name for name in WORKLOADS if name not in forgetful]


def rounds(folder: Path, names: list[str], count: int, *, fsync: bool, seed: int) -> None:
    chance = random.Random(seed)
    work: list[Workload] = [WORKLOADS[name]() for name in names]
    for number in range(count + 1):
        server = ServerProcess(data=folder, only=names, fsync=fsync).start()
        try:
            for each in work:
                try:
                    each.check(server)
                except AssertionError as error:
                    error.add_note(f"in round {number} with seed {seed}\n{server.log_text[-2000:]}")
                    raise
            if number == count:
                server.stop()
                break
            for each in work:
                each.begin(server)
            # Some die while clients are still connecting, most while everybody writes.
            threading.Event().wait(chance.uniform(0, 0.4))
        finally:
            server.kill()
        for each in work:
            each.end()
    for each in work:
        assert each.eventful_rounds, f"{type(each).__name__} never had anything confirmed"
        assert each.confirmed


@pytest.mark.parametrize("fsync", [False, True])
def test_nothing_confirmed_is_lost_when_the_server_is_killed(tmp_path: Path, fsync: bool) -> None:
    names = keeping(tmp_path)
    assert names
    rounds(tmp_path / "data", names, ROUNDS // (3 if fsync else 1), fsync=fsync, seed=1)


@pytest.mark.live
def test_nothing_confirmed_is_lost_in_hundreds_of_kills(tmp_path: Path) -> None:
    rounds(tmp_path / "data", keeping(tmp_path), LIVE_ROUNDS, fsync=False, seed=os.getpid())


def test_an_orderly_stop_keeps_everything_too(tmp_path: Path) -> None:
    names = keeping(tmp_path)
    work = [WORKLOADS[name]() for name in names]
    server = ServerProcess(data=tmp_path / "data", only=names).start()
    try:
        for each in work:
            each.check(server)
            each.begin(server)
        for each in work:
            each.until_confirmed(20)
        server.stop()
    finally:
        server.kill()
        for each in work:
            each.end()
    with ServerProcess(data=tmp_path / "data", only=names) as again:
        for each in work:
            each.check(again)


def test_a_second_server_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    from sandbox.embedded import EmbeddedError

    with (
        ServerProcess(data=tmp_path, only=["redis"]),
        pytest.raises(EmbeddedError, match="keeps its data in"),
    ):
        ServerProcess(data=tmp_path, only=["redis"]).start()
