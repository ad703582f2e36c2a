"""Lua's patterns, which are not regular expressions: %a, %b(), -, captures.

A matcher that goes back and tries again, as Lua's own does.
[https://www.lua.org/manual/5.1/manual.html#5.4.1]
"""

from __future__ import annotations

from typing import Any, Final

from sandbox.brokers.redis.lua.values import LuaError

#: How often one match may try; a pattern that needs more is an error, not a standstill.
MOST_TRIES: Final = 500_000
_PUNCTUATION: Final = frozenset(b"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
#: A capture that is a place instead of text, and one whose end is not reached yet.
_PLACE: Final = -2
_OPEN: Final = -1


def _in_class(byte: int, letter: int) -> bool:
    char = chr(byte)
    lower = chr(letter).lower()
    ascii_ = byte < 128
    match lower:
        case "a":
            found = ascii_ and char.isalpha()
        case "d":
            found = ascii_ and char.isdigit()
        case "l":
            found = ascii_ and char.islower()
        case "u":
            found = ascii_ and char.isupper()
        case "s":
            found = byte in b" \t\n\v\f\r"
        case "w":
            found = ascii_ and char.isalnum()
        case "x":
            found = ascii_ and char in "0123456789abcdefABCDEF"
        case "p":
            found = byte in _PUNCTUATION
        case "c":
            found = byte < 32 or byte == 127
        case "z":
            found = byte == 0
        case _:
            return byte == letter
    return found != chr(letter).isupper()


class Match:
    """A pattern and a text, and where the captures are."""

    def __init__(self, text: bytes, pattern: bytes) -> None:
        self.text = text
        self.pattern = pattern
        self.captures: list[list[int]] = []
        self._tries = 0

    def at(self, start: int, first: int) -> int | None:
        """Where a match of the pattern from `first` on that begins at `start` ends, or None."""
        self.captures = []
        return self._match(start, first)

    def found(self, number: int, start: int, end: int) -> Any:
        """A capture; the whole match where there are none."""
        if number >= len(self.captures):
            if number == 0:
                return self.text[start:end]
            raise LuaError(b"invalid capture index")
        begin, size = self.captures[number]
        if size == _PLACE:
            return float(begin + 1)
        if size == _OPEN:
            raise LuaError(b"unfinished capture")
        return self.text[begin : begin + size]

    def all_found(self, start: int, end: int, *, whole: bool) -> list[Any]:
        """All captures; the whole match if there are none and it is wanted."""
        count = len(self.captures) or (1 if whole else 0)
        return [self.found(number, start, end) for number in range(count)]

    def _match(self, s: int, p: int) -> int | None:
        self._tries += 1
        if self._tries > MOST_TRIES:
            raise LuaError(b"pattern too complex")
        pattern, text = self.pattern, self.text
        if p >= len(pattern):
            return s
        sign = pattern[p]
        if sign == ord("("):
            place = pattern[p + 1 : p + 2] == b")"
            self.captures.append([s, _PLACE if place else _OPEN])
            end = self._match(s, p + (2 if place else 1))
            if end is None:
                self.captures.pop()
            return end
        if sign == ord(")"):
            for capture in reversed(self.captures):
                if capture[1] == _OPEN:
                    capture[1] = s - capture[0]
                    end = self._match(s, p + 1)
                    if end is None:
                        capture[1] = _OPEN
                    return end
            raise LuaError(b"invalid pattern capture")
        if sign == ord("$") and p + 1 == len(pattern):
            return s if s == len(text) else None
        if sign == ord("%") and p + 1 < len(pattern):
            following = pattern[p + 1]
            if following == ord("b"):
                after = self._balanced(s, p + 2)
                return None if after is None else self._match(after, p + 4)
            if following == ord("f"):
                return self._frontier(s, p + 2)
            if chr(following).isdigit():
                wanted = self.found(following - ord("1"), s, s)
                if text.startswith(wanted, s):
                    return self._match(s + len(wanted), p + 2)
                return None
        return self._repeated(s, p)

    def _repeated(self, s: int, p: int) -> int | None:
        pattern, text = self.pattern, self.text
        ep = self._class_end(p)
        suffix = pattern[ep : ep + 1]
        if suffix == b"?":
            if s < len(text) and self._single(text[s], p, ep):
                end = self._match(s + 1, ep + 1)
                if end is not None:
                    return end
            return self._match(s, ep + 1)
        if suffix == b"-":
            while True:
                end = self._match(s, ep + 1)
                if end is not None:
                    return end
                if s >= len(text) or not self._single(text[s], p, ep):
                    return None
                s += 1
        if suffix in (b"*", b"+"):
            least = 1 if suffix == b"+" else 0
            count = 0
            while s + count < len(text) and self._single(text[s + count], p, ep):
                count += 1
            while count >= least:
                end = self._match(s + count, ep + 1)
                if end is not None:
                    return end
                count -= 1
            return None
        if s < len(text) and self._single(text[s], p, ep):
            return self._match(s + 1, ep)
        return None

    def _class_end(self, p: int) -> int:
        pattern = self.pattern
        sign = pattern[p]
        p += 1
        if sign == ord("%"):
            if p >= len(pattern):
                raise LuaError(b"malformed pattern (ends with '%')")
            return p + 1
        if sign == ord("["):
            if pattern[p : p + 1] == b"^":
                p += 1
            first = True
            while first or pattern[p : p + 1] != b"]":
                if p >= len(pattern):
                    raise LuaError(b"malformed pattern (missing ']')")
                p += 2 if pattern[p] == ord("%") else 1
                first = False
            return p + 1
        return p

    def _single(self, byte: int, p: int, ep: int) -> bool:
        sign = self.pattern[p]
        if sign == ord("."):
            return True
        if sign == ord("%"):
            return _in_class(byte, self.pattern[p + 1])
        if sign == ord("["):
            return self._in_set(byte, p + 1, ep - 1)
        return sign == byte

    def _in_set(self, byte: int, p: int, end: int) -> bool:
        pattern, wanted = self.pattern, True
        if pattern[p] == ord("^"):
            wanted, p = False, p + 1
        while p < end:
            if pattern[p] == ord("%"):
                if _in_class(byte, pattern[p + 1]):
                    return wanted
                p += 2
            elif p + 2 < end and pattern[p + 1] == ord("-"):
                if pattern[p] <= byte <= pattern[p + 2]:
                    return wanted
                p += 3
            else:
                if pattern[p] == byte:
                    return wanted
                p += 1
        return not wanted

    def _balanced(self, s: int, p: int) -> int | None:
        if p + 1 >= len(self.pattern):
            raise LuaError(b"unbalanced pattern")
        opens, closes = self.pattern[p], self.pattern[p + 1]
        if s >= len(self.text) or self.text[s] != opens:
            return None
        depth = 1
        for at in range(s + 1, len(self.text)):
            if self.text[at] == closes:
                depth -= 1
                if depth == 0:
                    return at + 1
            elif self.text[at] == opens:
                depth += 1
        return None

    def _frontier(self, s: int, p: int) -> int | None:
        if self.pattern[p : p + 1] != b"[":
            raise LuaError(b"missing '[' after '%f' in pattern")
        ep = self._class_end(p)
        before = self.text[s - 1] if s else 0
        here = self.text[s] if s < len(self.text) else 0
        if not self._in_set(before, p + 1, ep - 1) and self._in_set(here, p + 1, ep - 1):
            return self._match(s, ep)
        return None


def search(text: bytes, pattern: bytes, start: int) -> tuple[Match, int, int] | None:
    """The first match from `start` on: the match, where it begins and where it ends."""
    match = Match(text, pattern)
    anchored = pattern[:1] == b"^"
    while start <= len(text):
        end = match.at(start, 1 if anchored else 0)
        if end is not None:
            return match, start, end
        if anchored:
            break
        start += 1
    return None
