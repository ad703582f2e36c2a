"""One message as the broker holds it: bytes to forward and a number to speak of it.

A message routed to several queues exists once; each queue has its own `Entry` for it, because
"was it delivered before?" and "where in line is it?" are questions to a queue.
"""

from __future__ import annotations

from typing import Any

from sandbox.brokers.amqp.properties import decode_properties


class Message:
    """A published message.

    `number` counts from 1 in each broker and names the message in the trace. `route` is exchange
    and routing key as two short strings, and `header` the content header's payload: both as they
    stand in frames to clients.
    """

    __slots__ = ("body", "exchange", "header", "number", "persistent", "route", "routing_key")

    def __init__(
        self,
        number: int,
        exchange: str,
        routing_key: str,
        route: bytes,
        header: bytes,
        body: bytes,
        persistent: bool,
    ) -> None:
        self.number = number
        self.exchange = exchange
        self.routing_key = routing_key
        self.route = route
        self.header = header
        self.body = body
        self.persistent = persistent

    @property
    def properties(self) -> dict[str, Any]:
        """The properties that are set, as plain data; a dict of your own."""
        return decode_properties(self.header)


class Entry:
    """A message's place in one queue. `position` never changes, so a requeued message goes back."""

    __slots__ = ("message", "position", "redelivered")

    def __init__(self, message: Message, position: int) -> None:
        self.message = message
        self.position = position
        self.redelivered = False

    @property
    def body(self) -> bytes:
        """The message's body."""
        return self.message.body

    @property
    def properties(self) -> dict[str, Any]:
        """The message's properties as plain data."""
        return self.message.properties
