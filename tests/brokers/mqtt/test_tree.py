"""The tree of subscriptions against the plain rule."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sandbox.brokers.mqtt import topics
from sandbox.brokers.mqtt.durability import Keeper
from sandbox.brokers.mqtt.session import Session
from sandbox.brokers.mqtt.subscriptions import Subscription, Tree

_levels = st.lists(st.sampled_from(["a", "b", "", "+", "$s"]), min_size=1, max_size=3)
_patterns = st.one_of(
    _levels.map("/".join).filter(bool),
    _levels.map(lambda levels: "/".join([*levels, "#"])),
    st.just("#"),
)
_topics = st.lists(st.sampled_from(["a", "b", "", "$s"]), min_size=1, max_size=4).map("/".join)


@given(
    acts=st.lists(st.tuples(st.integers(0, 2), _patterns, st.booleans(), st.booleans())),
    published=st.lists(_topics.filter(bool), min_size=1),
)
def test_the_tree_finds_what_the_rule_says(
    acts: list[tuple[int, str, bool, bool]], published: list[str]
) -> None:
    sessions = [Session(str(number), 5, 0, Keeper(0)) for number in range(3)]
    tree, plain = Tree(), dict[tuple[int, str, str | None], Subscription]()
    for who, pattern, shared, add in acts:
        group = "g" if shared else None
        subscription = Subscription(sessions[who], pattern, pattern, group, 0)
        key = (who, pattern, group)
        if add:
            assert tree.add(subscription) == (key not in plain)
            plain[key] = subscription
        elif key in plain:
            tree.remove(plain.pop(key))
    assert tree.count == len(plain)
    assert tree.shared_count == sum(group is not None for _, _, group in plain)
    for topic in published:
        found = tree.find(topic)
        matching = [each for each in plain.values() if topics.matches(each.pattern, topic)]
        alone = [each for each in found if each.group is None]
        assert len(alone) == len(set(alone))
        assert set(alone) == {each for each in matching if each.group is None}
        # Of a group one member, and each group (a name and a pattern) once.
        turns = [each.pattern for each in found if each.group is not None]
        assert sorted(turns) == sorted({each.pattern for each in matching if each.group})
