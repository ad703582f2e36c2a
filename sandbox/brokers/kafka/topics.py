"""Topics and their partitions: who has which, and what was configured.

A partition has one copy for each of its replicas (`replica.py`). Who leads and who is in sync is
decided by the controller and kept here; `log`, `high_watermark` and the like are the leader's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING
from uuid import UUID

from sandbox.brokers.kafka.configs import TOPIC_CONFIGS
from sandbox.brokers.kafka.errors import Code, KafkaError
from sandbox.brokers.kafka.log import Log
from sandbox.brokers.kafka.producers import Producers
from sandbox.brokers.kafka.replica import NO_LEADER, Assignment, Replica

if TYPE_CHECKING:
    from sandbox.brokers.base import Record
    from sandbox.brokers.kafka.cluster import Cluster

_LEGAL_NAME = re.compile(r"[a-zA-Z0-9._-]{1,249}")
GROUPS_TOPIC, TRANSACTIONS_TOPIC = "__consumer_offsets", "__transaction_state"
INTERNAL = (GROUPS_TOPIC, TRANSACTIONS_TOPIC)

_LONGEST_NAME = 249


def check_name(name: str) -> None:
    """Accept the names Kafka accepts.

    Raises:
        KafkaError: 17.
    """
    if name in (".", ".."):
        wrong = "'.' or '..' is not allowed"
    elif not name:
        wrong = "the empty string is not allowed"
    elif len(name) > _LONGEST_NAME:
        wrong = f"the length of {name!r} is longer than the max allowed length {_LONGEST_NAME}"
    elif not _LEGAL_NAME.fullmatch(name):
        wrong = (
            f"{name!r} contains one or more characters other than ASCII alphanumerics, '.', '_'"
            " and '-'"
        )
    else:
        return
    raise KafkaError(Code.INVALID_TOPIC, f"Topic name is invalid: {wrong}")


class Partition:
    """One partition of a topic."""

    def __init__(self, topic: Topic, index: int, assignment: Assignment) -> None:
        self.topic = topic
        self.index = index
        #: What the controller decided.
        self.assignment = assignment
        self.copies: dict[int, Replica] = {}
        #: Where its replicas are moving, and where they were.
        self.target: list[int] | None = None
        self.before_move: list[int] = []
        self._leading: Replica | None = None
        self.place()

    def place(self) -> None:
        """Have a copy for each replica, and no others."""
        known = self.assignment
        # A copy that is new knows of no leader until the controller tells it.
        unknown = Assignment(NO_LEADER, -1, (), known.replicas)
        for node_id in known.replicas:
            if node_id not in self.copies:
                self.copies[node_id] = Replica(self, node_id, unknown)
        for node_id in [node for node in self.copies if node not in known.replicas]:
            gone = self.copies.pop(node_id)
            gone.known = Assignment(known.leader, known.epoch, known.isr, known.replicas)
            gone.wake()
        # While nobody leads, the last leader's copy is the one to look at.
        if known.leader in self.copies:
            self._leading = self.copies[known.leader]
        elif self._leading is None or self._leading.node_id not in self.copies:
            self._leading = self.copies[known.replicas[0]]

    @property
    def leading(self) -> Replica:
        """The leader's copy; the last leader's while nobody leads."""
        assert self._leading is not None
        return self._leading

    @property
    def leader(self) -> int:
        """The broker that leads, or -1."""
        return self.assignment.leader

    @property
    def leader_epoch(self) -> int:
        """How often the leader changed."""
        return self.assignment.epoch

    @property
    def isr(self) -> list[int]:
        """The replicas that are in sync."""
        return list(self.assignment.isr)

    @property
    def replicas(self) -> list[int]:
        """The brokers that have a copy; the first is the preferred leader."""
        return list(self.assignment.replicas)

    @property
    def adding(self) -> list[int]:
        """Replicas that are there because others are to move to them."""
        return [n for n in self.target or () if n not in self.before_move]

    @property
    def log(self) -> Log:
        """The leader's log."""
        return self.leading.log

    @property
    def producers(self) -> Producers:
        """What the leader knows of producers."""
        return self.leading.producers

    @property
    def aborted(self) -> list[tuple[int, int, int]]:
        """Aborted transactions: producer id, first offset, offset of the marker."""
        return self.leading.aborted

    @property
    def high_watermark(self) -> int:
        """Up to here every in-sync replica has it, and consumers may read."""
        return self.leading.high_watermark

    @property
    def last_stable_offset(self) -> int:
        """Up to here no transaction is undecided."""
        return self.leading.last_stable_offset

    def wake(self) -> None:
        """Tell whoever waits, at any copy."""
        for copy in self.copies.values():
            copy.wake()

    def record(self) -> Record:
        """Who has it, leads it and is in sync, to be kept."""
        known = self.assignment
        place = [self.topic.name, self.index]
        moving = [self.target, self.before_move]
        return [
            "partition",
            *place,
            known.leader,
            known.epoch,
            list(known.isr),
            self.replicas,
            *moving,
        ]


class Topic:
    """A name, its partitions, and what was configured for it."""

    def __init__(
        self, name: str, topic_id: UUID, configs: Mapping[str, str], cluster: Cluster
    ) -> None:
        self.cluster = cluster
        self.name = name
        self.topic_id = topic_id
        self.configs = dict(configs)
        self.partitions: list[Partition] = []

    @property
    def internal(self) -> bool:
        """Whether Kafka itself keeps something in it."""
        return self.name in INTERNAL

    def config(self, name: str) -> str:
        """A setting's value, the default's if it was not set."""
        return self.configs.get(name, TOPIC_CONFIGS[name][0])

    def partition(self, index: int) -> Partition:
        """A partition by number.

        Raises:
            KafkaError: 3, it has fewer.
        """
        if not 0 <= index < len(self.partitions):
            raise KafkaError(
                Code.UNKNOWN_TOPIC_OR_PARTITION,
                f"topic {self.name} has {len(self.partitions)} partitions, none is number {index}",
            )
        return self.partitions[index]

    def __iter__(self) -> Iterator[Partition]:
        return iter(self.partitions)


def topic_record(topic: Topic) -> Record:
    """A topic, and where its partitions are, to be kept."""
    partitions = [partition.record()[3:] for partition in topic]
    return ["topic", topic.name, topic.topic_id.bytes, dict(topic.configs), partitions]
