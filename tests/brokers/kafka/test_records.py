from __future__ import annotations

import gzip

import pytest

from sandbox.brokers.kafka.errors import Code
from tests.brokers.kafka.client import MS, Client, World, batch, values


def test_records_are_read_in_the_order_they_were_written(client: Client) -> None:
    client.create_topic("orders")
    assert client.produce("orders", [b"a", b"b"]).base_offset == 0
    assert client.produce("orders", [b"c"]).base_offset == 2
    fetched = client.fetch("orders", 0)
    assert values(fetched) == [(0, b"a"), (1, b"b"), (2, b"c")]
    assert fetched.high_watermark == 3


def test_reading_takes_nothing_away(client: Client) -> None:
    client.create_topic("orders")
    client.produce("orders", [b"a"])
    assert values(client.fetch("orders", 0)) == values(client.fetch("orders", 0)) == [(0, b"a")]


def test_a_fetch_waits_for_records_and_is_answered_when_they_come(world: World) -> None:
    reader, writer = world.connect("reader"), world.connect("writer")
    writer.create_topic("orders")
    reader.send_fetch("orders", 0, max_wait_ms=500)
    assert reader.answer() is None
    assert reader.side.subscribed
    world.advance(0.2)
    writer.produce("orders", [b"a"])
    assert values(reader.answer().responses[0].partitions[0]) == [(0, b"a")]


def test_a_fetch_that_finds_nothing_is_answered_after_its_time(world: World) -> None:
    client = world.connect()
    client.create_topic("orders")
    before = world.broker.activity
    client.send_fetch("orders", 0, max_wait_ms=500)
    assert world.broker.next_timer() == world.now_ns + 500 * MS
    assert world.broker.next_event_timer() is None
    world.advance(0.499)
    assert client.answer() is None
    world.advance(0.001)
    assert client.answer().responses[0].partitions[0].records in (None, b"")
    assert world.broker.activity == before


def test_what_comes_after_a_waiting_fetch_waits_too(world: World) -> None:
    client = world.connect()
    client.create_topic("orders")
    client.send_fetch("orders", 0, max_wait_ms=500)
    client.send("ListGroups", {"states_filter": [], "types_filter": []})
    assert client.answer() is None
    world.advance(0.5)
    assert hasattr(client.answer(), "responses")
    assert hasattr(client.answer(), "groups")


def test_a_fetch_waits_until_there_are_min_bytes(world: World) -> None:
    reader, writer = world.connect("reader"), world.connect("writer")
    writer.create_topic("orders")
    size = len(batch(b"a").data)
    reader.send_fetch("orders", 0, max_wait_ms=500, min_bytes=2 * size)
    writer.produce("orders", [b"a"])
    assert reader.answer() is None
    writer.produce("orders", [b"b"])
    assert len(values(reader.answer().responses[0].partitions[0])) == 2


def test_at_least_one_batch_comes_however_large(client: Client) -> None:
    client.create_topic("orders")
    client.produce("orders", [b"a" * 1000])
    client.produce("orders", [b"b"])
    assert [offset for offset, _ in values(client.fetch("orders", 0, max_bytes=10))] == [0]


def test_an_offset_outside_the_log_is_refused(client: Client) -> None:
    client.create_topic("orders")
    client.produce("orders", [b"a"])
    assert client.fetch("orders", 2).error_code == Code.OFFSET_OUT_OF_RANGE
    assert client.fetch("orders", 1).error_code == Code.NONE


def test_an_unknown_topic_or_partition_is_refused(client: Client) -> None:
    client.create_topic("orders")
    assert client.produce("orders", [b"a"], 1).error_code == Code.UNKNOWN_TOPIC_OR_PARTITION
    assert client.fetch("nobody", 0).error_code == Code.UNKNOWN_TOPIC_OR_PARTITION


@pytest.mark.parametrize(("epoch", "code"), [(-1, 0), (0, 0), (1, Code.UNKNOWN_LEADER_EPOCH)])
def test_a_leader_knows_its_epoch(client: Client, epoch: int, code: int) -> None:
    client.create_topic("orders")
    assert client.fetch("orders", 0, epoch=epoch).error_code == code


def test_a_damaged_batch_is_refused(client: Client) -> None:
    client.create_topic("orders")
    data = bytearray(batch(b"abc").data)
    data[-2] ^= 1
    assert client.produce("orders", bytes(data)).error_code == Code.CORRUPT_MESSAGE
    assert client.produce("orders", bytes(data[:30])).error_code == Code.CORRUPT_MESSAGE
    assert client.produce("orders", b"").error_code == Code.INVALID_RECORD


def test_compression_that_the_browser_lacks_is_refused_by_name(client: Client) -> None:
    client.create_topic("orders")
    answer = client.produce("orders", batch(b"abc", attributes=3))
    assert answer.error_code == Code.UNSUPPORTED_COMPRESSION_TYPE
    assert "lz4" in answer.error_message


def test_gzip_passes_through(client: Client) -> None:
    from kafka.record.default_records import DefaultRecordBatchBuilder

    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=1,
        is_transactional=0,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=9999,
    )
    builder.append(0, 1000, None, b"abc" * 100, [])
    data = bytes(builder.build())
    assert len(data) < 300
    assert gzip.decompress(data[61:])
    client.create_topic("orders")
    assert client.produce("orders", data).error_code == Code.NONE
    assert values(client.fetch("orders", 0)) == [(0, b"abc" * 100)]


def test_a_batch_that_is_too_large_is_refused(client: Client) -> None:
    client.create_topic("orders", max_message_bytes="100")
    assert client.produce("orders", [b"a" * 100]).error_code == Code.MESSAGE_TOO_LARGE


def test_acks_0_gets_no_answer_and_an_error_ends_the_connection(world: World) -> None:
    client = world.connect()
    client.create_topic("orders")
    client.send_produce("orders", [b"a"], acks=0)
    assert client.answer() is None
    assert not client.side.closing
    assert values(client.fetch("orders", 0)) == [(0, b"a")]
    client.send_produce("nobody", [b"a"], acks=0)
    assert client.side.closing


def test_log_append_time_is_the_brokers(world: World) -> None:
    client = world.connect()
    client.create_topic("orders", message_timestamp_type="LogAppendTime")
    world.advance(5)
    assert client.produce("orders", [b"a"]).log_append_time_ms == 5000
    assert values(client.fetch("orders", 0)) == [(0, b"a")]
    assert world.cluster.topics["orders"].partitions[0].log.records()[0].timestamp_ms == 5000


def _list(client: Client, timestamp: int) -> tuple[int, int]:
    answer = client.call(
        "ListOffsets",
        {
            "replica_id": -1,
            "isolation_level": 0,
            "topics": [
                {
                    "name": "orders",
                    "partitions": [
                        {
                            "partition_index": 0,
                            "current_leader_epoch": -1,
                            "timestamp": timestamp,
                        }
                    ],
                }
            ],
            "timeout_ms": 1000,
        },
    )
    found = answer.topics[0].partitions[0]
    return found.offset, found.timestamp


def test_offsets_are_found_by_time(client: Client) -> None:
    client.create_topic("orders")
    client.produce("orders", [b"a", b"b", b"c"])  # at 1000, 1001 and 1002 ms
    assert _list(client, -2) == (0, -1)
    assert _list(client, -1) == (3, -1)
    assert _list(client, 1001) == (1, 1001)
    assert _list(client, 0) == (0, 1000)
    assert _list(client, 1003) == (-1, -1)
    assert _list(client, -3) == (2, 1002)


def test_deleting_records_moves_the_start(client: Client) -> None:
    client.create_topic("orders")
    client.produce("orders", [b"a", b"b"])
    client.produce("orders", [b"c"])
    partitions = [{"partition_index": 0, "offset": 1}]
    wanted = {"topics": [{"name": "orders", "partitions": partitions}], "timeout_ms": 1}
    assert client.call("DeleteRecords", wanted).topics[0].partitions[0].low_watermark == 1
    assert _list(client, -2) == (1, -1)
    assert client.fetch("orders", 0).error_code == Code.OFFSET_OUT_OF_RANGE
    partitions[0]["offset"] = 4
    answer = client.call("DeleteRecords", wanted).topics[0].partitions[0]
    assert answer.error_code == Code.OFFSET_OUT_OF_RANGE
    partitions[0]["offset"] = -1
    assert client.call("DeleteRecords", wanted).topics[0].partitions[0].low_watermark == 3


def test_old_segments_are_dropped_and_young_ones_stay(world: World) -> None:
    client = world.connect()
    client.create_topic("orders", retention_ms="60000", segment_bytes="100")
    client.produce("orders", [b"a" * 50])
    world.advance(290)
    client.world.broker.admin_produce("orders", [b"b" * 50], world.now_ns)
    world.advance(20)
    assert _list(client, -2) == (1, -1)
    assert "log.expire" in world.kinds()


def test_retention_by_size_keeps_at_least_so_much(world: World) -> None:
    client = world.connect()
    one = len(batch(b"a" * 50).data)
    client.create_topic("orders", retention_bytes=str(2 * one), segment_bytes=str(one))
    for _ in range(5):
        client.produce("orders", [b"a" * 50])
    world.advance(301)
    assert _list(client, -2) == (3, -1)


# -- idempotent producers --------------------------------------------------------------------------


def test_a_batch_sent_twice_is_written_once(client: Client) -> None:
    client.create_topic("orders")
    producer = (client.init_producer().producer_id, 0)
    first = client.produce("orders", batch(b"a", b"b", producer=producer, sequence=0))
    again = client.produce("orders", batch(b"a", b"b", producer=producer, sequence=0))
    assert (again.error_code, again.base_offset) == (0, first.base_offset)
    assert len(values(client.fetch("orders", 0))) == 2


def test_a_gap_in_a_producers_sequence_is_refused(client: Client) -> None:
    client.create_topic("orders")
    producer = (client.init_producer().producer_id, 0)
    client.produce("orders", batch(b"a", producer=producer, sequence=0))
    answer = client.produce("orders", batch(b"c", producer=producer, sequence=2))
    assert answer.error_code == Code.OUT_OF_ORDER_SEQUENCE_NUMBER


def test_a_repetition_from_long_ago_is_a_duplicate(client: Client) -> None:
    client.create_topic("orders")
    producer = (client.init_producer().producer_id, 0)
    for sequence in range(7):
        client.produce("orders", batch(b"a", producer=producer, sequence=sequence))
    answer = client.produce("orders", batch(b"a", producer=producer, sequence=0))
    assert answer.error_code == Code.DUPLICATE_SEQUENCE_NUMBER
    assert client.produce("orders", batch(b"a", producer=producer, sequence=3)).base_offset == 3


def test_an_older_epoch_is_refused(client: Client) -> None:
    client.create_topic("orders")
    client.produce("orders", batch(b"a", producer=(5, 1), sequence=0))
    answer = client.produce("orders", batch(b"b", producer=(5, 0), sequence=1))
    assert answer.error_code == Code.INVALID_PRODUCER_EPOCH


def test_a_restart_keeps_records_and_hangs_up(world: World) -> None:
    client = world.connect()
    client.create_topic("orders")
    client.produce("orders", [b"a"])
    world.broker.restart(world.now_ns)
    assert client.side.closing
    assert values(world.connect().fetch("orders", 0)) == [(0, b"a")]
