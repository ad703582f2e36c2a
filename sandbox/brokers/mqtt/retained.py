"""Retained messages: the last one of each topic, for those who subscribe later.

Kept in the order in which topics were first retained, which is the order in which a wildcard
subscription gets them. Expired ones are forgotten when somebody comes upon them.
[mqtt-v5.0 3.3.1.3]
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sandbox.brokers.mqtt import topics

if TYPE_CHECKING:
    from sandbox.brokers.mqtt.message import Message


class Retained:
    """The retained messages by topic."""

    def __init__(self) -> None:
        self._messages: dict[str, Message] = {}

    def __len__(self) -> int:
        return len(self._messages)

    def __iter__(self) -> Iterator[Message]:
        return iter(list(self._messages.values()))

    def set(self, message: Message) -> None:
        """Retain a message in place of the one before."""
        self._messages[message.topic] = message

    def remove(self, topic: str) -> bool:
        """Forget a topic's message. Returns: whether there was one."""
        return self._messages.pop(topic, None) is not None

    def matching(self, pattern: str, now_ns: int) -> list[Message]:
        """The messages whose topics a filter matches, without those whose time is over."""
        if "+" in pattern or "#" in pattern:
            found = [m for m in self if topics.matches(pattern, m.topic)]
        else:
            one = self._messages.get(pattern)
            found = [] if one is None else [one]
        for message in found:
            if message.is_expired(now_ns):
                del self._messages[message.topic]
        return [message for message in found if not message.is_expired(now_ns)]
