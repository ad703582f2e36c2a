"""Which brokers get which partitions: spread evenly, leaders in turn, or as somebody says."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from sandbox.brokers.kafka.errors import Code, KafkaError

#: Kafka's limit for one request.
MOST_PARTITIONS: Final = 10_000


def spread(indexes: range, factor: int, alive: Sequence[int]) -> list[list[int]]:
    """The replicas of each partition, the first of them to lead.

    Raises:
        KafkaError: 37 none or too many partitions, 38 no replicas or fewer brokers than those.
    """
    if len(indexes) < 1:
        raise KafkaError(
            Code.INVALID_PARTITIONS,
            "Number of partitions was set to an invalid non-positive value.",
        )
    if len(indexes) > MOST_PARTITIONS:
        raise KafkaError(
            Code.POLICY_VIOLATION, "Excessively large number of partitions per request."
        )
    if factor < 1:
        raise KafkaError(
            Code.INVALID_REPLICATION_FACTOR,
            "Replication factor must be larger than 0, or -1 to use the default value.",
        )
    if factor > len(alive):
        raise KafkaError(
            Code.INVALID_REPLICATION_FACTOR,
            f"Unable to replicate the partition {factor} time(s): The target replication factor"
            f" of {factor} cannot be reached because only {len(alive)} broker(s) are registered.",
        )
    return [[alive[(index + n) % len(alive)] for n in range(factor)] for index in indexes]


def as_said(assignments: Mapping[int, list[int]], brokers: Collection[int]) -> list[list[int]]:
    """The replicas of each partition as an administrator gave them.

    Raises:
        KafkaError: 39.
    """
    if sorted(assignments) != list(range(len(assignments))):
        raise KafkaError(
            Code.INVALID_REPLICA_ASSIGNMENT,
            "partitions must be numbered from 0 without gaps",
        )
    for replicas in assignments.values():
        check_replicas(replicas, brokers)
    return [list(assignments[index]) for index in range(len(assignments))]


def check_replicas(replicas: Sequence[int], brokers: Collection[int]) -> None:
    """Whether these can be the replicas of a partition.

    Raises:
        KafkaError: 39.
    """
    unknown = [node for node in replicas if node not in brokers]
    if not replicas or unknown or len(set(replicas)) != len(replicas):
        raise KafkaError(
            Code.INVALID_REPLICA_ASSIGNMENT,
            f"{list(replicas)} does not name different brokers we have",
        )
