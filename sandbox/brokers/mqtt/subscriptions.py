"""Who subscribed to what: a tree of filters, one level of a topic at a time.

A published topic walks down the tree, at each level along its own name first, then `+`, then `#`:
so a client with several matching subscriptions gets its copies in Mosquitto's order, the most
particular first. Each subscription finds the message, with its own QoS and identifier; within a
shared group the sessions take turns. [mqtt-v5.0 3.3.4, 4.8.2]

To change who gets a message, change `Tree.find`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sandbox.brokers.mqtt.session import Session


class Subscription(NamedTuple):
    """One session's subscription. `topic_filter` is as it was asked for, `$share/` and all."""

    session: Session
    topic_filter: str
    pattern: str
    group: str | None
    qos: int
    no_local: bool = False
    retain_as_published: bool = False
    identifier: int | None = None


class _Node:
    __slots__ = ("children", "shared", "subscriptions")

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        #: By session, in the order they subscribed.
        self.subscriptions: dict[Session, Subscription] = {}
        #: By group; within one, whose turn it is stands first.
        self.shared: dict[str, dict[Session, Subscription]] = {}

    def is_empty(self) -> bool:
        return not (self.children or self.subscriptions or self.shared)


class Tree:
    """All subscriptions."""

    def __init__(self) -> None:
        # Topics beginning with "$" have a root of their own, so that wildcards do not reach them.
        self._roots = {False: _Node(), True: _Node()}
        #: How many subscriptions there are.
        self.count = 0
        self.shared_count = 0

    def add(self, subscription: Subscription) -> bool:
        """Add or replace a subscription. Returns: whether it is new."""
        node = self._roots[subscription.pattern.startswith("$")]
        for level in subscription.pattern.split("/"):
            child = node.children.get(level)
            if child is None:
                child = node.children[level] = _Node()
            node = child
        if subscription.group is None:
            place = node.subscriptions
        else:
            place = node.shared.setdefault(subscription.group, {})
        new = subscription.session not in place
        place[subscription.session] = subscription
        self.count += new
        self.shared_count += new and subscription.group is not None
        return new

    def remove(self, subscription: Subscription) -> None:
        """Forget a subscription that is there."""
        node = self._roots[subscription.pattern.startswith("$")]
        path = []
        for level in subscription.pattern.split("/"):
            path.append((node, level))
            node = node.children[level]
        if subscription.group is None:
            del node.subscriptions[subscription.session]
        else:
            group = node.shared[subscription.group]
            del group[subscription.session]
            if not group:
                del node.shared[subscription.group]
        self.count -= 1
        self.shared_count -= subscription.group is not None
        for parent, level in reversed(path):
            if not parent.children[level].is_empty():
                break
            del parent.children[level]

    def find(self, topic: str) -> list[Subscription]:
        """The subscriptions that match a topic, in the order they get the message.

        Of a shared group the one whose turn it is: call it once for each message. Groups come
        after everybody else.
        """
        found: list[Subscription] = []
        turns: list[Subscription] = []
        for node in _walk(self._roots[topic.startswith("$")], topic.split("/"), 0):
            found += node.subscriptions.values()
            for group in node.shared.values():
                session = next(iter(group))
                # Whose turn it was goes to the end.
                subscription = group[session] = group.pop(session)
                turns.append(subscription)
        return found + turns

    def any_under(self, first_level: str) -> bool:
        """Whether anybody subscribed to topics that begin with this level."""
        root = self._roots[first_level.startswith("$")]
        return first_level in root.children


def _walk(node: _Node, levels: list[str], depth: int) -> Iterator[_Node]:
    children = node.children
    if depth < len(levels):
        for level in (levels[depth], "+"):
            child = children.get(level)
            if child is not None:
                yield from _walk(child, levels, depth + 1)
                if depth + 1 == len(levels):
                    yield child
    child = children.get("#")
    if child is not None:
        yield child
