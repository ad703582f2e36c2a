"""Publisher confirms: counting what a channel published since `confirm.select`.

The count is the delivery tag of the confirmation, from 1. A message is confirmed once every queue
it was routed to has it, which here is at once; an unroutable one is confirmed too, after it was
returned if it was mandatory. What came in one piece is confirmed in one piece: with `multiple`, at
the end, or before anything else is said on the channel. [RabbitMQ: "Publisher Confirms"]
"""

from __future__ import annotations

from sandbox.brokers.amqp.codec import ack_frame, nack_frame


class Confirms:
    """Whether a channel confirms, and how far it has counted."""

    __slots__ = ("_taken", "_waiting", "last_tag", "selected")

    def __init__(self) -> None:
        self.selected = False
        self.last_tag = 0
        #: How many of the last messages are still to be confirmed, and whether they were taken.
        self._waiting = 0
        self._taken = True

    def count(self, channel: int, taken: bool) -> bytes:
        """A message was published, and taken or refused.

        Returns: frames for the client, if what happened to the messages before was another thing.
        """
        frames = self.take(channel) if self._waiting and taken != self._taken else b""
        self.last_tag += 1
        self._waiting += 1
        self._taken = taken
        return frames

    def take(self, channel: int) -> bytes:
        """Frames for all that is still to be confirmed."""
        waiting, self._waiting = self._waiting, 0
        if not waiting:
            return b""
        frame = ack_frame if self._taken else nack_frame
        return frame(channel, self.last_tag, multiple=waiting > 1)
