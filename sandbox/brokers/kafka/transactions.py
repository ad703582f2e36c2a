"""Transactions: records in several partitions and offsets of groups that count together or not.

A transactional id belongs to one producer at a time: whoever asks for it later gets a higher epoch,
and the former one is shut out (fenced). Markers in the logs say how each transaction ended.
[KIP-98 "Exactly Once Delivery and Transactional Messaging", KIP-360]
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING

from sandbox.brokers.kafka.errors import Code, KafkaError
from sandbox.brokers.kafka.groups import Committed, pending_record
from sandbox.brokers.kafka.records import Batch, build_marker
from sandbox.brokers.kafka.topics import TRANSACTIONS_TOPIC, Partition

if TYPE_CHECKING:
    from sandbox.brokers.base import Record
    from sandbox.brokers.kafka.broker import Broker
    from sandbox.brokers.kafka.cluster import Cluster
    from sandbox.brokers.timers import Timer

_MS = 1_000_000
_LAST_EPOCH = 2**15 - 2


class TransactionState(Enum):
    """Named as Kafka's tools print them."""

    EMPTY = "Empty"
    ONGOING = "Ongoing"
    #: Decided, but some markers are not written yet.
    COMMITTING = "PrepareCommit"
    ABORTING = "PrepareAbort"
    COMMITTED = "CompleteCommit"
    ABORTED = "CompleteAbort"


@dataclass(eq=False)
class Transaction:
    """What is known of one transactional id."""

    transactional_id: str
    producer_id: int
    epoch: int
    timeout_ms: int
    state: TransactionState = TransactionState.EMPTY
    #: The partitions it writes to, by topic and number.
    partitions: dict[tuple[str, int], Partition] = field(default_factory=dict)
    #: The groups whose offsets it commits.
    groups: dict[str, None] = field(default_factory=dict)
    #: When it began, and when what is known of it last changed, in ms.
    started_ms: int = -1
    changed_ms: int = -1
    timer: Timer | None = None
    #: Where the marker of each partition was written: leader's epoch, offset.
    markers: dict[tuple[str, int], tuple[int, int]] = field(default_factory=dict)
    #: It was read back while it was ending: only the logs know how far that had come.
    resumed: bool = False
    look_again: Callable[[], None] = lambda: None

    @property
    def ending(self) -> bool:
        """Decided, but not everywhere yet."""
        return self.state in (TransactionState.COMMITTING, TransactionState.ABORTING)


class Transactions:
    """All transactional ids of a cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.by_id: dict[str, Transaction] = {}

    def begin_session(
        self,
        broker: Broker,
        transactional_id: str,
        *,
        timeout_ms: int,
        producer_id: int = -1,
        epoch: int = -1,
    ) -> tuple[int, int]:
        """Make a producer the only one with this id. Returns: its producer id and epoch.

        An open transaction of the one before is aborted. A producer that says which id and epoch
        it has wants to go on after an error, and may only if nobody took over.

        Raises:
            KafkaError: 15, 16, 42, 50, 51, or 90 somebody took over.
        """
        if not transactional_id:
            raise KafkaError(Code.INVALID_REQUEST, "an empty transactional id")
        self._cluster.check_coordinator(broker, transactional_id, TRANSACTIONS_TOPIC)
        if not 0 < timeout_ms <= self._cluster.config("transaction.max.timeout.ms"):
            raise KafkaError(
                Code.INVALID_TRANSACTION_TIMEOUT,
                "longer than transaction.max.timeout.ms, or not > 0",
            )
        known = self.by_id.get(transactional_id)
        if known is None:
            known = Transaction(transactional_id, self._cluster.new_producer_id(), -1, timeout_ms)
            self.by_id[transactional_id] = known
        elif producer_id >= 0 and (producer_id, epoch) != (known.producer_id, known.epoch):
            raise KafkaError(Code.PRODUCER_FENCED, "another producer uses this transactional id")
        if known.state is TransactionState.ONGOING:
            # The marker carries the new epoch, so that nothing of the old one comes after it.
            known.epoch += 1
            self.end(known, commit=False, reason="a new producer took over")
        if known.ending:
            raise KafkaError(Code.CONCURRENT_TRANSACTIONS, "the one before is still ending")
        known.epoch += 1
        known.timeout_ms = timeout_ms
        known.state = TransactionState.EMPTY
        if known.epoch > _LAST_EPOCH:
            known.producer_id, known.epoch = self._cluster.new_producer_id(), 0
        self._keep(known)
        return known.producer_id, known.epoch

    def session(
        self, broker: Broker, transactional_id: str, producer_id: int, epoch: int
    ) -> Transaction:
        """The transaction of the producer that asks.

        Raises:
            KafkaError: 15, 16; 49 not this producer's id; 90 somebody took over.
        """
        self._cluster.check_coordinator(broker, transactional_id, TRANSACTIONS_TOPIC)
        known = self.by_id.get(transactional_id)
        if known is None or known.producer_id != producer_id:
            raise KafkaError(Code.INVALID_PRODUCER_ID_MAPPING)
        if known.epoch != epoch:
            raise KafkaError(
                Code.PRODUCER_FENCED, f"the epoch of {transactional_id!r} is {known.epoch} by now"
            )
        return known

    def check_batch(self, transactional_id: str | None, partition: Partition, batch: Batch) -> None:
        """Whether a batch belongs to a transaction that includes its partition.

        Raises:
            KafkaError: 47 somebody took over; 48 it does not.
        """
        known = self.by_id.get(transactional_id or "")
        if known is not None and known.producer_id == batch.producer_id:
            if batch.producer_epoch < known.epoch:
                raise KafkaError(Code.INVALID_PRODUCER_EPOCH, f"the epoch is {known.epoch} by now")
            key = (partition.topic.name, partition.index)
            if known.state is TransactionState.ONGOING and key in known.partitions:
                return
        raise KafkaError(
            Code.INVALID_TXN_STATE, "the partition was not added to an open transaction"
        )

    def add(
        self,
        transaction: Transaction,
        partitions: list[Partition],
        group: str | None = None,
    ) -> None:
        """Include partitions or a group; the first of them begins the transaction.

        Raises:
            KafkaError: 51, the one before is still ending.
        """
        if transaction.ending:
            raise KafkaError(Code.CONCURRENT_TRANSACTIONS, "the one before is still ending")
        if transaction.state is not TransactionState.ONGOING:
            transaction.state = TransactionState.ONGOING
            transaction.started_ms = self._cluster.now_ms(self._cluster.now_ns)
            self._arm(transaction)
            self._cluster.emit(
                "transaction.begin",
                transactional_id=transaction.transactional_id,
                producer_id=transaction.producer_id,
                epoch=transaction.epoch,
            )
        for partition in partitions:
            transaction.partitions[partition.topic.name, partition.index] = partition
        if group is not None:
            transaction.groups[group] = None
        self._keep(transaction)
        self._cluster.happened()

    def hold_offsets(
        self, transaction: Transaction, group_id: str, offsets: dict[tuple[str, int], Committed]
    ) -> None:
        """Keep offsets until the transaction ends.

        Raises:
            KafkaError: 48, the group was not added to an open transaction.
        """
        if transaction.state is not TransactionState.ONGOING or group_id not in transaction.groups:
            raise KafkaError(Code.INVALID_TXN_STATE, "the group was not added to the transaction")
        group = self._cluster.groups.create(group_id)
        group.undecided.setdefault(transaction.producer_id, {}).update(offsets)
        if self._cluster.keep is not None:
            self._cluster.keep(pending_record(group_id, transaction.producer_id, offsets))

    def end_by_request(self, transaction: Transaction, *, commit: bool) -> None:
        """Commit or abort. Saying the same again is fine.

        Raises:
            KafkaError: 48, there is nothing to end, or it ended the other way; 51, it is ending.
        """
        if transaction.ending:
            raise KafkaError(Code.CONCURRENT_TRANSACTIONS, "it is still ending")
        if transaction.state is TransactionState.ONGOING:
            self.end(transaction, commit=commit, reason="the producer said so")
            return
        ended = TransactionState.COMMITTED if commit else TransactionState.ABORTED
        if transaction.state is not ended:
            raise KafkaError(
                Code.INVALID_TXN_STATE, f"the transaction is {transaction.state.value}"
            )

    def end(self, transaction: Transaction, *, commit: bool, reason: str) -> None:
        """Decide, then write the markers and let the offsets count or forget them."""
        if transaction.timer is not None:
            transaction.timer.cancel()
        transaction.state = TransactionState.COMMITTING if commit else TransactionState.ABORTING
        transaction.look_again = partial(self._look_again, transaction)
        self._keep(transaction)
        self._cluster.happened()
        self._cluster.emit(
            "transaction.commit" if commit else "transaction.abort",
            transactional_id=transaction.transactional_id,
            producer_id=transaction.producer_id,
            partitions=[[p.topic.name, p.index] for p in transaction.partitions.values()],
            groups=list(transaction.groups),
            reason=reason,
        )
        self._complete(transaction)

    def _complete(self, transaction: Transaction) -> None:
        """Write the markers that are missing, wherever somebody leads."""
        cluster = self._cluster
        commit = transaction.state is TransactionState.COMMITTING
        now_ms = cluster.now_ms(cluster.now_ns)
        for key, partition in list(transaction.partitions.items()):
            # Writing wakes others, and they may have come this far already.
            if key not in transaction.partitions:
                continue
            leader = cluster.leader(partition)
            written = transaction.markers.get(key)
            if written is None or written[0] != partition.leader_epoch:
                # Not yet, or by a leader that died before its followers had it.
                if leader is None:
                    continue
                state = leader.producers.states.get(transaction.producer_id)
                if transaction.resumed and state is not None and state.ended_by(transaction.epoch):
                    del transaction.partitions[key]
                    continue
                marker = build_marker(
                    transaction.producer_id, transaction.epoch, commit=commit, now_ms=now_ms
                )
                leader.place(marker, now_ms)
                cluster.append(leader, marker)
                written = transaction.markers[key] = (partition.leader_epoch, marker.last_offset)
            if leader is not None and leader.high_watermark > written[1]:
                transaction.partitions.pop(key, None)
            elif leader is not None:
                leader.waiting[transaction.look_again] = None
        if not transaction.partitions and transaction.ending:
            transaction.markers, transaction.resumed = {}, False
            self._decide_offsets(transaction, commit=commit)
            transaction.state = TransactionState.COMMITTED if commit else TransactionState.ABORTED
            transaction.started_ms = -1
            self._keep(transaction)

    def _decide_offsets(self, transaction: Transaction, *, commit: bool) -> None:
        cluster = self._cluster
        for name in transaction.groups:
            group = cluster.groups.get(name)
            held = group.undecided.pop(transaction.producer_id, {}) if group is not None else {}
            cluster.record("offset.decided", name, transaction.producer_id, commit)
            if group is not None and commit:
                group.offsets.update(held)
                for (topic, index), committed in held.items():
                    cluster.emit(
                        "offset.commit",
                        group=name,
                        topic=topic,
                        partition=index,
                        offset=committed.offset,
                    )
        transaction.groups = {}

    def _look_again(self, transaction: Transaction) -> None:
        if transaction.ending:
            self._complete(transaction)

    def complete_all(self) -> None:
        """Go on with everything that was decided and could not be written everywhere."""
        for transaction in self.by_id.values():
            if transaction.ending:
                transaction.look_again = partial(self._look_again, transaction)
                self._complete(transaction)

    def resume(self) -> None:
        """The broker has been away: what is open has its whole time again, the rest is ended."""
        for transaction in self.by_id.values():
            if transaction.state is TransactionState.ONGOING:
                self._arm(transaction)
            transaction.resumed = transaction.ending
        cluster = self._cluster
        if any(transaction.ending for transaction in self.by_id.values()):
            # Not now: restoring makes no records.
            cluster.timers.at(
                cluster.now_ns,
                lambda now_ns: self.complete_all(),
                housekeeping=False,
            )

    def forget_topic(self, name: str) -> None:
        """A topic is gone: nothing need be written there."""
        for transaction in self.by_id.values():
            for key in [key for key in transaction.partitions if key[0] == name]:
                del transaction.partitions[key]

    def _arm(self, transaction: Transaction) -> None:
        if transaction.timer is not None:
            transaction.timer.cancel()
        cluster = self._cluster
        transaction.timer = cluster.timers.at(
            cluster.now_ns + transaction.timeout_ms * _MS,
            lambda now_ns: self._timed_out(transaction),
            housekeeping=False,
        )

    def _timed_out(self, transaction: Transaction) -> None:
        if self._cluster.coordinator(transaction.transactional_id, TRANSACTIONS_TOPIC) is None:
            self._arm(transaction)
            return
        # Its producer is shut out: it must not go on as if nothing had happened.
        transaction.epoch += 1
        self.end(transaction, commit=False, reason="it took too long")

    def _keep(self, transaction: Transaction) -> None:
        transaction.changed_ms = self._cluster.now_ms(self._cluster.now_ns)
        if self._cluster.keep is not None:
            self._cluster.keep(transaction_record(transaction))


def transaction_record(transaction: Transaction) -> Record:
    """One transactional id."""
    return [
        "transaction",
        transaction.transactional_id,
        transaction.producer_id,
        transaction.epoch,
        transaction.timeout_ms,
        transaction.state.value,
        [list(key) for key in transaction.partitions],
        list(transaction.groups),
    ]
