"""Whatever producers and a group do, in whatever order: the sandbox and Kafka answer alike.

Hypothesis makes up sequences of operations; each is played with kafka-python in a simulated world
and on a real broker, and the transcripts must be equal. A sequence that differs is shrunk to a
short one: make it a scenario. Every operation waits until it has had its effect, so what is seen
does not depend on how fast anybody is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import kafka.errors
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from kafka import OffsetAndMetadata, TopicPartition

from sandbox.native.kafka import Kafka
from tests.parity.kafka.stage import PROTOCOL, Stage

PARTITIONS = 2
Operation = tuple[Any, ...]

partitions = st.integers(0, PARTITIONS - 1)
counts = st.integers(1, 3)
offsets = st.integers(0, 8)

operations = st.one_of(
    st.tuples(st.just("produce"), partitions, counts),
    st.tuples(st.just("produce"), partitions, counts),
    st.tuples(st.just("by key"), st.sampled_from([b"a", b"b", b"c", b"dd"]), counts),
    st.tuples(st.just("transaction"), partitions, counts, st.booleans()),
    st.tuples(st.just("drain")),
    st.tuples(st.just("drain")),
    st.tuples(st.just("commit")),
    st.tuples(st.just("commit at"), partitions, offsets),
    st.tuples(st.just("seek"), partitions, offsets),
    st.tuples(st.just("rewind")),
    st.tuples(st.just("leave and come back")),
    st.tuples(st.just("delete records"), partitions, offsets),
    st.tuples(st.just("offsets")),
    st.tuples(st.just("group")),
)


class Shop:
    """A topic, a producer, and a group of one; applies operations and writes down what they do."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.topic = stage.topic(partitions=PARTITIONS)
        self.group_id = stage.name("shop")
        self.places = [TopicPartition(self.topic, number) for number in range(PARTITIONS)]
        self.producer = stage.producer()
        self.till: Any = None
        self.written = 0
        self.consumer = self.join()

    def join(self) -> Any:
        consumer = self.stage.consumer(
            self.topic, group_id=self.group_id, isolation_level="read_committed"
        )
        # What there is to read is read when somebody asks for it.
        self.stage.until(lambda: self.assigned(consumer))
        return consumer

    def assigned(self, consumer: Any) -> bool:
        if len(consumer.assignment()) == PARTITIONS:
            return True
        consumer.poll(timeout_ms=1000, max_records=1, update_offsets=False)
        return len(consumer.assignment()) == PARTITIONS

    def apply(self, operation: Operation) -> None:
        kind, *arguments = operation
        act: Callable[..., None] = getattr(self, kind.replace(" ", "_"))
        act(*arguments)

    def values(self, count: int) -> list[bytes]:
        self.written += count
        return [str(self.written - count + n).encode() for n in range(count)]

    def produce(self, partition: int, count: int) -> None:
        for value in self.values(count):
            told = self.producer.send(self.topic, value, partition=partition).get(60)
            self.stage.see("produced", told.partition, told.offset)

    def by_key(self, key: bytes, count: int) -> None:
        for value in self.values(count):
            told = self.producer.send(self.topic, value, key=key).get(60)
            self.stage.see("produced", told.partition, told.offset)

    def transaction(self, partition: int, count: int, commit: bool) -> None:
        if self.till is None:
            self.till = self.stage.producer(transactional_id=self.stage.name("till"))
            self.till.init_transactions()
        self.till.begin_transaction()
        for value in self.values(count):
            told = self.till.send(self.topic, value, partition=partition).get(60)
            self.stage.see("in a transaction", told.partition, told.offset)
        (self.till.commit_transaction if commit else self.till.abort_transaction)()
        # The marker is written after the answer; what comes next is to find it there.
        place = self.places[partition]
        looker = self.stage.consumer(isolation_level="read_committed")
        looker.assign([place])
        self.stage.until(lambda: looker.end_offsets([place])[place] > told.offset)
        self.stage.leave(looker)

    def drain(self) -> None:
        found: list[Any] = []

        def at_the_end() -> bool:
            ends = self.consumer.end_offsets(self.places)
            if all(self.consumer.position(place) >= ends[place] for place in self.places):
                return True
            for records in self.consumer.poll(timeout_ms=200).values():
                found.extend([r.partition, r.offset, r.key, r.value] for r in records)
            return False

        self.stage.until(at_the_end)
        self.stage.see("read", sorted(found, key=lambda record: record[:2]))

    def commit(self) -> None:
        self.consumer.commit()
        self.stage.see("committed", [self.consumer.committed(place) for place in self.places])

    def commit_at(self, partition: int, offset: int) -> None:
        place = self.places[partition]
        self.consumer.commit({place: OffsetAndMetadata(offset, "here", -1)})
        self.stage.see("committed", self.consumer.committed(place))

    def seek(self, partition: int, offset: int) -> None:
        place = self.places[partition]
        ends = self.consumer.end_offsets([place])
        self.consumer.seek(place, min(offset, ends[place]))

    def rewind(self) -> None:
        self.consumer.seek_to_beginning(*self.places)
        self.stage.see("at", [self.consumer.position(place) for place in self.places])

    def leave_and_come_back(self) -> None:
        self.stage.leave(self.consumer)
        self.consumer = self.join()
        self.stage.see("at", [self.consumer.position(place) for place in self.places])

    def delete_records(self, partition: int, offset: int) -> None:
        place = self.places[partition]
        try:
            self.stage.admin.delete_records({place: offset})
        except kafka.errors.OffsetOutOfRangeError as refusal:
            self.stage.see("refused", type(refusal).__name__)
        # A reader that stands before the first record is put there: not with a race, but here.
        start = self.consumer.beginning_offsets([place])[place]
        if self.consumer.position(place) < start:
            self.consumer.seek(place, start)

    def offsets(self) -> None:
        starts = self.consumer.beginning_offsets(self.places)
        ends = self.consumer.end_offsets(self.places)
        self.stage.see("from and to", [[starts[place], ends[place]] for place in self.places])

    def group(self) -> None:
        told = self.stage.admin.describe_groups([self.group_id])[self.group_id]
        self.stage.see(told["group_state"], [m["member_assignment"] for m in told["members"]])
        self.stage.see(self.stage.admin.list_group_offsets({self.group_id: None})[self.group_id])


def sequence(steps: list[Operation]) -> Callable[[Stage], None]:
    """A scenario that applies operations one after another."""

    def play(stage: Stage) -> None:
        shop = Shop(stage)
        for step in [*steps, ("drain",), ("offsets",)]:
            stage.see("do", *step)
            shop.apply(step)

    return play


def _play(steps: list[Operation], where: Callable[[str], list[str]]) -> list[str]:
    """Play a sequence as if it were a scenario of a name."""
    PROTOCOL.scenarios["random"] = sequence(steps)
    try:
        return where("random")
    finally:
        del PROTOCOL.scenarios["random"]


@pytest.mark.live
@settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    # A sequence that differs is shown as it is: making it shorter takes minutes on a real broker.
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(steps=st.lists(operations, min_size=8, max_size=20))
def test_any_sequence_of_operations_is_answered_alike(
    steps: list[Operation], kafka_server: Kafka
) -> None:
    theirs = _play(steps, lambda name: PROTOCOL.at("127.0.0.1", kafka_server.port, name))
    assert _play(steps, PROTOCOL.in_the_world) == theirs


@settings(max_examples=8, deadline=None, derandomize=True)
@given(steps=st.lists(operations, min_size=8, max_size=20), seed=st.integers(0, 2**32))
def test_any_sequence_of_operations_is_answered_alike_with_every_seed(
    steps: list[Operation], seed: int
) -> None:
    def with_seed(number: int) -> list[str]:
        return _play(steps, lambda name: PROTOCOL.in_the_world(name, seed=number))

    assert with_seed(seed) == with_seed(seed + 1)
