"""Heartbeats: proof of life while there is nothing else to say.

Both ways work as in RabbitMQ, by looking now and then rather than by a timer per frame. Every half
interval the broker sends a heartbeat if it sent nothing since it last looked. Every whole interval
it looks whether anything came; a client found silent twice in a row is cut off without a word. So
that takes between two and three intervals. [amqp-0-9-1 4.2.7; RabbitMQ: "Heartbeats"]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.brokers.amqp.framing import HEARTBEAT_FRAME

if TYPE_CHECKING:
    from sandbox.brokers.amqp.connection import Connection
    from sandbox.brokers.timers import Timer, Timers

_SILENT_LOOKS = 2


class Heartbeat:
    """The heartbeats of one connection, both ways."""

    def __init__(self, connection: Connection, timers: Timers, interval_ns: int) -> None:
        self._connection = connection
        self._timers = timers
        self._interval_ns = interval_ns
        self._sent_bytes = -1
        self._received_bytes = -1
        self._silent_looks = 0
        self._sending: Timer | None = None
        self._watching: Timer | None = None

    def start(self, now_ns: int) -> None:
        """Begin; an interval of 0 means none at all."""
        if self._interval_ns:
            self._look_again_at_sent(now_ns)
            self._look_again_at_received(now_ns)

    def stop(self) -> None:
        """The connection is over."""
        for timer in (self._sending, self._watching):
            if timer is not None:
                timer.cancel()

    def _look_again_at_sent(self, now_ns: int) -> None:
        due_ns = now_ns + self._interval_ns // 2
        self._sending = self._timers.at(due_ns, self._send_if_quiet, housekeeping=True)

    def _look_again_at_received(self, now_ns: int) -> None:
        due_ns = now_ns + self._interval_ns
        self._watching = self._timers.at(due_ns, self._drop_if_silent, housekeeping=True)

    def _send_if_quiet(self, now_ns: int) -> None:
        connection = self._connection
        if connection.sent_bytes == self._sent_bytes:
            connection.write(HEARTBEAT_FRAME)
        # A heartbeat counts as something sent at the next look: a quiet connection gets one every
        # interval, not every half.
        self._sent_bytes = connection.sent_bytes
        self._look_again_at_sent(now_ns)

    def _drop_if_silent(self, now_ns: int) -> None:
        connection = self._connection
        if connection.blocked:
            # We are not reading, so we cannot tell.
            self._silent_looks = 0
        elif connection.received_bytes == self._received_bytes:
            self._silent_looks += 1
            if self._silent_looks == _SILENT_LOOKS:
                connection.missed_heartbeats(now_ns)
                return
        else:
            self._silent_looks = 0
        self._received_bytes = connection.received_bytes
        self._look_again_at_received(now_ns)
