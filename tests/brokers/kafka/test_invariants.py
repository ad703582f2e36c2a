"""Whatever happens to three brokers, what they promised holds. Random histories, one clock.

`Promises` says what must be true after every step; to add a promise, add an invariant.
"""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sandbox.brokers.kafka.errors import Code
from sandbox.brokers.kafka.records import Batch
from tests.brokers.kafka.client import Client, World, batch
from tests.brokers.kafka.test_transactions import Producer

NODES = st.sampled_from([1, 2, 3])


class Promises(RuleBasedStateMachine):
    """Producers, and brokers that come and go."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(3)
        self.world.connect().create_topic("orders", replicas=3, min_insync_replicas="2")
        self.partition = self.world.partition("orders")
        self.sent = 0
        self.waiting: list[tuple[Client, bytes]] = []
        self.committed: set[bytes] = set()
        self.high_watermark = 0
        self.sequence = 0
        self.unanswered: tuple[Client, Batch] | None = None

    def leader(self) -> Client | None:
        number = self.partition.leader
        if number < 0 or not self.world.node(number).running:
            return None
        return self.world.connect(node=number)

    # -- what happens --------------------------------------------------------------------------

    @rule(acks=st.sampled_from([1, -1]))
    def produce(self, acks: int) -> None:
        client = self.leader()
        if client is None:
            return
        self.sent += 1
        value = b"%d" % self.sent
        client.send_produce("orders", [value], acks=acks, timeout_ms=5000)
        if acks == -1:
            self.waiting.append((client, value))

    @rule(number=NODES)
    def produce_at_any_broker(self, number: int) -> None:
        if self.world.node(number).running:
            self.sent += 1
            client = self.world.connect(node=number)
            client.send_produce("orders", [b"%d" % self.sent], acks=1)

    @precondition(lambda self: self.unanswered is None)
    @rule()
    def produce_once(self) -> None:
        client = self.leader()
        if client is not None:
            data = batch(b"once-%d" % self.sequence, producer=(7, 0), sequence=self.sequence)
            client.send_produce("orders", data, timeout_ms=5000)
            self.unanswered = (client, data)

    @precondition(lambda self: self.unanswered is not None)
    @rule()
    def go_on_with_once(self) -> None:
        """Until it is acknowledged the producer repeats it, at whoever leads."""
        assert self.unanswered is not None
        client, data = self.unanswered
        answer = client.answer()
        if answer is not None:
            if answer.responses[0].partition_responses[0].error_code == Code.NONE:
                self.committed.add(b"once-%d" % self.sequence)
                self.sequence += 1
                self.unanswered = None
                return
        elif not client.side.lost:
            return
        again = self.leader()
        if again is not None:
            again.send_produce("orders", Batch(**_fields(data)), timeout_ms=5000)
            self.unanswered = (again, data)

    @rule(seconds=st.sampled_from([0.0005, 0.01, 1.0, 12.0, 40.0]))
    def pass_time(self, seconds: float) -> None:
        self.world.advance(seconds)

    @rule(number=NODES, clean=st.booleans())
    def stop(self, number: int, clean: bool) -> None:
        self.world.stop(number, clean=clean)

    @rule(number=NODES)
    def start(self, number: int) -> None:
        self.world.start(number)

    @rule(number=NODES)
    def isolate(self, number: int) -> None:
        self.world.node(number).isolate(self.world.now_ns)
        self.world.settle()

    @rule(number=NODES)
    def heal(self, number: int) -> None:
        self.world.node(number).heal(self.world.now_ns)
        self.world.settle()

    @rule()
    def read_back_from_disk(self) -> None:
        records = list(self.world.broker.snapshot())
        again = World(3)
        again.broker.restore(records, self.world.now_ns)
        # All brokers of the new cluster live, so others may lead; what is written is the same.
        assert self._logs(again) == self._logs(self.world)

    def _logs(self, world: World) -> dict[int, list[bytes]]:
        copies = world.partition("orders").copies
        return {number: [b.data for b in copy.log.batches] for number, copy in copies.items()}

    # -- what must be true ---------------------------------------------------------------------

    @invariant()
    def acknowledged_records_are_in_the_log(self) -> None:
        for client, value in list(self.waiting):
            answer = client.answer()
            if answer is None:
                continue
            self.waiting.remove((client, value))
            if answer.responses[0].partition_responses[0].error_code == Code.NONE:
                self.committed.add(value)
        committed = self._values(self.partition.high_watermark)
        assert self.committed <= set(committed)

    @invariant()
    def nothing_is_there_twice(self) -> None:
        values = self._values(self.partition.log.end_offset)
        assert len(values) == len(set(values))

    @invariant()
    def the_high_watermark_only_grows(self) -> None:
        assert self.partition.high_watermark >= self.high_watermark
        self.high_watermark = self.partition.high_watermark

    @invariant()
    def every_log_is_free_of_gaps(self) -> None:
        for copy in self.partition.copies.values():
            following = copy.log.start_offset
            for each in copy.log.batches:
                assert each.base_offset == following
                following = each.last_offset + 1
            assert following == copy.log.end_offset

    @invariant()
    def copies_agree_on_what_is_committed(self) -> None:
        leading = self.partition.leading
        mine = [b.data for b in leading.log.batches if b.last_offset < leading.high_watermark]
        for number in self.partition.isr:
            log = self.partition.copies[number].log
            assert [b.data for b in log.batches[: len(mine)]] == mine

    @invariant()
    def the_leader_is_in_sync_and_lives(self) -> None:
        partition = self.partition
        assert set(partition.isr) <= set(partition.replicas)
        assert partition.isr
        if partition.leader != -1:
            assert partition.leader in partition.isr
            assert not self.world.cluster.controller.fenced[partition.leader]

    @invariant()
    def one_broker_at_most_leads_an_epoch(self) -> None:
        leaders = [copy.known.epoch for copy in self.partition.copies.values() if copy.leads]
        assert len(leaders) == len(set(leaders))

    def teardown(self) -> None:
        """In the end all brokers are back, and all copies are alike."""
        world = self.world
        for number in (1, 2, 3):
            world.node(number).heal(world.now_ns)
            world.start(number)
        world.advance(60)
        self.acknowledged_records_are_in_the_log()
        logs = list(self._logs(world).values())
        assert logs[0] == logs[1] == logs[2]
        assert sorted(self.partition.isr) == [1, 2, 3]
        assert self.partition.high_watermark == self.partition.log.end_offset

    def _values(self, end: int) -> list[bytes]:
        records = self.partition.log.records()
        return [record.value for record in records if record.offset < end and record.value]


def _fields(data: Batch) -> dict[str, Any]:
    return {name: getattr(data, name) for name in Batch.__slots__}


TestPromises = Promises.TestCase
TestPromises.settings = settings(
    max_examples=60, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck)
)


class ExactlyOnce(RuleBasedStateMachine):
    """Transactions of two producers with one transactional id each, and power failures."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.records: list[Any] = []
        self.world.broker.keep = self.records.append
        self.client = self.world.connect()
        self.client.create_topic("orders")
        self.producers: dict[str, Producer] = {}
        self.open: dict[str, list[bytes]] = {}
        self.offsets: dict[str, int] = {}
        self.committed: list[bytes] = []
        self.group_offset = -1
        self.sent = 0

    @rule(name=st.sampled_from(["a", "b"]))
    def take_over(self, name: str) -> None:
        """A new producer shuts out the one before, whose transaction is aborted."""
        self.producers[name] = Producer(self.client, name)
        self.open.pop(name, None)
        self.offsets.pop(name, None)

    @rule(name=st.sampled_from(["a", "b"]), offsets=st.booleans(), commit=st.booleans())
    def write_and_end(self, name: str, offsets: bool, commit: bool) -> None:
        self.write(name)
        if offsets:
            self.send_offsets(name)
        self.end(name, commit)

    @rule(name=st.sampled_from(["a", "b"]))
    def write(self, name: str) -> None:
        if name not in self.producers:
            self.take_over(name)
        producer = self.producers[name]
        if name not in self.open:
            assert producer.add() == Code.NONE
            self.open[name] = []
        self.sent += 1
        value = b"%d" % self.sent
        assert producer.produce(value).error_code == Code.NONE
        self.open[name].append(value)

    @rule(name=st.sampled_from(["a", "b"]))
    def send_offsets(self, name: str) -> None:
        if name not in self.open:
            self.write(name)
        self.sent += 1
        assert self.producers[name].send_offsets("billing", self.sent) == Code.NONE
        self.offsets[name] = self.sent

    @rule(name=st.sampled_from(["a", "b"]), commit=st.booleans())
    def end(self, name: str, commit: bool) -> None:
        if name not in self.open:
            return
        assert self.producers[name].end(commit=commit) == Code.NONE
        values = self.open.pop(name)
        offset = self.offsets.pop(name, None)
        if commit:
            self.committed += values
            self.group_offset = self.group_offset if offset is None else offset

    @rule()
    def write_outside_of_transactions(self) -> None:
        self.sent += 1
        value = b"%d" % self.sent
        assert self.client.produce("orders", [value]).error_code == Code.NONE
        self.committed.append(value)

    @rule()
    def let_transactions_time_out(self) -> None:
        self.world.advance(61)
        for name in self.open:
            del self.producers[name]
        self.open, self.offsets = {}, {}

    @rule()
    def power_fails(self) -> None:
        self._rebuild(World())

    def _rebuild(self, world: World) -> None:
        world.now_ns = self.world.now_ns
        world.broker.restore(self.records, world.now_ns)
        world.broker.keep = self.records.append
        self.world, self.client = world, world.connect()
        for producer in self.producers.values():
            producer.client = self.client

    @invariant()
    def readers_of_what_is_committed_get_it_once(self) -> None:
        partition = self.world.partition("orders")
        stable = partition.last_stable_offset
        seen = []
        for each in partition.log.batches:
            aborted = any(
                pid == each.producer_id and first <= each.base_offset < last
                for pid, first, last in partition.aborted
            )
            if each.last_offset < stable and not (each.transactional and aborted):
                seen += [record.value for record in each.records() if record.value]
        if self.open:
            assert set(seen) <= set(self.committed)
            assert len(seen) == len(set(seen))
        else:
            assert sorted(seen) == sorted(self.committed)

    @invariant()
    def the_groups_offset_is_that_of_the_last_commit(self) -> None:
        assert self.client.committed("billing", "orders")[0] == self.group_offset


TestExactlyOnce = ExactlyOnce.TestCase
TestExactlyOnce.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
