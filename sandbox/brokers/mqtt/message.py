"""A message: what was published, by whom, and until when it is worth delivering.

A message is one object however many sessions it waits in; nobody changes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.brokers.mqtt import properties as props

SECOND_NS = 1_000_000_000


class Message:
    """One application message. `number` is the broker's own, from 1.

    `publisher` is a client id, or None for the administrator, `$SYS` and other brokers.
    `properties` are those that travel with it, `message_expiry_interval` as it was published.
    """

    __slots__ = (
        "expires_ns",
        "number",
        "payload",
        "properties",
        "publisher",
        "qos",
        "record_round",
        "retain",
        "topic",
        "wire_properties",
    )

    def __init__(
        self,
        number: int,
        topic: str,
        payload: bytes,
        qos: int,
        retain: bool,
        properties: Mapping[str, Any],
        publisher: str | None,
        *,
        now_ns: int,
        expires_ns: int | None = None,
    ) -> None:
        self.number = number
        self.topic = topic
        self.payload = payload
        self.qos = qos
        self.retain = retain
        self.properties = properties
        self.publisher = publisher
        interval_s = properties.get("message_expiry_interval")
        if expires_ns is None and interval_s is not None:
            # An interval of 0 lets it be sent at once and not wait.
            expires_ns = now_ns + max(interval_s * SECOND_NS, 1)
        #: When it is too old, in nanoseconds, or None.
        self.expires_ns = expires_ns
        #: The properties as they stand in a PUBLISH, without those that each delivery changes.
        self.wire_properties = (
            props.encode_each(
                {k: v for k, v in properties.items() if k != "message_expiry_interval"}
            )
            if properties
            else b""
        )
        #: In which round of records it was last written (see `durability`).
        self.record_round = 0

    def is_expired(self, now_ns: int) -> bool:
        """Whether its time is over."""
        return self.expires_ns is not None and now_ns >= self.expires_ns

    def seconds_left(self, now_ns: int) -> int:
        """What is left of its expiry interval, begun seconds counted whole.

        Only for a message that expires.
        """
        assert self.expires_ns is not None
        left_s = max(0, -((now_ns - self.expires_ns) // SECOND_NS))
        return min(left_s, int(self.properties["message_expiry_interval"]))

    def describe(self) -> dict[str, Any]:
        """Itself as plain data."""
        return {
            "topic": self.topic,
            "payload": self.payload,
            "qos": self.qos,
            "retain": self.retain,
            "properties": dict(self.properties),
        }
