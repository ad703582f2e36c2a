"""Topic patterns: `*` is one word, `#` is any number of words, words are separated by dots.

Patterns are kept in a tree of words, so that matching a key costs steps in the tree and not one
comparison per binding. The empty key has no words at all; `a..b` has three, the middle one empty.
[amqp-0-9-1 3.1.3.3 "The Topic Exchange Type"]
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

Target = TypeVar("Target")


class _Node(Generic[Target]):
    __slots__ = ("children", "targets")

    def __init__(self) -> None:
        self.children: dict[str, _Node[Target]] = {}
        self.targets: dict[Target, None] = {}


class TopicTree(Generic[Target]):
    """Patterns and what each leads to. A target may be under many patterns."""

    def __init__(self) -> None:
        self._root: _Node[Target] = _Node()

    def add(self, pattern: str, target: Target) -> None:
        """Make `target` reachable by keys that match `pattern`."""
        node = self._root
        for word in words(pattern):
            node = node.children.setdefault(word, _Node())
        node.targets[target] = None

    def remove(self, pattern: str, target: Target) -> None:
        """Undo `add`, and forget branches that lead nowhere any more."""
        path = [self._root]
        for word in words(pattern):
            child = path[-1].children.get(word)
            if child is None:
                return
            path.append(child)
        path[-1].targets.pop(target, None)
        for word, parent, child in reversed(
            list(zip(words(pattern), path, path[1:], strict=False))
        ):
            if child.targets or child.children:
                break
            del parent.children[word]

    def match(self, key: str) -> list[Target]:
        """Return the targets of all patterns that match `key`, each once."""
        found: dict[Target, None] = {}
        key_words = words(key)
        seen: set[tuple[int, int]] = set()
        waiting: list[tuple[_Node[Target], int]] = [(self._root, 0)]
        while waiting:
            node, position = waiting.pop()
            # Several `#` reach the same place in many ways; once is enough.
            if (id(node), position) in seen:
                continue
            seen.add((id(node), position))
            if position == len(key_words):
                found.update(node.targets)
            waiting.extend(self._steps(node, position, key_words))
        return list(found)

    @staticmethod
    def _steps(
        node: _Node[Target], position: int, key_words: list[str]
    ) -> Iterator[tuple[_Node[Target], int]]:
        many = node.children.get("#")
        if many is not None:
            for after in range(position, len(key_words) + 1):
                yield many, after
        if position < len(key_words):
            for word in ("*", key_words[position]):
                child = node.children.get(word)
                # A key may contain "#" or "*" as a word of its own; those name the same branch.
                if child is not None and child is not many:
                    yield child, position + 1


def words(key: str) -> list[str]:
    """Split a routing key or a pattern into words; the empty key has none."""
    return key.split(".") if key else []
