"""Ordered sets behave as sets do, and keep their order."""

from __future__ import annotations

import copy
import pickle
import random

import pytest

from sandbox.sim.standins.sets_ import OrderedFrozenSet, OrderedSet

WORDS = ["mails", "orders", "audit", "billing", "stock", "crm"]


def test_it_is_gone_through_shown_and_emptied_in_the_order_of_adding():
    made = OrderedSet(["orders", "mails", "orders"])
    made.add("audit")
    made.add("orders")
    made.update(["billing", "mails"], {"stock"})
    made.discard("mails")
    made.remove("billing")
    assert list(made) == ["orders", "audit", "stock"]
    assert repr(made) == "{'orders', 'audit', 'stock'}"
    assert [made.pop(), made.pop(), made.pop()] == ["orders", "audit", "stock"]
    assert repr(made) == "set()"
    with pytest.raises(KeyError):
        made.pop()
    with pytest.raises(KeyError):
        made.remove("mails")


def test_whatever_is_done_to_it_leaves_the_elements_that_a_set_would_have():
    chance = random.Random(1)
    updates = ("update", "difference_update", "intersection_update", "symmetric_difference_update")
    changes = ("add", "discard", *updates)
    operators = [f"__{how}{name}__" for how in ("", "i") for name in ("or", "and", "sub", "xor")]
    reverse = ["__ror__", "__rand__", "__rsub__", "__rxor__"]
    ours, plain = OrderedSet(), set()
    for _ in range(2000):
        some = chance.sample(WORDS, chance.randrange(4))
        name = chance.choice([*changes, *operators, *reverse])
        if name in ("add", "discard"):
            word = chance.choice(WORDS)
            getattr(ours, name)(word)
            getattr(plain, name)(word)
        elif name in changes:
            getattr(ours, name)(some)
            getattr(plain, name)(some)
        else:
            ours = getattr(ours, name)(set(some))
            plain = getattr(plain, name)(set(some))
        assert ours == plain
        assert sorted(ours) == sorted(plain)
        assert len(ours) == len(list(ours)) == len(plain)
        assert isinstance(ours, OrderedSet)


def test_two_sets_together_keep_the_order_of_the_left_one_then_of_the_right_one():
    left, right = OrderedSet(["orders", "mails", "audit"]), OrderedSet(["stock", "mails"])
    assert list(left | right) == ["orders", "mails", "audit", "stock"]
    assert list(left - right) == ["orders", "audit"]
    assert list(left & right) == ["mails"]
    assert list(left ^ right) == ["orders", "audit", "stock"]
    assert list(left.union(["crm"])) == ["orders", "mails", "audit", "crm"]


def test_a_module_that_asks_whether_something_is_a_set_gets_the_answer_for_every_set():
    assert isinstance(set(), OrderedSet)
    assert isinstance(OrderedSet(), set)
    assert not isinstance([], OrderedSet)
    assert not isinstance(frozenset(), OrderedSet)
    assert isinstance(frozenset(), OrderedFrozenSet)
    with pytest.raises(TypeError):
        OrderedSet(["orders"]) | ["mails"]


def test_copies_keep_the_order_and_what_is_pickled_is_a_set():
    made = OrderedSet(["orders", "mails"])
    for other in (copy.copy(made), made.copy()):
        other.add("audit")
        assert list(other) == ["orders", "mails", "audit"]
    assert list(made) == ["orders", "mails"]
    assert type(pickle.loads(pickle.dumps(made))) is set


def test_a_frozen_one_is_hashed_as_any_other_and_keeps_its_order():
    made = OrderedFrozenSet(["orders", "mails"])
    assert {made: 1}[frozenset(["mails", "orders"])] == 1
    assert repr(made) == "frozenset({'orders', 'mails'})"
    assert list(made | {"audit"}) == ["orders", "mails", "audit"]
    assert list(made - {"orders"}) == ["mails"]
    assert list(made & {"mails", "crm"}) == ["mails"]
    assert type(pickle.loads(pickle.dumps(made))) is frozenset
