"""Keeps a broker's durable state in a journal: restores it, appends changes, makes it small again.

A change is written before the bytes that confirm it are sent (`flush` comes first in
`carrier.Service.settle`), so killing this program loses nothing that any client was told is safe.
Losing power may, unless `fsync` is set: then `sync` is awaited too.

A journal grows with every change, so it is rewritten from a snapshot when the server starts and
whenever it has grown to several times the last snapshot. The new file takes the old one's name in
one step, once it is whole and on the disk.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Final

from sandbox.brokers.base import Durable, Record
from sandbox.embedded import journal
from sandbox.embedded.errors import JournalDamaged
from sandbox.embedded.folder import Folder
from sandbox.embedded.limits import LEAST_BYTES

#: A journal is rewritten when it is this many times as large as it was when new.
GROWTH: Final = 4


class Keeper:
    """One broker's durable state on the disk."""

    def __init__(
        self,
        name: str,
        folder: Folder,
        *,
        fsync: bool,
        log: Callable[[str], None],
        growth: int = GROWTH,
        least_bytes: int = LEAST_BYTES,
    ) -> None:
        self.name = name
        self.fsync = fsync
        self.path = folder.journal(name)
        self._folder = folder
        self._log = log
        self._growth = growth
        self._least_bytes = least_bytes
        self._found = journal.look_through(self.path, name) if self.path.exists() else None
        self._broker: Durable | None = None
        self._now_ns: Callable[[], int] = lambda: 0
        self._journal: journal.Journal | None = None
        self._pending: list[bytes] = []
        self._rewrite_at_bytes = 0
        if self._found and self._found.torn_bytes:
            log(
                f"{name}: the last write to {self.path} was cut off; its "
                f"{self._found.torn_bytes} bytes, which nobody was told are safe, are left out"
            )

    @property
    def latest_ns(self) -> int:
        """When the latest change was made that is in the file."""
        return self._found.latest_ns if self._found else 0

    @property
    def size_bytes(self) -> int:
        """How large the file is."""
        return self._journal.size_bytes if self._journal else 0

    @property
    def has_grown(self) -> bool:
        """Whether it is time to `rewrite`."""
        return self.size_bytes > self._rewrite_at_bytes

    def begin(self, broker: Durable, now_ns: Callable[[], int]) -> None:
        """Restore into a broker that was just made, and keep its changes from now on.

        Raises:
            JournalDamaged: the broker does not know a record.
        """
        self._broker = broker
        self._now_ns = now_ns
        if self._found is not None:
            records = journal.read(self.path, self.name, self._found.sound_bytes)
            try:
                broker.restore(records, now_ns())
            except ValueError as error:
                raise JournalDamaged(
                    f"{self.path} holds something that this version does not know ({error}). "
                    "Use the version that wrote it, or move it away to begin anew."
                ) from error
        self._rewrite()
        broker.keep = self._keep

    def flush(self) -> bool:
        """Write what was changed since the last time; whether there was anything.

        Raises:
            CannotKeep: it could not be written. Nothing may be confirmed any more.
        """
        if not self._pending:
            return False
        assert self._journal is not None
        batch = b"".join(self._pending)
        self._pending.clear()
        self._journal.append(batch)
        return True

    def sync(self) -> None:
        """Wait until everything flushed would survive the loss of power.

        Raises:
            CannotKeep: the disk does not take it.
        """
        assert self._journal is not None
        self._journal.sync()

    def rewrite(self) -> None:
        """Begin a new file with what there is now; go on with the old one where that fails."""
        self.flush()
        try:
            self._rewrite()
        except OSError as error:
            self._rewrite_at_bytes = 2 * self.size_bytes
            self._log(f"{self.name}: {self.path} stays as long as it is ({error.strerror})")

    def close(self) -> None:
        """Bring everything to the disk and leave the file."""
        if self._broker is not None:
            self._broker.keep = None
        if self._journal is not None:
            self.flush()
            self.sync()
            self._journal.close()
            self._journal = None

    def _keep(self, record: Record) -> None:
        if not self._pending:
            self._pending.append(journal.pack(self._now_ns()))
        self._pending.append(journal.pack(record))

    def _rewrite(self) -> None:
        assert self._broker is not None
        new = self.path.with_suffix(".new")
        size = journal.write_new(new, self.name, self._broker.snapshot(), self._now_ns())
        if self._journal is not None:
            self._journal.close()  # Windows renames over no open file.
        os.replace(new, self.path)
        self._folder.sync()
        self._journal = journal.Journal(self.path)
        self._rewrite_at_bytes = max(self._growth * size, self._least_bytes)
