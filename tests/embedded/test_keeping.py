"""A broker's durable state outlives the server, and its file does not grow for ever."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.embedded import journal
from sandbox.embedded.errors import FolderInUse, JournalDamaged
from sandbox.embedded.folder import Folder
from sandbox.embedded.keeping import Keeper


class Shelf:
    """The least that can be kept: names with values."""

    def __init__(self) -> None:
        self.keep: Callable[[list[Any]], None] | None = None
        self.things: dict[str, bytes] = {}

    def put(self, name: str, value: bytes) -> None:
        self.things[name] = value
        assert self.keep is not None
        self.keep(["put", name, value])

    def snapshot(self) -> Iterator[list[Any]]:
        return (["put", name, value] for name, value in self.things.items())

    def restore(self, records: Iterable[list[Any]], now_ns: int) -> None:
        for word, *rest in records:
            if word != "put":
                raise ValueError(f"no such record: {word}")
            self.things[rest[0]] = rest[1]


class Bench:
    """A folder, and servers that use it one after the other."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.log: list[str] = []
        self.folder: Folder | None = None

    def open(self, **options: Any) -> tuple[Shelf, Keeper]:
        if self.folder is not None:
            self.folder.close()  # What a killed process's end does.
        self.folder = Folder(self.path)
        keeper = Keeper("redis", self.folder, **{"fsync": False, "log": self.log.append} | options)
        shelf = Shelf()
        keeper.begin(shelf, lambda: 5)
        return shelf, keeper


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path / "data")
    yield bench
    if bench.folder is not None:
        bench.folder.close()


def test_what_was_flushed_is_there_again_after_a_kill(bench):
    shelf, keeper = bench.open()
    shelf.put("a", b"1")
    shelf.put("b", b"2")
    assert keeper.flush()
    shelf.put("c", b"never confirmed")
    again, _ = bench.open()
    assert again.things == {"a": b"1", "b": b"2"}


def test_there_is_nothing_to_flush_when_nothing_changed(bench):
    _, keeper = bench.open()
    assert not keeper.flush()


def test_closing_keeps_what_was_not_flushed_yet(bench):
    shelf, keeper = bench.open()
    shelf.put("a", b"1")
    keeper.close()
    assert bench.open()[0].things == {"a": b"1"}


def test_a_file_that_grew_to_several_times_its_snapshot_is_rewritten(bench):
    shelf, keeper = bench.open(least_bytes=10_000)
    largest = 0
    for number in range(2000):
        shelf.put("same", b"%d" % number + bytes(100))
        keeper.flush()
        largest = max(largest, keeper.size_bytes)
        if keeper.has_grown:
            keeper.rewrite()
    assert largest < 11_000
    assert bench.open()[0].things == {"same": b"1999" + bytes(100)}


def test_killed_while_it_is_rewritten_the_old_file_counts(bench, monkeypatch):
    shelf, keeper = bench.open()
    shelf.put("a", b"1")
    keeper.flush()

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        keeper.rewrite()
    monkeypatch.undo()
    (bench.path / "redis.new").write_bytes(b"half of it")
    assert bench.open()[0].things == {"a": b"1"}


def test_a_disk_too_full_for_a_new_file_leaves_the_old_one_in_use(bench, monkeypatch):
    shelf, keeper = bench.open(least_bytes=100)
    shelf.put("a", bytes(200))
    keeper.flush()

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(journal, "write_new", full)
    keeper.rewrite()
    assert not keeper.has_grown
    assert "stays as long as it is (No space left on device)" in bench.log[-1]
    monkeypatch.undo()
    shelf.put("b", b"2")
    keeper.flush()
    assert bench.open()[0].things == {"a": bytes(200), "b": b"2"}


def test_a_torn_end_is_told(bench):
    shelf, keeper = bench.open()
    shelf.put("a", b"1")
    keeper.flush()
    with keeper.path.open("ab") as file:
        file.write(b"\x10\x00\x00\x00half")
    assert bench.open()[0].things == {"a": b"1"}
    assert "was cut off; its 8 bytes" in bench.log[-1]


def test_a_record_that_the_broker_does_not_know_is_refused_by_name(bench):
    shelf, keeper = bench.open()
    assert shelf.keep is not None
    shelf.keep(["sing", "a song"])
    keeper.flush()
    with pytest.raises(JournalDamaged, match=r"does not know \(no such record: sing\)"):
        bench.open()


def test_two_servers_do_not_share_a_folder(tmp_path):
    first = Folder(tmp_path)
    with pytest.raises(FolderInUse, match=rf"process {os.getpid()}\) keeps its data in"):
        Folder(tmp_path)
    first.close()
    Folder(tmp_path).close()
