"""A log: batches in order, in segments; what is read from it and what is dropped from it.

Offsets only grow. Reading takes nothing away: only retention (by time or size, whole segments at a
time) and DeleteRecords move the start. [kafka.apache.org/documentation "Log"]
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from sandbox.brokers.kafka.errors import Code, KafkaError
from sandbox.brokers.kafka.records import Batch, Record


class Segment:
    """Some batches that are dropped together."""

    def __init__(self, first: Batch) -> None:
        self.base_offset = first.base_offset
        self.first_ms = first.max_timestamp_ms
        self.newest_ms = first.max_timestamp_ms
        self.size_bytes = 0
        self.next_offset = first.base_offset

    def add(self, batch: Batch) -> None:
        """Count a batch in."""
        self.size_bytes += len(batch.data)
        self.newest_ms = max(self.newest_ms, batch.max_timestamp_ms)
        self.next_offset = batch.last_offset + 1


class Log:
    """One partition's records."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.segments: list[Segment] = []
        self.start_offset = 0
        self.end_offset = 0
        #: Up to here it was compacted.
        self.cleaned_offset = 0
        self._last_offsets: list[int] = []

    @property
    def size_bytes(self) -> int:
        """All that is stored."""
        return sum(segment.size_bytes for segment in self.segments)

    def store(self, batch: Batch, *, segment_bytes: int = 2**30, segment_ms: int = 2**62) -> None:
        """Put a batch at the end; it has its place (`Batch.place`)."""
        active = self.segments[-1] if self.segments else None
        if (
            active is None
            or active.size_bytes + len(batch.data) > segment_bytes
            or batch.max_timestamp_ms - active.first_ms >= segment_ms
        ):
            active = Segment(batch)
            self.segments.append(active)
        active.add(batch)
        self.batches.append(batch)
        self._last_offsets.append(batch.last_offset)
        self.end_offset = batch.last_offset + 1

    def truncate(self, offset: int) -> int:
        """Forget everything from `offset` on. Returns: how many offsets went."""
        gone = self.end_offset - offset
        if gone <= 0:
            return 0
        keep = bisect_left(self._last_offsets, offset)
        del self.batches[keep:]
        del self._last_offsets[keep:]
        while self.segments and self.segments[-1].base_offset >= offset:
            del self.segments[-1]
        if self.segments:
            base = self.segments[-1].base_offset
            kept = [batch for batch in self.batches_from(base) if batch.base_offset >= base]
            if kept:
                self.segments[-1] = Segment(kept[0])
                for batch in kept:
                    self.segments[-1].add(batch)
            else:
                del self.segments[-1]
        self.end_offset = offset
        self.start_offset = min(self.start_offset, offset)
        self.cleaned_offset = min(self.cleaned_offset, offset)
        return gone

    def replace_before(self, end: int, batches: list[Batch]) -> None:
        """Have these batches in place of all that end before offset `end`: it was compacted."""
        self.batches[: bisect_left(self._last_offsets, end)] = batches
        self._last_offsets = [batch.last_offset for batch in self.batches]
        self.cleaned_offset = end
        for segment in self.segments:
            if segment.base_offset < end:
                segment.size_bytes = sum(
                    len(batch.data)
                    for batch in self.batches_from(segment.base_offset)
                    if batch.base_offset < segment.next_offset
                )

    def batches_from(self, offset: int) -> Iterator[Batch]:
        """The batches that hold this offset and all after it."""
        for index in range(bisect_left(self._last_offsets, offset), len(self.batches)):
            yield self.batches[index]

    def read(self, offset: int, limit: int, max_bytes: int) -> list[Batch]:
        """Whole batches from the one that holds `offset`, ending before offset `limit`.

        At least one if there is any, even if it is larger than `max_bytes`.

        Raises:
            KafkaError: 1, the offset is before the start or after the end.
        """
        if not self.start_offset <= offset <= self.end_offset:
            raise KafkaError(
                Code.OFFSET_OUT_OF_RANGE,
                f"offset {offset}; the log holds {self.start_offset} to {self.end_offset}",
            )
        taken: list[Batch] = []
        size = 0
        for batch in self.batches_from(offset):
            size += len(batch.data)
            if batch.last_offset >= limit or (taken and size > max_bytes):
                break
            taken.append(batch)
        return taken

    def records(self) -> list[Record]:
        """Every record that is still there, oldest first."""
        return [
            record
            for batch in self.batches_from(self.start_offset)
            for record in batch.records()
            if record.offset >= self.start_offset
        ]

    def find_timestamp(self, timestamp_ms: int) -> tuple[int, int, int] | None:
        """The first record at or after a time: offset, timestamp, leader epoch."""
        for batch in self.batches_from(self.start_offset):
            if batch.max_timestamp_ms >= timestamp_ms:
                for record in batch.records():
                    if record.timestamp_ms >= timestamp_ms and record.offset >= self.start_offset:
                        return record.offset, record.timestamp_ms, batch.leader_epoch
        return None

    def find_newest(self) -> tuple[int, int, int] | None:
        """The record with the greatest timestamp: offset, timestamp, leader epoch."""
        found: tuple[int, int, int] | None = None
        for batch in self.batches_from(self.start_offset):
            if found is None or batch.max_timestamp_ms > found[1]:
                for record in batch.records():
                    if found is None or record.timestamp_ms > found[1]:
                        found = record.offset, record.timestamp_ms, batch.leader_epoch
        return found

    def end_of_epoch(self, epoch: int) -> tuple[int, int]:
        """The last epoch not after this one that has records, and the offset after them.

        (-1, -1) if there are no records at all.
        """
        found = (-1, -1)
        for batch in self.batches:
            if batch.leader_epoch > epoch:
                return (epoch if found[0] < 0 else found[0], batch.base_offset)
            found = (batch.leader_epoch, batch.last_offset + 1)
        return found

    def forget_before(self, offset: int) -> None:
        """Move the start; batches that end before it are dropped."""
        self.start_offset = max(self.start_offset, offset)
        self.end_offset = max(self.end_offset, offset)
        keep = bisect_left(self._last_offsets, self.start_offset)
        del self.batches[:keep]
        del self._last_offsets[:keep]
        while self.segments and self.segments[0].next_offset <= self.start_offset:
            del self.segments[0]

    def expire(
        self, now_ms: int, retention_ms: int, retention_bytes: int, committed: int = 2**63 - 1
    ) -> int:
        """Drop whole segments that are too old or too much, up to the offset `committed`.

        Returns: how many records went.
        """
        before = self.start_offset
        while (
            self.segments
            and 0 <= retention_ms < now_ms - self.segments[0].newest_ms
            and self.segments[0].next_offset <= committed
        ):
            self.forget_before(self.segments[0].next_offset)
        while (
            retention_bytes >= 0
            and len(self.segments) > 1
            and self.segments[0].next_offset <= committed
            and self.size_bytes - self.segments[0].size_bytes >= retention_bytes
        ):
            self.forget_before(self.segments[0].next_offset)
        return self.start_offset - before
