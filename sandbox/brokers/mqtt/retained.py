"""Retained messages: the last one of each topic, for those who subscribe later.

Kept in a tree, one level of a topic at a time, so that a wildcard subscription gets them in
Mosquitto's order: level by level as they were first retained, but `x/#` gives `x` last. Expired
ones are forgotten when somebody comes upon them. [mqtt-v5.0 3.3.1.3]
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.brokers.mqtt.message import Message


class _Node:
    __slots__ = ("children", "message")

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.message: Message | None = None


class Retained:
    """The retained messages by topic."""

    def __init__(self) -> None:
        # Topics beginning with "$" have a root of their own, so that wildcards do not reach them.
        self._roots = {False: _Node(), True: _Node()}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Message]:
        return iter([*_find(self._roots[False], ["#"], 0), *_find(self._roots[True], ["#"], 0)])

    def set(self, message: Message) -> None:
        """Retain a message in place of the one before."""
        node = self._roots[message.topic.startswith("$")]
        for level in message.topic.split("/"):
            child = node.children.get(level)
            if child is None:
                child = node.children[level] = _Node()
            node = child
        self._count += node.message is None
        node.message = message

    def remove(self, topic: str) -> bool:
        """Forget a topic's message. Returns: whether there was one."""
        node = self._roots[topic.startswith("$")]
        path = []
        for level in topic.split("/"):
            path.append((node, level))
            child = node.children.get(level)
            if child is None:
                return False
            node = child
        found, node.message = node.message, None
        for parent, level in reversed(path):
            child = parent.children[level]
            if child.children or child.message is not None:
                break
            del parent.children[level]
        self._count -= found is not None
        return found is not None

    def matching(self, pattern: str, now_ns: int) -> list[Message]:
        """The messages whose topics a filter matches, without those whose time is over."""
        found = list(_find(self._roots[pattern.startswith("$")], pattern.split("/"), 0))
        for message in found:
            if message.is_expired(now_ns):
                self.remove(message.topic)
        return [message for message in found if not message.is_expired(now_ns)]


def _find(node: _Node, levels: list[str], depth: int) -> Iterator[Message]:
    level = levels[depth]
    if level == "#":
        for child in node.children.values():
            if child.message is not None:
                yield child.message
            yield from _find(child, levels, depth)
        return
    if level == "+":
        children = list(node.children.values())
    else:
        children = [node.children[level]] if level in node.children else []
    for child in children:
        rest = levels[depth + 1 :]
        if rest:
            yield from _find(child, levels, depth + 1)
        if child.message is not None and rest in ([], ["#"]):
            yield child.message
