"""Idempotent producers: what one partition remembers of each, so that a retry is not a duplicate.

The last five batches of each producer are remembered, as many as a client may have in flight.
[KIP-98 "Exactly Once Delivery and Transactional Messaging"]
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from sandbox.brokers.kafka.errors import Code, KafkaError
from sandbox.brokers.kafka.records import Batch

REMEMBERED_BATCHES = 5


@dataclass(slots=True)
class Appended:
    """A batch that is in the log."""

    base_sequence: int
    last_sequence: int
    base_offset: int


@dataclass(slots=True)
class ProducerState:
    """One producer in one partition."""

    epoch: int
    batches: deque[Appended] = field(default_factory=lambda: deque(maxlen=REMEMBERED_BATCHES))
    #: Where its open transaction began in this partition.
    transaction_offset: int | None = None
    #: The epoch of the last marker.
    marker_epoch: int = -1
    last_timestamp_ms: int = -1

    def ended_by(self, epoch: int) -> bool:
        """Whether the marker of this epoch is here already, and nothing came after it."""
        return self.transaction_offset is None and self.marker_epoch == epoch


class Producers:
    """All producers of one partition, by producer id."""

    def __init__(self) -> None:
        self.states: dict[int, ProducerState] = {}

    def check(self, batch: Batch) -> int | None:
        """Say where a batch already is if it is a repetition, else None.

        Raises:
            KafkaError: 47, from an older incarnation of the producer; 45, a batch before this one
                is missing; 46, a repetition of a batch too old to know where it is.
        """
        if batch.producer_id < 0:
            return None
        state = self.states.get(batch.producer_id)
        if state is None:
            # Nothing is known of it: new here, or forgotten with the records it wrote.
            return None
        if batch.producer_epoch < state.epoch:
            raise KafkaError(
                Code.INVALID_PRODUCER_EPOCH,
                f"producer {batch.producer_id} has epoch {state.epoch} here,"
                f" a batch came with {batch.producer_epoch}",
            )
        if batch.producer_epoch > state.epoch:
            if batch.base_sequence != 0:
                raise KafkaError(
                    Code.OUT_OF_ORDER_SEQUENCE_NUMBER,
                    f"a new epoch begins with sequence 0, not {batch.base_sequence}",
                )
            return None
        if not state.batches:
            return None
        for known in state.batches:
            if (known.base_sequence, known.last_sequence) == (
                batch.base_sequence,
                batch.last_sequence,
            ):
                return known.base_offset
        last = state.batches[-1].last_sequence
        expected = (last + 1) % 2**31
        if batch.base_sequence == expected:
            return None
        if batch.last_sequence <= last:
            raise KafkaError(
                Code.DUPLICATE_SEQUENCE_NUMBER,
                f"sequence {batch.base_sequence} was written long ago; {expected} comes next",
            )
        raise KafkaError(
            Code.OUT_OF_ORDER_SEQUENCE_NUMBER,
            f"sequence {batch.base_sequence} came, {expected} was expected",
        )

    def remember(self, batch: Batch) -> None:
        """A batch is in the log now."""
        if batch.producer_id < 0:
            return
        state = self.states.get(batch.producer_id)
        if state is None or batch.producer_epoch > state.epoch:
            begun = None if state is None else state.transaction_offset
            state = ProducerState(batch.producer_epoch, transaction_offset=begun)
            self.states[batch.producer_id] = state
        state.last_timestamp_ms = batch.max_timestamp_ms
        if batch.control:
            state.transaction_offset = None
            state.marker_epoch = batch.producer_epoch
            return
        state.marker_epoch = -1
        if batch.transactional and state.transaction_offset is None:
            state.transaction_offset = batch.base_offset
        state.batches.append(Appended(batch.base_sequence, batch.last_sequence, batch.base_offset))

    def first_undecided(self) -> int | None:
        """Where the oldest open transaction began, or None."""
        begun = [
            state.transaction_offset
            for state in self.states.values()
            if state.transaction_offset is not None
        ]
        return min(begun, default=None)
