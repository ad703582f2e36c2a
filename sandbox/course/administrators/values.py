"""`Values`: what was recorded, published, stored, in order; and bytes as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, overload


class Values(list[Any]):
    """Values in the order they came, which subtract as multisets.

    >>> Values(["a", "b", "b"]) - Values(["b"])
    ['a', 'b']
    """

    def __sub__(self, others: Iterable[Any]) -> Values:
        left = list(others)
        result = Values()
        for value in self:
            if value in left:
                left.remove(value)
            else:
                result.append(value)
        return result

    def counts(self) -> Counter[Any]:
        """How often each value came."""
        return Counter(self)

    def duplicates(self) -> Values:
        """Each value that came more than once, once."""
        return Values(value for value, count in Counter(self).items() if count > 1)


@overload
def text(body: bytes) -> str: ...
@overload
def text(body: bytes | None) -> str | None: ...
def text(body: bytes | None) -> str | None:
    """A body as text; bytes that are none are shown as escapes."""
    return None if body is None else body.decode("utf-8", "backslashreplace")


def texts(bodies: Iterable[bytes]) -> Values:
    """Bodies as text."""
    return Values(text(body) for body in bodies)


def bodies(given: Sequence[str | bytes] | str | bytes) -> list[bytes]:
    """One body, or several, as bytes."""
    several = [given] if isinstance(given, (str, bytes)) else given
    return [body.encode() if isinstance(body, str) else body for body in several]
