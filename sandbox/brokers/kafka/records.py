"""Record batches: how a log stores what producers send, byte for byte.

A broker does not take batches apart to store them. It reads the header, checks the checksum, and
writes two fields that lie before what the checksum covers: the base offset and the leader's epoch.
Batches the broker makes itself (transaction markers, the administrator's records) are built here.
[kafka.apache.org/documentation "Record Batch", "Control Batches"]
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from struct import Struct, pack_into
from struct import error as unpack_error
from typing import Any, Final

from kafka.errors import CorruptRecordError, UnsupportedCodecError
from kafka.record import default_records, util

from sandbox.brokers.kafka.checksums import crc32c
from sandbox.brokers.kafka.errors import Code, KafkaError

_HEADER: Final = Struct(">qiibIhiqqqhii")
_CRC_FROM: Final = 21
_TIMESTAMP_TYPE: Final = 0x08
_TRANSACTIONAL: Final = 0x10
_CONTROL: Final = 0x20
_CODEC: Final = 0x07
#: Compression that Python itself brings, in the browser too.
CODECS: Final = {0: "none", 1: "gzip"}
_CODEC_NAMES: Final = {2: "snappy", 3: "lz4", 4: "zstd"}
_MAX_SEQUENCE: Final = 2**31
_read_batch: Final[Callable[[bytes], Iterable[Any]]] = default_records.DefaultRecordBatch
_put_varint: Final[Callable[[int, Callable[[int], None]], Any]] = util.encode_varint

Headers = Sequence[tuple[str, bytes | None]]


@dataclass(frozen=True, slots=True)
class Record:
    """One record, taken out of its batch."""

    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for the trace."""
        return {
            "offset": self.offset,
            "timestamp_ms": self.timestamp_ms,
            "key": self.key,
            "value": self.value,
            "headers": [list(pair) for pair in self.headers],
        }


@dataclass(slots=True)
class Batch:
    """A batch as it is stored: its header's fields, and its bytes."""

    data: bytes
    base_offset: int
    last_offset: int
    first_timestamp_ms: int
    max_timestamp_ms: int
    producer_id: int
    producer_epoch: int
    base_sequence: int
    count: int
    attributes: int
    leader_epoch: int = 0
    #: When its tombstones may go; None: no compaction has met one.
    horizon_ms: int | None = None

    @property
    def transactional(self) -> bool:
        """Part of a transaction."""
        return bool(self.attributes & _TRANSACTIONAL)

    @property
    def control(self) -> bool:
        """A marker that ends a transaction; clients do not show it."""
        return bool(self.attributes & _CONTROL)

    @property
    def commits(self) -> bool:
        """For a marker: the transaction was committed, not aborted."""
        if not self.control:
            return False
        record = next(iter(_read_batch(self.data)))
        return record.key is not None and record.key[3] == 1

    @property
    def last_sequence(self) -> int:
        """The sequence number of its last record."""
        return (self.base_sequence + self.last_offset - self.base_offset) % _MAX_SEQUENCE

    def place(self, offset: int, leader_epoch: int, append_time_ms: int | None = None) -> None:
        """Give it its place in a log, and with `append_time_ms` the broker's time."""
        data = bytearray(self.data)
        if append_time_ms is not None:
            self.attributes |= _TIMESTAMP_TYPE
            self.max_timestamp_ms = append_time_ms
            pack_into(">h", data, 21, self.attributes)
            pack_into(">q", data, 35, append_time_ms)
            pack_into(">I", data, 17, crc32c(bytes(data[_CRC_FROM:])))
        pack_into(">q", data, 0, offset)
        pack_into(">i", data, 12, leader_epoch)
        self.last_offset += offset - self.base_offset
        self.base_offset, self.leader_epoch, self.data = offset, leader_epoch, bytes(data)

    def records(self) -> Iterator[Record]:
        """Take it apart. A marker's records are not shown.

        Raises:
            KafkaError: 87 or 2, it does not hold what its header says.
        """
        if self.control:
            return
        try:
            for record in _read_batch(self.data):
                yield Record(
                    record.offset, record.timestamp, record.key, record.value, tuple(record.headers)
                )
        except (CorruptRecordError, UnsupportedCodecError) as why:
            raise KafkaError(Code.CORRUPT_MESSAGE, str(why)) from why
        except (ValueError, IndexError, unpack_error, EOFError, OSError) as why:
            raise KafkaError(Code.INVALID_RECORD, f"records cannot be read: {why}") from why


def parse_batches(data: bytes) -> list[Batch]:
    """Read the batches a producer sent.

    Raises:
        KafkaError: 2, cut short or with a wrong checksum; 76, compressed in a way we cannot read;
            87, of the format before Kafka 0.11 or with counts that contradict each other.
    """
    batches = []
    at = 0
    while at < len(data):
        batch = _parse_one(data, at)
        batches.append(batch)
        at += len(batch.data)
    return batches


def _parse_one(data: bytes, at: int) -> Batch:
    if len(data) - at < _HEADER.size:
        raise KafkaError(Code.CORRUPT_MESSAGE, "a record batch is cut short")
    (
        base,
        length,
        _,
        magic,
        crc,
        attributes,
        delta,
        first_ms,
        max_ms,
        pid,
        epoch,
        sequence,
        count,
    ) = _HEADER.unpack_from(data, at)
    if magic != 2:
        raise KafkaError(Code.INVALID_RECORD, f"record format {magic}; only format 2 is accepted")
    end = at + 12 + length
    if length < _HEADER.size - 12 or end > len(data):
        raise KafkaError(Code.CORRUPT_MESSAGE, "a record batch is cut short")
    raw = data[at:end]
    if crc32c(raw[_CRC_FROM:]) != crc:
        raise KafkaError(Code.CORRUPT_MESSAGE, "a record batch has a wrong checksum")
    codec = attributes & _CODEC
    if codec not in CODECS:
        name = _CODEC_NAMES.get(codec, str(codec))
        raise KafkaError(
            Code.UNSUPPORTED_COMPRESSION_TYPE,
            f"the sandbox reads records that are plain or compressed with gzip, not {name}",
        )
    if count < 1 or delta != count - 1:
        raise KafkaError(Code.INVALID_RECORD, f"{count} records, but the last has number {delta}")
    return Batch(raw, base, base + delta, first_ms, max_ms, pid, epoch, sequence, count, attributes)


def read_stored(data: bytes) -> Batch:
    """Read one batch back that a log had accepted; nothing is checked again.

    Raises:
        ValueError: it is too short to be one.
    """
    if len(data) < _HEADER.size:
        raise ValueError("a record batch is cut short")
    base, _, leader_epoch, _, _, attributes, delta, first_ms, max_ms, *rest = _HEADER.unpack_from(
        data
    )
    pid, epoch, sequence, count = rest
    last = base + delta
    return Batch(
        data, base, last, first_ms, max_ms, pid, epoch, sequence, count, attributes, leader_epoch
    )


def build_batch(
    records: Sequence[Record],
    *,
    attributes: int = 0,
    producer_id: int = -1,
    producer_epoch: int = -1,
    base_sequence: int = -1,
) -> Batch:
    """Make a batch of records; their offsets say their places relative to the first one."""
    first = records[0]
    body = bytearray()
    for record in records:
        one = bytearray(b"\0")
        _put_varint(record.timestamp_ms - first.timestamp_ms, one.append)
        _put_varint(record.offset - first.offset, one.append)
        _put(one, record.key)
        _put(one, record.value)
        _put_varint(len(record.headers), one.append)
        for name, value in record.headers:
            _put(one, name.encode())
            _put(one, value)
        _put_varint(len(one), body.append)
        body += one
    newest_ms = max(record.timestamp_ms for record in records)
    delta = records[-1].offset - first.offset
    data = bytearray(
        _HEADER.pack(
            first.offset,
            _HEADER.size - 12 + len(body),
            0,
            2,
            0,
            attributes,
            delta,
            first.timestamp_ms,
            newest_ms,
            producer_id,
            producer_epoch,
            base_sequence,
            len(records),
        )
    )
    data += body
    pack_into(">I", data, 17, crc32c(bytes(data[_CRC_FROM:])))
    return Batch(
        bytes(data),
        first.offset,
        first.offset + delta,
        first.timestamp_ms,
        newest_ms,
        producer_id,
        producer_epoch,
        base_sequence,
        len(records),
        attributes,
    )


def build_marker(producer_id: int, producer_epoch: int, *, commit: bool, now_ms: int) -> Batch:
    """Make the control batch that ends a transaction in one partition."""
    key = Struct(">hh").pack(0, 1 if commit else 0)
    value = Struct(">hi").pack(0, 0)
    return build_batch(
        [Record(0, now_ms, key, value)],
        attributes=_TRANSACTIONAL | _CONTROL,
        producer_id=producer_id,
        producer_epoch=producer_epoch,
    )


def _put(out: bytearray, data: bytes | None) -> None:
    if data is None:
        _put_varint(-1, out.append)
    else:
        _put_varint(len(data), out.append)
        out += data
