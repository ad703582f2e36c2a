"""Transactions: what a channel publishes and settles counts when it commits, or never.

Nothing is undone by a roll-back, because nothing was done: publishes and settlements wait here.
What is wrong with them is said at once all the same. [amqp-0-9-1 1.9 "The Tx Class"]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from pamqp import commands

from sandbox.brokers.amqp.codec import MethodId
from sandbox.brokers.amqp.errors import PRECONDITION_FAILED, AmqpError

if TYPE_CHECKING:
    from sandbox.brokers.amqp.channel import Channel
    from sandbox.brokers.amqp.unacked import Delivery


class Transaction:
    """What a channel has done since it last committed."""

    def __init__(self) -> None:
        self._publishes: list[Callable[[], None]] = []
        self._settlements: list[tuple[Sequence[Delivery], Callable[[], None]]] = []

    @property
    def waiting(self) -> tuple[int, int]:
        """How many messages and how many settled deliveries wait for a commit."""
        return len(self._publishes), len(list(self.settled))

    @property
    def settled(self) -> Iterator[Delivery]:
        """Deliveries that are settled if it commits."""
        for deliveries, _ in self._settlements:
            yield from deliveries

    def publish_later(self, act: Callable[[], None]) -> None:
        """Remember a publish."""
        self._publishes.append(act)

    def settle_later(self, settled: Sequence[Delivery], act: Callable[[], None]) -> None:
        """Remember a settlement and the deliveries it is about."""
        self._settlements.append((settled, act))

    def commit(self) -> None:
        """Do it all: publishes first, as RabbitMQ does."""
        publishes, self._publishes = self._publishes, []
        settlements, self._settlements = self._settlements, []
        for act in publishes:
            act()
        for _, act in settlements:
            act()

    def roll_back(self, channel: Channel) -> None:
        """Forget it all; what was settled is outstanding again."""
        settled = list(self.settled)
        self._publishes, self._settlements = [], []
        channel.unacked.put_back(settled)


def tx_select(channel: Channel, method: commands.Tx.Select) -> None:
    """Make the channel transactional. Selecting twice is fine."""
    if channel.confirms.selected:
        raise AmqpError(PRECONDITION_FAILED, "cannot switch from confirm to tx mode")
    channel.transaction = channel.transaction or Transaction()
    channel.send(commands.Tx.SelectOk())


def tx_commit(channel: Channel, method: commands.Tx.Commit) -> None:
    """Do what was published and settled since the last commit."""
    _transaction(channel).commit()
    channel.send(commands.Tx.CommitOk())


def tx_rollback(channel: Channel, method: commands.Tx.Rollback) -> None:
    """Forget what was published and settled since the last commit."""
    _transaction(channel).roll_back(channel)
    channel.send(commands.Tx.RollbackOk())


def _transaction(channel: Channel) -> Transaction:
    if channel.transaction is None:
        raise AmqpError(PRECONDITION_FAILED, "channel is not transactional")
    return channel.transaction


HANDLERS: Final[Mapping[MethodId, Callable[[Channel, Any], None]]] = {
    (90, 10): tx_select,
    (90, 20): tx_commit,
    (90, 30): tx_rollback,
}
