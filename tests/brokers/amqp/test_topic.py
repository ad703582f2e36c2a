"""Topic patterns, against a matcher too simple to be wrong."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.brokers.amqp.topic import TopicTree, words

WORDS = st.sampled_from(["a", "b", "", "*", "#"])
KEYS = st.lists(WORDS, max_size=5).map(".".join)


def matches(pattern: list[str], key: list[str]) -> bool:
    if not pattern:
        return not key
    if pattern[0] == "#":
        return any(matches(pattern[1:], key[skipped:]) for skipped in range(len(key) + 1))
    return bool(key) and pattern[0] in ("*", key[0]) and matches(pattern[1:], key[1:])


@settings(max_examples=400, deadline=None)
@given(st.lists(KEYS, max_size=8), KEYS)
def test_the_tree_finds_exactly_the_patterns_that_match(patterns: list[str], key: str) -> None:
    tree: TopicTree[str] = TopicTree()
    for pattern in patterns:
        tree.add(pattern, pattern)
    expected = {p for p in patterns if matches(words(p), words(key))}
    found = tree.match(key)
    assert set(found) == expected
    assert len(found) == len(set(found))


@settings(deadline=None)
@given(st.lists(KEYS, min_size=1, max_size=8), st.data())
def test_what_is_removed_is_not_found_and_leaves_nothing_behind(
    patterns: list[str], data: st.DataObject
) -> None:
    tree: TopicTree[str] = TopicTree()
    for pattern in patterns:
        tree.add(pattern, pattern)
    kept = [p for p in patterns if data.draw(st.booleans(), label=p)]
    for pattern in set(patterns) - set(kept):
        tree.remove(pattern, pattern)
    for key in patterns:
        assert set(tree.match(key)) == {p for p in kept if matches(words(p), words(key))}
    for pattern in set(kept):
        tree.remove(pattern, pattern)
    assert not tree._root.children


def test_removing_what_was_never_there_is_harmless() -> None:
    tree: TopicTree[str] = TopicTree()
    tree.add("a.b", "x")
    tree.remove("a.c.d", "x")
    tree.remove("a", "x")
    assert tree.match("a.b") == ["x"]


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("order.*", ["order.paid", "order."], ["order", "order.paid.twice", "orders.paid"]),
        ("order.#", ["order", "order.paid", "order.paid.twice"], ["orders", ""]),
        ("#", ["", "a", "a.b.c"], []),
        ("*", ["a"], ["", "a.b"]),
        ("", [""], ["a"]),
        ("a..b", ["a..b"], ["a.b", "a.x.b"]),
        ("#.*.#", ["a", "a.b"], [""]),
    ],
)
def test_the_patterns_people_write(pattern: str, yes: list[str], no: list[str]) -> None:
    tree: TopicTree[str] = TopicTree()
    tree.add(pattern, "q")
    for key in yes:
        assert tree.match(key) == ["q"], key
    for key in no:
        assert tree.match(key) == [], key


def test_many_wildcards_do_not_take_for_ever() -> None:
    tree: TopicTree[str] = TopicTree()
    tree.add(".".join(["#"] * 30), "q")
    tree.add(".".join(["#", "*"] * 15 + ["z"]), "never")
    assert tree.match(".".join(["a"] * 60)) == ["q"]


def test_splitting_agrees_with_a_regular_expression() -> None:
    for key in ("a", "a.b", ".", "a.", ".a", "a..b"):
        assert words(key) == re.split(r"\.", key)
    assert words("") == []
