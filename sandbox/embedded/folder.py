"""The folder of `--data`: which files are in it, and that one server at a time uses it.

The lock is the operating system's, on an open file: it ends with the program that holds it, however
that ends, so there is never a stale one to remove.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from sandbox.embedded.errors import EmbeddedError, FolderInUse

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


class Folder:
    """A folder of kept data, ours until `close`.

    Raises:
        FolderInUse: another server has it.
        EmbeddedError: it cannot be made or written to.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise EmbeddedError(
                f"Data cannot be kept in {path} ({error.strerror}). "
                "Name another folder with --data."
            ) from error
        try:
            _lock(self._lock)
        except OSError:
            holder = _holder(self._lock)
            os.close(self._lock)
            raise FolderInUse(
                f"Another sandbox{holder} keeps its data in {path}. Stop that one, or name "
                "another folder with --data."
            ) from None
        with suppress(OSError):
            os.ftruncate(self._lock, 0)
            os.lseek(self._lock, 0, os.SEEK_SET)
            os.write(self._lock, str(os.getpid()).encode())

    def journal(self, broker: str) -> Path:
        """Where this broker's changes are."""
        return self.path / f"{broker}.journal"

    def sync(self) -> None:
        """Make renames in it survive the loss of power, where the system can."""
        with suppress(OSError):
            descriptor = os.open(self.path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def close(self) -> None:
        """Let another server have it."""
        os.close(self._lock)


def _lock(descriptor: int) -> None:
    if fcntl is not None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return
    import msvcrt

    # Far behind the text, which others may read.
    os.lseek(descriptor, 1 << 20, os.SEEK_SET)
    msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    os.lseek(descriptor, 0, os.SEEK_SET)


def _holder(descriptor: int) -> str:
    try:
        os.lseek(descriptor, 0, os.SEEK_SET)
        text = os.read(descriptor, 32).decode(errors="replace")
    except OSError:
        return ""
    return f" (process {text})" if text.isdecimal() else ""
