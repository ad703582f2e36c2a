"""The time limit for acknowledgements: who holds a message for half an hour loses the channel.

One timer a channel, for its oldest delivery; RabbitMQ looks once a minute and may be that much
later. Nothing else hangs on this, so it is housekeeping: a world that only waits for it is idle.
[RabbitMQ: "Consumers: Delivery Acknowledgement Timeout"]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.brokers.amqp.errors import PRECONDITION_FAILED, AmqpError

if TYPE_CHECKING:
    from sandbox.brokers.amqp.channel import Channel
    from sandbox.brokers.timers import Timer

_MS = 1_000_000


class Overdue:
    """Watches over what one channel holds. `timeout_ns` None: for as long as it likes."""

    __slots__ = ("_channel", "_timeout_ns", "_timer", "watching")

    def __init__(self, channel: Channel, timeout_ns: int | None) -> None:
        self._channel = channel
        self._timeout_ns = timeout_ns
        self._timer: Timer | None = None
        #: False if the next delivery must call `watch`.
        self.watching = timeout_ns is None

    def watch(self) -> None:
        """There is something to watch again."""
        assert self._timeout_ns is not None
        self.watching = True
        self._look_at(self._channel.timers.now_ns + self._timeout_ns)

    def stop(self) -> None:
        """The channel is over."""
        if self._timer is not None:
            self._timer.cancel()

    def _look_at(self, due_ns: int) -> None:
        self._timer = self._channel.timers.at(due_ns, self._look, housekeeping=True)

    def _look(self, now_ns: int) -> None:
        assert self._timeout_ns is not None
        oldest = next(iter(self._channel.unacked), None)
        if oldest is None:
            self.watching = False
        elif oldest.at_ns + self._timeout_ns > now_ns:
            self._look_at(oldest.at_ns + self._timeout_ns)
        else:
            self._channel.connection.fail_channel(self._channel, self._too_late(), now_ns)

    def _too_late(self) -> AmqpError:
        assert self._timeout_ns is not None
        return AmqpError(
            PRECONDITION_FAILED,
            f"delivery acknowledgement on channel {self._channel.number} timed out. Timeout value"
            f" used: {self._timeout_ns // _MS} ms. This timeout value can be configured, see"
            " consumers doc guide to learn more",
            (0, 0),
        )
