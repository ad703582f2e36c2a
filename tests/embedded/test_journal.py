"""The journal's file: what is written is read, what is torn is told, what is damaged is refused."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.embedded import journal
from sandbox.embedded.errors import CannotKeep, JournalDamaged

RECORDS = [
    ["queue", "/", "orders", True, {"x-max-length": 5}],
    ["message", b"\x00\xff", None, -1, 2**63, 1.5, [], {}],
    ["text", "ünï \udc80 \ud800"],
]


def made(folder: Path, records: list[list[object]] | None = None) -> Path:
    path = folder / "redis.journal"
    journal.write_new(path, "redis", RECORDS if records is None else records, 7)
    return path


def batch(now_ns: int, *records: list[object]) -> bytes:
    return journal.pack(now_ns) + b"".join(journal.pack(record) for record in records)


def everything(path: Path) -> list[object]:
    return list(journal.read(path, "redis", journal.look_through(path, "redis").sound_bytes))


def test_what_is_written_is_read_again(tmp_path):
    path = made(tmp_path)
    assert everything(path) == RECORDS
    assert journal.look_through(path, "redis") == journal.Found(path.stat().st_size, 0, 7)


def test_what_is_appended_comes_after_what_was_there(tmp_path):
    path = made(tmp_path, [])
    appending = journal.Journal(path)
    appending.append(batch(8, ["a", 1], ["b", 2]))
    appending.append(batch(9, ["c", 3]))
    assert appending.size_bytes == path.stat().st_size
    appending.close()
    assert everything(path) == [["a", 1], ["b", 2], ["c", 3]]
    assert journal.look_through(path, "redis").latest_ns == 9


def test_a_record_can_be_large(tmp_path):
    large = ["message", bytes(110 << 20)]
    assert everything(made(tmp_path, [large])) == [large]


def test_cut_off_anywhere_in_the_last_batch_all_before_it_is_read(tmp_path):
    path = made(tmp_path, [["a", 1]])
    whole = path.read_bytes()
    appending = journal.Journal(path)
    appending.append(batch(9, ["b", 2], ["c", b"x" * 20]))
    appending.close()
    longer = path.read_bytes()
    for size in range(len(whole), len(longer)):
        path.write_bytes(longer[:size])
        found = journal.look_through(path, "redis")
        assert (found.sound_bytes, found.torn_bytes) == (len(whole), size - len(whole))
        assert everything(path) == [["a", 1]]


@pytest.mark.parametrize(
    "tail",
    [bytes(4096), b"\xff" * 100, random.Random(1).randbytes(64)],
    ids=["zeros", "ones", "noise"],
)
def test_garbage_at_the_end_is_left_out(tmp_path, tail):
    path = made(tmp_path, [["a", 1]])
    sound = path.stat().st_size
    with path.open("ab") as file:
        file.write(tail)
    assert journal.look_through(path, "redis") == journal.Found(sound, len(tail), 7)


def test_damage_that_sound_batches_follow_is_refused(tmp_path):
    path = made(tmp_path, [["a", b"needle" * 10]])
    appending = journal.Journal(path)
    appending.append(batch(9, ["b", 2]))
    appending.close()
    path.write_bytes(path.read_bytes().replace(b"needleneedle", b"needlenoodle", 1))
    with pytest.raises(JournalDamaged, match="damaged at byte"):
        journal.look_through(path, "redis")


def test_another_brokers_journal_is_refused(tmp_path):
    with pytest.raises(JournalDamaged, match="should hold the data of kafka, but says 'redis'"):
        journal.look_through(made(tmp_path), "kafka")


@pytest.mark.parametrize("content", [b"", b"sandbox journal 2\n", b"\x00" * 100, b"hello"])
def test_what_is_no_journal_of_this_version_is_refused(tmp_path, content):
    path = tmp_path / "redis.journal"
    path.write_bytes(content)
    with pytest.raises(JournalDamaged, match="no journal that this version can read"):
        journal.look_through(path, "redis")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
def test_a_full_disk_is_a_sentence_and_leaves_the_file_as_it_was(tmp_path):
    appending = journal.Journal(Path("/dev/full"))
    with pytest.raises(CannotKeep, match=r"No space left on device.*Make room"):
        appending.append(batch(9, ["b", 2]))
    appending.close()


def test_half_a_batch_that_a_full_disk_left_is_cut_away(tmp_path, monkeypatch):
    path = made(tmp_path, [["a", 1]])
    sound = path.read_bytes()
    appending = journal.Journal(path)
    write = os.write
    room = [10]

    def write_until_full(descriptor: int, data: memoryview) -> int:
        if not room[0]:
            raise OSError(28, "No space left on device")
        written = write(descriptor, data[: room[0]])
        room[0] -= written
        return written

    monkeypatch.setattr(os, "write", write_until_full)
    with pytest.raises(CannotKeep):
        appending.append(batch(9, ["b", 2]))
    monkeypatch.undo()
    assert path.read_bytes() == sound
    appending.append(batch(10, ["c", 3]))
    appending.close()
    assert everything(path) == [["a", 1], ["c", 3]]


@settings(max_examples=200, deadline=None)
@given(at=st.floats(0, 1, exclude_max=True), damage=st.integers(1, 255), cut=st.booleans())
def test_damage_anywhere_is_refused_or_leaves_a_beginning(
    tmp_path_factory, at: float, damage: int, cut: bool
):
    path = tmp_path_factory.mktemp("journal") / "redis.journal"
    journal.write_new(path, "redis", [["n", 0]], 7)
    appending = journal.Journal(path)
    for number in range(1, 8):
        appending.append(batch(7 + number, ["n", number]))
    appending.close()
    content = bytearray(path.read_bytes())
    place = int(at * len(content))
    content[place] ^= damage
    path.write_bytes(content[: place + 1] if cut else content)
    try:
        found = everything(path)
    except JournalDamaged:
        return
    assert found == [["n", number] for number in range(len(found))]
    # What is left out without a word of damage is the end, from the batch that is not sound.
    assert cut or place >= len(content) - len(journal.frame(batch(14, ["n", 7])))
