"""What a restart keeps of one durable queue's messages, told to the journal as it changes.

A queue that does not survive a restart has no `Keeping`; with nobody who keeps records, and for a
message that is not persistent, each call here ends at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.brokers.amqp.journal import Journal, message_record

if TYPE_CHECKING:
    from sandbox.brokers.amqp.message import Entry
    from sandbox.brokers.amqp.queue import Queue


class Keeping:
    """The records of one queue's messages."""

    __slots__ = ("_journal", "_queue")

    def __init__(self, queue: Queue, journal: Journal) -> None:
        self._queue = queue
        self._journal = journal

    def entered(self, entry: Entry) -> None:
        """A message came, or has another place now."""
        if self._keeps(entry):
            self._journal.write(*message_record(self._queue, entry, self._journal.epoch_ns))

    def out(self, entry: Entry) -> None:
        """A message is in a client's hands; told once, or each time where the queue counts it."""
        quorum = self._queue.options.quorum
        if (quorum or not entry.redelivered) and self._keeps(entry):
            self._write("out", entry.position)

    def back(self, entry: Entry) -> None:
        """A message came back to a quorum queue, which has counted it."""
        if self._keeps(entry):
            self._write("back", entry.position, entry.returns)

    def moved(self, entry: Entry, old_position: int) -> None:
        """A message came back to another place."""
        if self._keeps(entry):
            self.entered(entry)
            self._write("gone", old_position)

    def gone(self, *entries: Entry) -> None:
        """Messages are gone for good."""
        positions = [entry.position for entry in entries if self._keeps(entry)]
        if positions:
            self._write("gone", *positions)

    def _keeps(self, entry: Entry) -> bool:
        if self._journal.keep is None or self._queue.deleted:
            return False
        return entry.message.persistent or self._queue.options.quorum

    def _write(self, what: str, *values: int) -> None:
        self._journal.write(what, self._queue.home.name, self._queue.name, *values)
