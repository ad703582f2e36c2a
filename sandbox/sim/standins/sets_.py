"""A `set` that is gone through in the order in which things were added.

The order of a set follows from its elements' hashes: of texts, whose hashes differ from one
interpreter to the next, or of objects, whose hashes are addresses. Client libraries go through sets
to decide what they send first. In their modules `set` is this class, so that it is the same in each
run; which order it is was never promised. What they write with braces stays an ordinary set.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any


class _IsSet(type):
    """`isinstance(x, set)` means what it says, also where `set` is ours."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, _builtin)


class _IsFrozenSet(type):
    """As `_IsSet`, for `frozenset`."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, _builtin_frozen)


_builtin, _builtin_frozen = set, frozenset


class OrderedSet(set, metaclass=_IsSet):  # type: ignore[type-arg]
    """See the module. What is gone through and shown is `_order`; all else is the set's own."""

    def __init__(self, items: Iterable[Any] = ()) -> None:
        self._order: dict[Any, None] = dict.fromkeys(items)
        super().__init__(self._order)

    def _arrange(self) -> None:
        """The set has been changed: keep the order of what is left, put what is new behind."""
        inside = super().__contains__
        order = {item: None for item in self._order if inside(item)}
        if len(order) != len(self):
            order.update(dict.fromkeys(super().__iter__()))
        self._order = order

    def __iter__(self) -> Iterator[Any]:
        return iter(self._order)

    def __repr__(self) -> str:
        return f"{{{', '.join(map(repr, self._order))}}}" if self._order else "set()"

    def __reduce__(self) -> tuple[Any, ...]:
        return _builtin, (list(self._order),)

    def add(self, item: Any, /) -> None:
        super().add(item)
        self._order.setdefault(item)

    def discard(self, item: Any, /) -> None:
        super().discard(item)
        self._order.pop(item, None)

    def remove(self, item: Any, /) -> None:
        super().remove(item)
        del self._order[item]

    def pop(self) -> Any:
        if not self._order:
            return super().pop()
        item = next(iter(self._order))
        self.remove(item)
        return item

    def clear(self) -> None:
        super().clear()
        self._order.clear()

    def copy(self) -> OrderedSet:
        return OrderedSet(self._order)

    __copy__ = copy

    def update(self, *others: Iterable[Any]) -> None:
        for other in others:
            self._order.update(dict.fromkeys(other))
        super().update(self._order)

    def difference_update(self, *others: Iterable[Any]) -> None:
        super().difference_update(*others)
        self._arrange()

    def intersection_update(self, *others: Iterable[Any]) -> None:
        super().intersection_update(*others)
        self._arrange()

    def symmetric_difference_update(self, other: Iterable[Any], /) -> None:
        new = self.symmetric_difference(other)
        self.clear()
        self.update(new)

    def union(self, *others: Iterable[Any]) -> OrderedSet:
        made = self.copy()
        made.update(*others)
        return made

    def difference(self, *others: Iterable[Any]) -> OrderedSet:
        made = self.copy()
        made.difference_update(*others)
        return made

    def intersection(self, *others: Iterable[Any]) -> OrderedSet:
        made = self.copy()
        made.intersection_update(*others)
        return made

    def symmetric_difference(self, other: Iterable[Any], /) -> OrderedSet:
        others = OrderedSet(other)
        return self.difference(others).union(others.difference(self))

    def __or__(self, other: Any) -> Any:
        return self.union(other) if isinstance(other, _ANY_SET) else NotImplemented

    def __and__(self, other: Any) -> Any:
        return self.intersection(other) if isinstance(other, _ANY_SET) else NotImplemented

    def __sub__(self, other: Any) -> Any:
        return self.difference(other) if isinstance(other, _ANY_SET) else NotImplemented

    def __xor__(self, other: Any) -> Any:
        return self.symmetric_difference(other) if isinstance(other, _ANY_SET) else NotImplemented

    def __ror__(self, other: Any) -> Any:
        return OrderedSet(other) | self if isinstance(other, _ANY_SET) else NotImplemented

    def __rand__(self, other: Any) -> Any:
        return OrderedSet(other) & self if isinstance(other, _ANY_SET) else NotImplemented

    def __rsub__(self, other: Any) -> Any:
        return OrderedSet(other) - self if isinstance(other, _ANY_SET) else NotImplemented

    def __rxor__(self, other: Any) -> Any:
        return OrderedSet(other) ^ self if isinstance(other, _ANY_SET) else NotImplemented

    def __ior__(self, other: Any) -> Any:
        if not isinstance(other, _ANY_SET):
            return NotImplemented
        self.update(other)
        return self

    def __iand__(self, other: Any) -> Any:
        if not isinstance(other, _ANY_SET):
            return NotImplemented
        self.intersection_update(other)
        return self

    def __isub__(self, other: Any) -> Any:
        if not isinstance(other, _ANY_SET):
            return NotImplemented
        self.difference_update(other)
        return self

    def __ixor__(self, other: Any) -> Any:
        if not isinstance(other, _ANY_SET):
            return NotImplemented
        self.symmetric_difference_update(other)
        return self


class OrderedFrozenSet(frozenset, metaclass=_IsFrozenSet):  # type: ignore[type-arg]
    """`frozenset`, in the same way."""

    _order: dict[Any, None]

    def __new__(cls, items: Iterable[Any] = ()) -> OrderedFrozenSet:
        order = dict.fromkeys(items)
        made = super().__new__(cls, order)
        made._order = order
        return made

    def __iter__(self) -> Iterator[Any]:
        return iter(self._order)

    def __repr__(self) -> str:
        inside = f"{{{', '.join(map(repr, self._order))}}}" if self._order else ""
        return f"frozenset({inside})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _builtin_frozen, (list(self._order),)

    def __or__(self, other: Any) -> Any:
        if not isinstance(other, _ANY_SET):
            return NotImplemented
        return OrderedFrozenSet(OrderedSet(self).union(other))

    def __and__(self, other: Any) -> Any:
        if not isinstance(other, _ANY_SET):
            return NotImplemented
        return OrderedFrozenSet(OrderedSet(self).intersection(other))

    def __sub__(self, other: Any) -> Any:
        if not isinstance(other, _ANY_SET):
            return NotImplemented
        return OrderedFrozenSet(OrderedSet(self).difference(other))


_ANY_SET = (_builtin, _builtin_frozen)
OrderedSet.__name__ = OrderedSet.__qualname__ = "set"
OrderedFrozenSet.__name__ = OrderedFrozenSet.__qualname__ = "frozenset"
