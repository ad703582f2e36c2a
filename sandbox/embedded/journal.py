r"""The file that a broker's durable changes are appended to, and its format.

    sandbox journal 1\n                       what this file is
    frame                                    about the file: a map with the broker's name
    frame                                    a batch of changes
    ...

A *frame* is the length of its payload and the payload's CRC-32, both as four bytes, little end
first, then the payload: MessagePack. A batch is the time it was made, in nanoseconds since 1970,
then the records, one after the other. What one call into a broker changes is one batch, so it is
kept whole or not at all.

A program that is killed can leave half a frame at the end, and a machine that loses power garbage:
reading stops there, and says how much it left out. A bad frame that sound ones follow is no such
tail; then reading refuses to go on, because what follows was once confirmed.

To change the format, raise the number in MAGIC; a file with another number is refused.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import msgpack

from sandbox.brokers.base import Record
from sandbox.embedded.errors import CannotKeep, JournalDamaged

MAGIC: Final = b"sandbox journal 1\n"
_HEAD: Final = struct.Struct("<II")
#: How much a batch of a snapshot holds before the next begins.
_BATCH_BYTES: Final = 1 << 20
#: How far behind an unsound frame a sound one is looked for.
_LOOKED_THROUGH_BYTES: Final = 1 << 20
_BINARY: Final = getattr(os, "O_BINARY", 0)


def pack(value: Any) -> bytes:
    """A value as MessagePack; text may hold anything that Python's can."""
    packed: bytes = msgpack.packb(value, use_bin_type=True, unicode_errors="surrogatepass")
    return packed


def frame(payload: bytes) -> bytes:
    """A payload with its length and its check in front."""
    return _HEAD.pack(len(payload), zlib.crc32(payload)) + payload


@dataclass(frozen=True)
class Found:
    """What a look through a journal found."""

    #: Where the sound part ends.
    sound_bytes: int
    #: What follows it, and is lost.
    torn_bytes: int
    #: The time of the latest batch.
    latest_ns: int


def look_through(path: Path, broker: str) -> Found:
    """Check every frame of a journal, and that it is this broker's.

    Raises:
        JournalDamaged: it is no journal, another broker's or version's, or broken in the middle.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        _read_preface(file, path, broker)
        latest_ns = 0
        end = file.tell()
        while (payload := _read_frame(file)) is not None:
            latest_ns = max(latest_ns, next(_values(payload)))
            end = file.tell()
        if end < size and _sound_frame_after(file, end):
            raise JournalDamaged(
                f"{path} is damaged at byte {end}, and sound data follows: this is not a write "
                "that was cut off. Restore the file from a copy, or move it away to begin anew."
            )
    return Found(end, size - end, latest_ns)


def read(path: Path, broker: str, sound_bytes: int) -> Iterator[Record]:
    """The records of a journal that was looked through, oldest first."""
    with path.open("rb") as file:
        _read_preface(file, path, broker)
        while file.tell() < sound_bytes:
            payload = _read_frame(file)
            if payload is None:
                return
            values = _values(payload)
            next(values)
            yield from values


def write_new(path: Path, broker: str, records: Iterable[Record], now_ns: int) -> int:
    """Write a journal that holds these records, safe on the disk; return its size."""
    with path.open("wb") as file:
        file.write(MAGIC + frame(pack({"broker": broker})))
        batch = bytearray(pack(now_ns))
        for record in records:
            batch += pack(record)
            if len(batch) >= _BATCH_BYTES:
                file.write(frame(bytes(batch)))
                batch = bytearray(pack(now_ns))
        file.write(frame(bytes(batch)))
        file.flush()
        os.fsync(file.fileno())
        return file.tell()


class Journal:
    """A journal open for appending."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | _BINARY)
        self.size_bytes = os.fstat(self._descriptor).st_size

    def append(self, batch: bytes) -> None:
        """Hand a batch to the operating system; from then on the end of this program is no loss.

        Raises:
            CannotKeep: it could not be written, and is not in the file.
        """
        left = memoryview(frame(batch))
        try:
            while left:
                left = left[os.write(self._descriptor, left) :]
        except OSError as error:
            self._cut_back()
            raise CannotKeep(
                f"{self.path} cannot be written ({error.strerror}). What was confirmed up to now "
                "is kept, nothing was confirmed since. Make room, then start again."
            ) from error
        self.size_bytes += _HEAD.size + len(batch)

    def sync(self) -> None:
        """Wait until what was appended would survive the loss of power.

        Raises:
            CannotKeep: the disk does not take it.
        """
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            raise CannotKeep(
                f"{self.path} cannot be brought to the disk ({error.strerror})."
            ) from error

    def close(self) -> None:
        """Leave the file."""
        os.close(self._descriptor)

    def _cut_back(self) -> None:
        try:
            os.ftruncate(self._descriptor, self.size_bytes)
        except OSError:
            pass  # Half a frame stays; whoever reads leaves it out.


def _read_preface(file: IO[bytes], path: Path, broker: str) -> None:
    found = file.read(len(MAGIC))
    if found != MAGIC:
        raise JournalDamaged(
            f"{path} is no journal that this version can read: it begins with {found!r}, not "
            f"with {MAGIC!r}. Use the version that wrote it, or move it away to begin anew."
        )
    about = _read_frame(file)
    owner = next(_values(about)).get("broker") if about is not None else None
    if owner != broker:
        raise JournalDamaged(
            f"{path} should hold the data of {broker}, but says {owner!r}. "
            "Move it away to begin anew."
        )


def _read_frame(file: IO[bytes]) -> bytes | None:
    """The next frame's payload; None at the end, and for what is no sound frame."""
    head = file.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    size, check = _HEAD.unpack(head)
    payload = file.read(size)
    # Zeros, which a file system may leave behind, would be a sound frame of nothing.
    if not size or len(payload) < size or zlib.crc32(payload) != check:
        return None
    return payload


def _sound_frame_after(file: IO[bytes], position: int) -> bool:
    """Whether a sound frame follows soon after the unsound one at this position.

    Where the unsound one ends is unknown, as its length may be what is damaged.
    """
    file.seek(position + 1)
    rest = memoryview(file.read(2 * _LOOKED_THROUGH_BYTES))
    for start in range(min(_LOOKED_THROUGH_BYTES, len(rest) - _HEAD.size)):
        size, check = _HEAD.unpack_from(rest, start)
        payload = rest[start + _HEAD.size : start + _HEAD.size + size]
        if 0 < size == len(payload) and zlib.crc32(payload) == check:
            return True
    return False


def _values(payload: bytes) -> Iterator[Any]:
    unpacker = msgpack.Unpacker(
        strict_map_key=False, unicode_errors="surrogatepass", max_buffer_size=0
    )
    unpacker.feed(payload)
    return iter(unpacker)
