"""Lua's values in Python: None, bool, float, bytes, `Table`, and functions from list to list.

All numbers are floats, as in Lua 5.1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

#: How long a text of a script may get, bytes, so that a short loop cannot take all memory.
MOST_BYTES = 64 * 1024 * 1024
#: A function takes the arguments and returns the results.
Function = Callable[[list[Any]], list[Any]]


class LuaError(Exception):
    """An error in a script: any Lua value, mostly text."""

    def __init__(self, value: Any, line: int | None = None) -> None:
        super().__init__(value)
        self.value = value
        self.line = line


class Endless(LuaError):
    """A script that took too many steps; it cannot catch this."""


class Table:
    """A Lua table. `length` is what `#` gives: where the numbers 1, 2, 3, ... end."""

    __slots__ = ("length", "readonly", "values")

    def __init__(self, items: list[Any] | None = None) -> None:
        self.values: dict[Any, Any] = {}
        self.length = 0
        self.readonly = False
        for item in items or ():
            if item is not None:
                self.values[float(self.length + 1)] = item
            self.length += 1
        while self.length and float(self.length) not in self.values:
            self.length -= 1

    def get(self, key: Any) -> Any:
        """What is under a key, or None."""
        return self.values.get((key,) if key is True or key is False else key)

    def set(self, key: Any, value: Any) -> None:
        """Put something under a key; None takes it out.

        Raises:
            LuaError: the table may not be changed, or this is no key.
        """
        if self.readonly:
            raise LuaError(b"Attempt to modify a readonly table")
        if key is None or key != key:
            raise LuaError(b"table index is " + (b"nil" if key is None else b"NaN"))
        if key is True or key is False:
            key = (key,)
        if value is not None:
            self.values[key] = value
            if key == self.length + 1:
                while float(self.length + 1) in self.values:
                    self.length += 1
        else:
            self.values.pop(key, None)
            if key == self.length:
                while self.length and float(self.length) not in self.values:
                    self.length -= 1

    def items(self) -> Iterator[tuple[Any, Any]]:
        """Keys and values: 1, 2, 3, ... first, then the others as they came."""
        for number in range(1, self.length + 1):
            yield float(number), self.values[float(number)]
        for key, value in list(self.values.items()):
            if not (isinstance(key, float) and 1 <= key <= self.length and key == int(key)):
                yield (key[0] if isinstance(key, tuple) else key), value

    def array(self) -> list[Any]:
        """The values under 1, 2, 3, ..."""
        return [self.values.get(float(number)) for number in range(1, self.length + 1)]


def type_name(value: Any) -> str:
    """What `type` says."""
    if value is None:
        return "nil"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, float):
        return "number"
    if isinstance(value, bytes):
        return "string"
    return "table" if isinstance(value, Table) else "function"


def number_text(value: float) -> bytes:
    """A number as `tostring` gives it."""
    if value != value:
        return b"-nan"  # as C prints what 0/0 gives
    if value in (float("inf"), float("-inf")):
        return b"inf" if value > 0 else b"-inf"
    return f"{value:.14g}".encode()


def text(value: Any) -> bytes:
    """A value as `tostring` gives it."""
    if isinstance(value, bytes):
        return value
    if value is None or isinstance(value, bool):
        return {None: b"nil", True: b"true", False: b"false"}[value]
    if isinstance(value, float):
        return number_text(value)
    # No address: the same script gives the same text in every run.
    return f"{type_name(value)}: 0x0".encode()


def number(value: Any, base: int = 10) -> float | None:
    """A value as `tonumber` gives it."""
    if isinstance(value, float) and base == 10:
        return value
    if not isinstance(value, (bytes, float)):
        return None
    word = text(value).strip(b" \t\n\v\f\r").decode("latin-1").lower()
    if not word or "_" in word or not word.isascii():
        return None
    try:
        if base != 10:
            return float(int(word, base))
        digits = word.lstrip("+-")
        if digits.startswith("0x"):
            return float(int(word, 16))
        # Python knows words for what is no number; Lua 5.1 takes those of C, which scripts avoid.
        return float(word) if digits[:1].isdigit() or digits[:1] == "." else None
    except (ValueError, OverflowError):
        return None
