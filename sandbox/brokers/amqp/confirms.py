"""Publisher confirms: counting what a channel published since `confirm.select`.

The count is the delivery tag of the confirmation, from 1. A message is confirmed once every queue
it was routed to has it, which here is at once; an unroutable one is confirmed too, after it was
returned if it was mandatory. [RabbitMQ: "Publisher Confirms"]
"""

from __future__ import annotations


class Confirms:
    """Whether a channel confirms, and how far it has counted."""

    __slots__ = ("last_tag", "selected")

    def __init__(self) -> None:
        self.selected = False
        self.last_tag = 0

    def next_tag(self) -> int:
        """Number a published message."""
        self.last_tag += 1
        return self.last_tag
