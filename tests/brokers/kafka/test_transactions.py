from __future__ import annotations

from typing import Any

from sandbox.brokers.kafka.errors import Code
from tests.brokers.kafka.client import Client, World, batch, values


class Producer:
    """A transactional producer of the topic `orders`."""

    def __init__(self, client: Client, transactional_id: str = "t") -> None:
        self.client = client
        self.transactional_id = transactional_id
        answer = client.init_producer(transactional_id)
        assert answer.error_code == 0
        self.id, self.epoch = answer.producer_id, answer.producer_epoch
        self.sequence = 0

    def add(self) -> int:
        answer = self.client.call(
            "AddPartitionsToTxn",
            {
                "v3_and_below_transactional_id": self.transactional_id,
                "v3_and_below_producer_id": self.id,
                "v3_and_below_producer_epoch": self.epoch,
                "v3_and_below_topics": [{"name": "orders", "partitions": [0]}],
            },
        )
        code: int = (
            answer.results_by_topic_v3_and_below[0].results_by_partition[0].partition_error_code
        )
        return code

    def produce(self, value: bytes) -> Any:
        data = batch(value, producer=(self.id, self.epoch), sequence=self.sequence, attributes=0x10)
        self.sequence += 1
        return self.client.produce("orders", data, transactional_id=self.transactional_id)

    def _identity(self) -> dict[str, Any]:
        return {
            "transactional_id": self.transactional_id,
            "producer_id": self.id,
            "producer_epoch": self.epoch,
        }

    def send_offsets(self, group: str, offset: int) -> int:
        added = self.client.call("AddOffsetsToTxn", {**self._identity(), "group_id": group})
        assert added.error_code == 0
        answer = self.client.call(
            "TxnOffsetCommit",
            {
                **self._identity(),
                "group_id": group,
                "generation_id": -1,
                "member_id": "",
                "group_instance_id": None,
                "topics": [
                    {
                        "name": "orders",
                        "partitions": [
                            {
                                "partition_index": 0,
                                "committed_offset": offset,
                                "committed_leader_epoch": -1,
                                "committed_metadata": None,
                            }
                        ],
                    }
                ],
            },
        )
        code: int = answer.topics[0].partitions[0].error_code
        return code

    def end(self, *, commit: bool) -> int:
        code: int = self.client.call("EndTxn", {**self._identity(), "committed": commit}).error_code
        return code


def committed_values(client: Client) -> list[bytes | None]:
    """What a client that reads only what is committed shows, as clients do it."""
    fetched = client.fetch("orders", 0, isolation_level=1)
    aborted = {each.producer_id for each in fetched.aborted_transactions or []}
    assert len(aborted) <= 1
    return [value for _, value in values(fetched)]


def test_records_count_once_their_transaction_is_committed(client: Client) -> None:
    client.create_topic("orders")
    producer = Producer(client)
    assert producer.add() == 0
    producer.produce(b"a")
    assert committed_values(client) == []
    assert [value for _, value in values(client.fetch("orders", 0))] == [b"a"]
    assert producer.end(commit=True) == 0
    assert committed_values(client) == [b"a"]
    assert client.fetch("orders", 0).high_watermark == 2


def test_readers_are_told_which_records_were_aborted(client: Client) -> None:
    client.create_topic("orders")
    client.produce("orders", [b"plain"])
    producer = Producer(client)
    producer.add()
    producer.produce(b"a")
    producer.end(commit=False)
    fetched = client.fetch("orders", 0, isolation_level=1)
    told = [(each.producer_id, each.first_offset) for each in fetched.aborted_transactions]
    assert told == [(producer.id, 1)]
    assert fetched.last_stable_offset == 3


def test_an_open_transaction_holds_up_what_comes_after_it(client: Client) -> None:
    client.create_topic("orders")
    producer = Producer(client)
    producer.add()
    producer.produce(b"a")
    client.produce("orders", [b"later"])
    assert committed_values(client) == []
    producer.end(commit=True)
    assert committed_values(client) == [b"a", b"later"]


def test_a_waiting_reader_is_woken_by_the_commit(world: World) -> None:
    client, reader = world.connect("writer"), world.connect("reader")
    client.create_topic("orders")
    producer = Producer(client)
    producer.add()
    producer.produce(b"a")
    reader.send_fetch("orders", 0, isolation_level=1, max_wait_ms=5000)
    assert reader.answer() is None
    producer.end(commit=True)
    assert values(reader.answer().responses[0].partitions[0]) == [(0, b"a")]


def test_a_partition_that_was_not_added_is_refused(client: Client) -> None:
    client.create_topic("orders")
    producer = Producer(client)
    assert producer.produce(b"a").error_code == Code.INVALID_TXN_STATE
    producer.sequence = 0
    producer.add()
    assert producer.produce(b"a").error_code == 0


def test_a_second_producer_shuts_out_the_first(world: World) -> None:
    client = world.connect()
    client.create_topic("orders")
    first = Producer(client)
    first.add()
    first.produce(b"a")
    second = Producer(client)
    assert second.id == first.id
    assert second.epoch > first.epoch
    assert "transaction.abort" in world.kinds()
    assert first.produce(b"b").error_code == Code.INVALID_PRODUCER_EPOCH
    assert first.add() == Code.PRODUCER_FENCED
    assert first.end(commit=True) == Code.PRODUCER_FENCED
    second.add()
    assert second.produce(b"c").error_code == 0
    assert second.end(commit=True) == 0


def test_a_transaction_that_takes_too_long_is_aborted_and_its_producer_shut_out(
    world: World,
) -> None:
    client = world.connect()
    client.create_topic("orders")
    producer = Producer(client)
    producer.add()
    producer.produce(b"a")
    world.advance(60)
    assert world.kinds().count("transaction.abort") == 1
    assert producer.end(commit=True) == Code.PRODUCER_FENCED


def test_offsets_count_once_their_transaction_is_committed(client: Client) -> None:
    client.create_topic("orders")
    producer = Producer(client)
    assert producer.send_offsets("g", 5) == 0
    assert client.committed("g", "orders") == (-1, 0)
    assert client.committed("g", "orders", require_stable=True) == (-1, Code.UNSTABLE_OFFSET_COMMIT)
    producer.end(commit=True)
    assert client.committed("g", "orders", require_stable=True) == (5, 0)
    producer.send_offsets("g", 9)
    producer.end(commit=False)
    assert client.committed("g", "orders") == (5, 0)


def test_ending_twice_the_same_way_is_fine(client: Client) -> None:
    client.create_topic("orders")
    producer = Producer(client)
    assert producer.end(commit=True) == Code.INVALID_TXN_STATE
    producer.add()
    assert producer.end(commit=True) == 0
    assert producer.end(commit=True) == 0
    assert producer.end(commit=False) == Code.INVALID_TXN_STATE


def test_a_time_limit_beyond_the_brokers_is_refused(client: Client) -> None:
    answer = client.init_producer("t", timeout_ms=10**9)
    assert answer.error_code == Code.INVALID_TRANSACTION_TIMEOUT
