"""What a broker keeps comes back, wherever the power failed."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from sandbox.brokers.kafka import Broker
from sandbox.brokers.kafka.errors import Code
from sandbox.brokers.kafka.groups import GroupState
from tests.brokers.kafka.client import Client, World, batch, values
from tests.brokers.kafka.test_transactions import Producer


def restored(records: list[Any], now_ns: int = 0) -> World:
    world = World(random=Random(2))
    world.broker.restore(records, now_ns)
    return world


def live_through_much(world: World, client: Client) -> None:
    """A conversation that changes everything that is kept."""
    client.create_topic("orders", 2, retention_ms="60000", segment_bytes="200")
    client.create_topic("gone")
    client.produce("gone", [b"x"])
    client.commit("billing", "gone", 1)
    client.produce("orders", [b"a", b"b"])
    client.produce("orders", batch(b"once", producer=(7, 0), sequence=0), 1)
    member = client.enter("shop")
    client.answer()
    client.sync("shop", member, 1, {member: b"mine"})
    client.answer()
    client.commit("billing", "orders", 2)
    client.call("DeleteTopics", {"topics": [{"name": "gone"}], "timeout_ms": 1000})
    producer = Producer(client)
    producer.add()
    producer.produce(b"in a transaction")
    producer.send_offsets("billing", 3)
    producer.end(commit=True)
    producer.add()
    producer.produce(b"aborted")
    producer.end(commit=False)
    producer.add()
    producer.produce(b"open")
    producer.send_offsets("billing", 9)
    client.call(
        "DeleteRecords",
        {
            "topics": [{"name": "orders", "partitions": [{"partition_index": 0, "offset": 1}]}],
            "timeout_ms": 1000,
        },
    )
    client.call(
        "IncrementalAlterConfigs",
        {
            "resources": [
                {
                    "resource_type": 2,
                    "resource_name": "orders",
                    "configs": [
                        {"name": "max.message.bytes", "config_operation": 0, "value": "9999"}
                    ],
                }
            ],
            "validate_only": False,
        },
    )


@pytest.fixture
def kept(world: World, client: Client) -> list[Any]:
    records: list[Any] = []
    world.broker.keep = records.append
    live_through_much(world, client)
    return records


def test_records_rebuild_what_a_snapshot_says(world: World, kept: list[Any]) -> None:
    # The id of a cluster is drawn before anybody can keep it.
    first = next(iter(world.broker.snapshot()))
    again = restored([first, *kept])
    assert list(again.broker.snapshot()) == list(world.broker.snapshot())


def test_a_snapshot_rebuilds_itself(world: World, kept: list[Any]) -> None:
    records = list(world.broker.snapshot())
    assert list(restored(records).broker.snapshot()) == records


def test_everything_a_client_was_told_is_there_again(world: World, kept: list[Any]) -> None:
    again = restored(kept)
    client = again.connect()
    partition = again.cluster.topics["orders"].partitions[0]
    assert [record.value for record in partition.log.records()] == [
        b"b",
        b"in a transaction",
        b"aborted",
        b"open",
    ]
    fetched = client.fetch("orders", 1, isolation_level=1)
    found = [value for offset, value in values(fetched) if offset >= 1]
    assert found == [b"b", b"in a transaction", b"aborted"]
    assert [each.first_offset for each in fetched.aborted_transactions] == [4]
    assert client.committed("billing", "orders") == (3, Code.NONE)
    assert again.cluster.topics["orders"].config("max.message.bytes") == "9999"
    assert "gone" not in again.cluster.topics
    repeated = client.produce("orders", batch(b"once", producer=(7, 0), sequence=0), 1)
    assert (repeated.error_code, repeated.base_offset) == (Code.NONE, 0)


def test_a_member_goes_on_where_it_was(world: World, kept: list[Any]) -> None:
    again = restored(kept)
    client = again.connect()
    group = again.cluster.groups["shop"]
    (member,) = group.members
    assert client.heartbeat("shop", member, 1) == Code.NONE
    client.sync("shop", member, 1)
    assert client.answer().assignment == b"mine"


def test_a_member_that_does_not_come_back_is_dropped_when_its_session_ends(
    world: World, kept: list[Any]
) -> None:
    again = restored(kept)
    assert again.cluster.groups["shop"].state is GroupState.STABLE
    again.advance(11)
    assert again.cluster.groups["shop"].state is GroupState.EMPTY


def test_an_open_transaction_is_aborted_when_its_time_is_up(world: World, kept: list[Any]) -> None:
    again = restored(kept)
    assert again.cluster.topics["orders"].partitions[0].last_stable_offset == 6
    again.advance(61)
    assert again.cluster.topics["orders"].partitions[0].last_stable_offset == 8
    assert "transaction.abort" in again.kinds()


def test_power_may_fail_after_any_record(world: World, kept: list[Any]) -> None:
    for length in range(len(kept) + 1):
        again = restored(kept[:length])
        again.advance(120)
        for topic in again.cluster.topics.values():
            for partition in topic:
                assert partition.last_stable_offset == partition.high_watermark, length
        for group in again.cluster.groups:
            assert not any(group.undecided.values()), length


def test_a_decided_transaction_is_ended_once_after_a_failure_half_way(
    world: World, client: Client
) -> None:
    records: list[Any] = []
    world.broker.keep = records.append
    client.create_topic("orders")
    producer = Producer(client)
    producer.add()
    producer.produce(b"x")
    assert producer.end(commit=True) == Code.NONE
    marker = next(
        n for n, record in reversed(list(enumerate(records))) if record[0] == "log.append"
    )
    for cut in (marker, marker + 1):
        again = restored(records[:cut])
        again.advance(1)
        partition = again.cluster.topics["orders"].partitions[0]
        assert (partition.last_stable_offset, partition.log.end_offset) == (2, 2)
        assert again.cluster.transactions.by_id["t"].state.value == "CompleteCommit"


def test_a_record_is_made_before_the_answer_can_be_taken(world: World, client: Client) -> None:
    records: list[Any] = []
    client.create_topic("orders")
    client.commit("billing", "orders", 0)
    client.init_producer("earlier")
    world.broker.keep = lambda record: records.append((record[0], bool(client.side._output)))
    client.produce("orders", [b"a"])
    client.commit("billing", "orders", 1)
    client.init_producer("t")
    assert [word for word, _ in records] == ["log.append", "offset", "producer.id", "transaction"]
    assert not any(answered for _, answered in records)


@pytest.mark.parametrize("record", [["surprise", 1], [], ["topic"], ["offset", "only a group"]])
def test_a_record_that_cannot_be_read_is_named(record: list[Any]) -> None:
    broker = Broker(random=Random(1))
    with pytest.raises(ValueError, match="record 0 of Kafka's state"):
        broker.restore([record], 0)
