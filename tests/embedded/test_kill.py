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
from typing import Any

import pytest

from sandbox.embedded import EmbeddedError, ServerProcess
from tests.embedded.workloads import WORKLOADS, Workload

ROUNDS = int(os.environ.get("SANDBOX_KILL_ROUNDS", "12"))
LIVE_ROUNDS = int(os.environ.get("SANDBOX_KILL_ROUNDS", "200"))


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """pika tells the whole story of each connection that breaks, and hundreds do."""
    logger = logging.getLogger("pika")
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    yield
    logger.setLevel(before)


def rounds(folder: Path, names: list[str], count: int, *, seed: int, **options: Any) -> None:
    chance = random.Random(seed)
    work: list[Workload] = [WORKLOADS[name]() for name in names]
    for number in range(count + 1):
        server = ServerProcess(data=folder, only=names, **options).start()
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
            if number % 3:
                work[number % len(work)].until_confirmed(chance.randrange(1, 40))
            threading.Event().wait(chance.uniform(0, 0.1))
        finally:
            server.kill()
        for each in work:
            each.end()
    for each in work:
        assert each.eventful_rounds, f"{type(each).__name__} never had anything confirmed"
        assert each.confirmed


def test_nothing_confirmed_is_lost_when_the_server_is_killed(tmp_path: Path) -> None:
    rounds(tmp_path / "data", list(WORKLOADS), ROUNDS, seed=1)


@pytest.mark.parametrize("options", [{"fsync": True}, {"rewrite_at_bytes": 20_000}])
def test_nothing_is_lost_while_waiting_for_the_disk_or_rewriting_files(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    rounds(tmp_path / "data", list(WORKLOADS), ROUNDS // 3, seed=2, **options)


@pytest.mark.live
def test_nothing_confirmed_is_lost_in_hundreds_of_kills(tmp_path: Path) -> None:
    seed = os.getpid()
    rounds(tmp_path / "data", list(WORKLOADS), LIVE_ROUNDS, seed=seed, rewrite_at_bytes=200_000)


def test_an_orderly_stop_keeps_everything_too(tmp_path: Path) -> None:
    work = [make() for make in WORKLOADS.values()]
    server = ServerProcess(data=tmp_path / "data").start()
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
    with ServerProcess(data=tmp_path / "data") as again:
        for each in work:
            each.check(again)


def test_a_second_server_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    with (
        ServerProcess(data=tmp_path, only=["redis"]),
        pytest.raises(EmbeddedError, match="keeps its data in"),
    ):
        ServerProcess(data=tmp_path, only=["redis"]).start()
