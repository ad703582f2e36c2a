"""What tools ask, and what administrators move."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.brokers.kafka.errors import Code
from tests.brokers.kafka.client import Client, World, batch


@pytest.fixture
def three() -> World:
    world = World(3)
    world.connect().create_topic("orders", 2, replicas=2)
    return world


def topic_partitions(client: Client, limit: int, cursor: Any = None) -> Any:
    return client.call(
        "DescribeTopicPartitions",
        {"topics": [], "response_partition_limit": limit, "cursor": cursor},
    )


def test_partitions_are_described_page_by_page(world: World, client: Client) -> None:
    client.create_topic("a", 3)
    client.create_topic("b", 2)
    seen = []
    cursor = None
    for _ in range(10):
        answer = topic_partitions(client, 2, cursor)
        seen += [(t.name, p.partition_index) for t in answer.topics for p in t.partitions]
        if answer.next_cursor is None:
            break
        found = answer.next_cursor
        cursor = {"topic_name": found.topic_name, "partition_index": found.partition_index}
    assert seen == [("a", 0), ("a", 1), ("a", 2), ("b", 0), ("b", 1)]


def test_a_topic_that_does_not_exist_is_named(client: Client) -> None:
    answer = client.call(
        "DescribeTopicPartitions",
        {"topics": [{"name": "none"}], "response_partition_limit": 10, "cursor": None},
    )
    assert answer.topics[0].error_code == Code.UNKNOWN_TOPIC_OR_PARTITION


def test_producers_of_a_partition_are_described(client: Client) -> None:
    client.create_topic("orders")
    client.produce("orders", batch(b"a", b"b", producer=(7, 3), sequence=0))
    answer = client.call(
        "DescribeProducers", {"topics": [{"name": "orders", "partition_indexes": [0, 1]}]}
    )
    known, missing = answer.topics[0].partitions
    (producer,) = known.active_producers
    assert (producer.producer_id, producer.producer_epoch, producer.last_sequence) == (7, 3, 1)
    assert (producer.last_timestamp, producer.current_txn_start_offset) == (1001, -1)
    assert missing.error_code == Code.UNKNOWN_TOPIC_OR_PARTITION


def test_transactions_are_listed_and_described(world: World, client: Client) -> None:
    client.create_topic("orders")
    producer = client.init_producer("shop")
    client.call(
        "AddPartitionsToTxn",
        {
            "v3_and_below_transactional_id": "shop",
            "v3_and_below_producer_id": producer.producer_id,
            "v3_and_below_producer_epoch": producer.producer_epoch,
            "v3_and_below_topics": [{"name": "orders", "partitions": [0]}],
        },
    )

    def listed(**filters: Any) -> list[tuple[str, str]]:
        blank = {"state_filters": [], "producer_id_filters": [], "duration_filter": -1}
        answer = client.call(
            "ListTransactions", blank | {"transactional_id_pattern": None} | filters
        )
        return [(t.transactional_id, t.transaction_state) for t in answer.transaction_states]

    assert listed() == [("shop", "Ongoing")]
    assert listed(state_filters=["Empty"]) == []
    assert listed(producer_id_filters=[99]) == []
    assert listed(duration_filter=1000) == []
    assert listed(transactional_id_pattern="sh.*") == [("shop", "Ongoing")]
    assert listed(transactional_id_pattern="s") == []
    world.advance(2)
    assert listed(duration_filter=1000) == [("shop", "Ongoing")]
    answer = client.call("DescribeTransactions", {"transactional_ids": ["shop", "none"]})
    known, missing = answer.transaction_states
    assert (known.transaction_state, known.transaction_start_time_ms) == ("Ongoing", 0)
    assert [(t.topic, t.partitions) for t in known.topics] == [("orders", [0])]
    assert missing.error_code == Code.TRANSACTIONAL_ID_NOT_FOUND


def test_copies_and_their_lag_are_described(three: World) -> None:
    client = three.connect()
    client.produce("orders", [b"a"], acks=1)
    three.advance(1)
    copy = three.partition("orders").copies[1]
    answer = client.call("DescribeLogDirs", {"topics": None})
    (directory,) = answer.results
    (topic,) = [each for each in directory.topics if each.name == "orders"]
    found = {each.partition_index: each for each in topic.partitions}
    assert (found[0].partition_size, found[0].offset_lag) == (copy.log.size_bytes, 0)
    assert 1 not in found  # broker 1 has no copy of that one


@pytest.mark.parametrize(
    ("name", "values", "results"),
    [
        (
            "DescribeAcls",
            {
                "resource_type_filter": 1,
                "resource_name_filter": None,
                "pattern_type_filter": 1,
                "principal_filter": None,
                "host_filter": None,
                "operation": 1,
                "permission_type": 1,
            },
            None,
        ),
        (
            "CreateAcls",
            {
                "creations": [
                    {
                        "resource_type": 2,
                        "resource_name": "orders",
                        "resource_pattern_type": 3,
                        "principal": "User:a",
                        "host": "*",
                        "operation": 3,
                        "permission_type": 3,
                    }
                ]
            },
            "results",
        ),
        (
            "DeleteAcls",
            {
                "filters": [
                    {
                        "resource_type_filter": 1,
                        "resource_name_filter": None,
                        "pattern_type_filter": 1,
                        "principal_filter": None,
                        "host_filter": None,
                        "operation": 1,
                        "permission_type": 1,
                    }
                ]
            },
            "filter_results",
        ),
    ],
)
def test_without_an_authorizer_there_are_no_acls(
    client: Client, name: str, values: dict[str, Any], results: str | None
) -> None:
    answer = client.call(name, values)
    found = answer if results is None else getattr(answer, results)[0]
    assert found.error_code == Code.SECURITY_DISABLED
    assert found.error_message == "No Authorizer is configured."


def test_the_quorum_is_described(three: World) -> None:
    three.stop(1)
    answer = three.connect(node=2).call(
        "DescribeQuorum",
        {"topics": [{"topic_name": "__cluster_metadata", "partitions": [{"partition_index": 0}]}]},
    )
    partition = answer.topics[0].partitions[0]
    assert partition.leader_id == 2
    assert [voter.replica_id for voter in partition.current_voters] == [1, 2, 3]


def elected(client: Client, kind: int, topic: str | None = "orders") -> list[int]:
    wanted = None if topic is None else [{"topic": topic, "partitions": [0]}]
    answer = client.call(
        "ElectLeaders", {"election_type": kind, "topic_partitions": wanted, "timeout_ms": 1000}
    )
    return [
        each.error_code
        for result in answer.replica_election_results
        for each in result.partition_result
    ]


def test_the_preferred_leader_is_elected_on_request(three: World) -> None:
    three.stop(1)
    three.advance(10)
    client = three.connect(node=2)
    assert elected(client, 0) == [Code.PREFERRED_LEADER_NOT_AVAILABLE]
    three.start(1)
    three.advance(1)
    assert three.partition("orders").leader == 2
    assert elected(client, 0) == [Code.NONE]
    assert three.partition("orders").leader == 1
    assert elected(client, 0) == [Code.ELECTION_NOT_NEEDED]
    assert elected(client, 0, None) == []


def test_an_unclean_leader_is_elected_on_request_only_where_nobody_leads(three: World) -> None:
    client = three.connect(node=3)
    assert elected(client, 1) == [Code.ELECTION_NOT_NEEDED]
    three.stop(2, clean=True)
    three.stop(1)
    three.start(2)
    three.advance(10)
    assert three.partition("orders").leader == -1
    assert elected(client, 1) == [Code.NONE]
    assert three.partition("orders").leader == 2


def reassign(client: Client, replicas: list[int] | None) -> int:
    answer = client.call(
        "AlterPartitionReassignments",
        {
            "timeout_ms": 1000,
            "allow_replication_factor_change": True,
            "topics": [
                {
                    "name": "orders",
                    "partitions": [{"partition_index": 0, "replicas": replicas}],
                }
            ],
        },
    )
    code: int = answer.responses[0].partitions[0].error_code
    return code


def moving(client: Client) -> list[tuple[list[int], list[int], list[int]]]:
    answer = client.call("ListPartitionReassignments", {"timeout_ms": 1000, "topics": None})
    return [
        (each.replicas, each.adding_replicas, each.removing_replicas)
        for topic in answer.topics
        for each in topic.partitions
    ]


def test_a_partition_moves_when_the_new_copies_have_everything(three: World) -> None:
    client = three.connect()
    client.produce("orders", [b"a"], acks=1)
    three.advance(1)
    assert reassign(client, [3, 2]) == Code.NONE
    assert moving(client) == [([3, 2, 1], [3], [1])]
    three.advance(1)
    partition = three.partition("orders")
    assert moving(client) == []
    assert (partition.replicas, partition.isr, partition.leader) == ([3, 2], [2, 3], 3)
    assert [record.value for record in partition.copies[3].log.records()] == [b"a"]
    assert client.fetch("orders", 0).error_code == Code.NOT_LEADER_OR_FOLLOWER


def test_a_move_can_be_stopped(three: World) -> None:
    three.stop(3)
    client = three.connect()
    assert reassign(client, None) == Code.NO_REASSIGNMENT_IN_PROGRESS
    assert reassign(client, [3, 2]) == Code.NONE
    three.advance(20)
    assert moving(client) == [([3, 2, 1], [3], [1])]
    assert reassign(client, None) == Code.NONE
    assert moving(client) == []
    assert three.partition("orders").replicas == [1, 2]


def test_a_move_to_a_broker_that_does_not_exist_is_refused(three: World) -> None:
    assert reassign(three.connect(), [9]) == Code.INVALID_REPLICA_ASSIGNMENT
