"""The tree of retained messages against the plain rule."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sandbox.brokers.mqtt import topics
from sandbox.brokers.mqtt.message import Message
from sandbox.brokers.mqtt.retained import Retained

_names = st.lists(st.sampled_from(["a", "b", "", "$s"]), min_size=1, max_size=3).map("/".join)
_patterns = st.lists(st.sampled_from(["a", "b", "", "+", "$s"]), min_size=1, max_size=3).map(
    "/".join
)


@given(
    acts=st.lists(st.tuples(_names.filter(bool), st.booleans())),
    patterns=st.lists(st.one_of(_patterns, _patterns.map(lambda text: text + "/#"), st.just("#"))),
)
def test_the_tree_holds_and_finds_what_the_rule_says(
    acts: list[tuple[str, bool]], patterns: list[str]
) -> None:
    tree, plain = Retained(), dict[str, Message]()
    for topic, keep in acts:
        if keep:
            message = Message(1, topic, b"x", 0, True, {}, None, now_ns=0)
            tree.set(message)
            plain[topic] = message
        else:
            assert tree.remove(topic) == (plain.pop(topic, None) is not None)
    assert len(tree) == len(plain)
    assert sorted(each.topic for each in tree) == sorted(plain)
    for pattern in filter(bool, patterns):
        found = sorted(each.topic for each in tree.matching(pattern, 0))
        assert found == sorted(topic for topic in plain if topics.matches(pattern, topic))
