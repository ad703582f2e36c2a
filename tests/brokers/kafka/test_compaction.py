"""Compaction keeps the last record of each key, and tombstones for a while."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.brokers.kafka.errors import Code
from sandbox.brokers.kafka.records import Record, build_batch
from tests.brokers.kafka.client import Client, World, batch, values

SETTINGS = {
    "cleanup_policy": "compact",
    "segment_ms": "1000",
    "delete_retention_ms": "60000",
    "min_cleanable_dirty_ratio": "0",
}


def keyed(world: World, *pairs: tuple[bytes, bytes | None], **options: Any) -> Any:
    now_ms = world.now_ns // 1_000_000
    return build_batch([Record(n, now_ms, *pair) for n, pair in enumerate(pairs)], **options)


def put(world: World, client: Client, *pairs: tuple[bytes, bytes | None]) -> None:
    assert client.produce("table", keyed(world, *pairs)).error_code == Code.NONE


def table(world: World) -> list[tuple[int, bytes | None, bytes | None]]:
    log = world.partition("table").log
    return [(record.offset, record.key, record.value) for record in log.records()]


def rolled(world: World, client: Client) -> None:
    """Let the segment end: what is written next is in another one, which is left alone."""
    world.advance(2)
    put(world, client, (b"end", b"%d" % world.now_ns))


@pytest.fixture
def compacted(world: World, client: Client) -> World:
    assert client.create_topic("table", **SETTINGS).error_code == Code.NONE
    put(world, client, (b"a", b"1"), (b"b", b"1"))
    put(world, client, (b"a", b"2"))
    rolled(world, client)
    world.advance(20)
    return world


def test_the_last_record_of_each_key_stays_at_its_offset(compacted: World) -> None:
    assert table(compacted)[:2] == [(1, b"b", b"1"), (2, b"a", b"2")]


def test_a_reader_skips_what_is_gone(compacted: World, client: Client) -> None:
    found = values(client.fetch("table", 0))
    assert [offset for offset, _ in found] == [1, 2, 3]
    assert compacted.partition("table").high_watermark == 4


def test_the_active_segment_is_left_alone(world: World, client: Client) -> None:
    client.create_topic("table", **SETTINGS)
    put(world, client, (b"a", b"1"))
    put(world, client, (b"a", b"2"))
    world.advance(100)
    assert len(table(world)) == 2


def test_a_tombstone_removes_its_key_and_goes_itself_later(
    compacted: World, client: Client
) -> None:
    put(compacted, client, (b"a", None))
    rolled(compacted, client)
    compacted.advance(20)
    kept = [row for row in table(compacted) if row[1] == b"a"]
    assert kept == [(4, b"a", None)]
    compacted.advance(90)
    assert [row for row in table(compacted) if row[1] == b"a"] == []


def test_a_record_without_a_key_is_refused(compacted: World, client: Client) -> None:
    answer = client.produce("table", [b"no key"])
    assert answer.error_code == Code.INVALID_RECORD
    assert "without key" in answer.error_message


def test_too_little_that_is_new_is_left_alone(world: World, client: Client) -> None:
    client.create_topic("table", **{**SETTINGS, "min_cleanable_dirty_ratio": "1"})
    put(world, client, (b"a", b"1"))
    rolled(world, client)
    world.advance(20)
    put(world, client, (b"a", b"2"))
    rolled(world, client)
    world.advance(60)
    assert [row[2] for row in table(world) if row[1] == b"a"] == [b"1", b"2"]


def test_what_is_older_than_the_longest_lag_is_compacted_anyway(
    world: World, client: Client
) -> None:
    settings = {"min_cleanable_dirty_ratio": "1", "max_compaction_lag_ms": "60000"}
    client.create_topic("table", **{**SETTINGS, **settings})
    put(world, client, (b"a", b"1"))
    rolled(world, client)
    world.advance(20)
    put(world, client, (b"a", b"2"))
    rolled(world, client)
    world.advance(90)
    assert [row[2] for row in table(world) if row[1] == b"a"] == [b"2"]


def test_an_open_transaction_is_not_compacted_and_an_aborted_one_counts_for_nothing(
    world: World, client: Client
) -> None:
    client.create_topic("table", **SETTINGS)
    put(world, client, (b"a", b"1"))
    producer_id, epoch = client.init_producer("t").producer_id, 0
    partition = {"name": "table", "partitions": [0]}
    identity = {
        "transactional_id": "t",
        "producer_id": producer_id,
        "producer_epoch": epoch,
    }
    client.call(
        "AddPartitionsToTxn",
        {f"v3_and_below_{key}": value for key, value in identity.items()}
        | {"v3_and_below_topics": [partition]},
    )
    inside = keyed(
        world,
        (b"a", b"aborted"),
        attributes=0x10,
        producer_id=producer_id,
        producer_epoch=epoch,
        base_sequence=0,
    )
    assert client.produce("table", inside, transactional_id="t").error_code == Code.NONE
    rolled(world, client)
    world.advance(20)
    assert [row[2] for row in table(world) if row[1] == b"a"] == [b"1", b"aborted"]
    client.call("EndTxn", {**identity, "committed": False})
    rolled(world, client)
    world.advance(20)
    assert [row[2] for row in table(world) if row[1] == b"a"] == [b"1"]


def test_compacting_and_deleting_both_happen(world: World, client: Client) -> None:
    settings = {"cleanup_policy": "compact,delete", "retention_ms": "400000"}
    client.create_topic("table", **{**SETTINGS, **settings})
    put(world, client, (b"a", b"1"), (b"a", b"2"))
    rolled(world, client)
    world.advance(20)
    assert [row[2] for row in table(world) if row[1] == b"a"] == [b"2"]
    world.advance(1000)
    assert table(world) == []


def test_a_compacted_topic_alone_deletes_nothing_for_its_age(compacted: World) -> None:
    compacted.advance(30 * 24 * 3600)
    assert (2, b"a", b"2") in table(compacted)


def test_a_gap_in_the_log_outlives_the_interpreter(compacted: World) -> None:
    again = World()
    again.broker.restore(compacted.broker.snapshot(), 0)
    assert table(again) == table(compacted)
    assert again.connect().produce("table", keyed(again, (b"c", b"1"))).base_offset == 4


def test_an_ordinary_batch_of_one_topic_is_not_touched(world: World, client: Client) -> None:
    client.create_topic("orders")
    client.produce("orders", batch(b"a"))
    world.advance(100)
    assert len(world.partition("orders").log.batches) == 1
