"""One message as the broker holds it: bytes to forward and a number to speak of it.

A message routed to several queues exists once; each queue has its own `Entry` for it, because
"was it delivered before?" and "where in line is it?" are questions to a queue.
"""

from __future__ import annotations

from typing import Any

from sandbox.brokers.amqp.properties import decode_properties


class Message:
    """A published message.

    `number` counts from 1 in each broker and names the message in the trace; a dead-lettered one
    keeps it. `route` is exchange and routing key as two short strings, and `header` the content
    header's payload: both as they stand in frames to clients. `more_keys` are the routing keys its
    sender added (CC and BCC), `ttl_ns` its own time to live.
    """

    __slots__ = (
        "body",
        "exchange",
        "header",
        "more_keys",
        "number",
        "persistent",
        "priority",
        "route",
        "routing_key",
        "ttl_ns",
    )

    def __init__(
        self,
        number: int,
        exchange: str,
        routing_key: str,
        route: bytes,
        header: bytes,
        body: bytes,
        persistent: bool,
        priority: int = 0,
        ttl_ns: int | None = None,
        more_keys: tuple[str, ...] = (),
    ) -> None:
        self.number = number
        self.exchange = exchange
        self.routing_key = routing_key
        self.route = route
        self.header = header
        self.body = body
        self.persistent = persistent
        self.priority = priority
        self.ttl_ns = ttl_ns
        self.more_keys = more_keys

    @property
    def properties(self) -> dict[str, Any]:
        """The properties that are set, as plain data; a dict of your own."""
        return decode_properties(self.header)


class Entry:
    """A message's place in one queue. By its `position`, a requeued message goes back there.

    `expires_ns` is when its time is up, if ever. `returns` counts how often it came back to a
    quorum queue; other queues do not count, and leave it at -1.
    """

    __slots__ = ("expires_ns", "message", "position", "redelivered", "returns")

    def __init__(self, message: Message, position: int) -> None:
        self.message = message
        self.position = position
        self.redelivered = False
        self.expires_ns: int | None = None
        self.returns = -1

    @property
    def body(self) -> bytes:
        """The message's body."""
        return self.message.body

    @property
    def properties(self) -> dict[str, Any]:
        """The message's properties as plain data."""
        return self.message.properties
