"""Requests: where one begins and ends in a stream of bytes, in RESP arrays or typed by hand.

The limits and the wording of errors are Redis's; after a `ProtocolError` the connection is over.
[RESP: https://redis.io/docs/latest/develop/reference/protocol-spec/]
"""

from __future__ import annotations

from typing import Final

#: Redis's limits: of a line, of an argument, of the number of arguments.
MAX_LINE: Final = 64 * 1024
MAX_BULK: Final = 512 * 1024 * 1024
MAX_ARGUMENTS: Final = 1024 * 1024
#: As long as a client has not said who it is, it gets less room. [Redis 7.0 networking.c]
MAX_BULK_UNKNOWN: Final = 16 * 1024
MAX_ARGUMENTS_UNKNOWN: Final = 10

_ESCAPES: Final = {
    ord("n"): b"\n",
    ord("r"): b"\r",
    ord("t"): b"\t",
    ord("b"): b"\b",
    ord("a"): b"\a",
}
_SPACE: Final = b" \n\r\t\v\f\0"
_HEX: Final = b"0123456789abcdefABCDEF"
#: Lengths of arguments and their number, as everyday requests write them.
_SIZES: Final = {b"$%d" % size: size for size in range(2048)}
_COUNTS: Final = {b"*%d" % count: count for count in range(1, 256)}


class ProtocolError(Exception):
    """These bytes are no request; the text is what Redis says."""


class RequestReader:
    """Cuts a stream of bytes into requests, each a list of byte strings."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._at = 0
        #: Arguments read of the request being read, and how many it announced.
        self._fields: list[bytes] = []
        self._missing = 0
        self._bulk = -1
        #: Lines of whole requests, where all that is unread begins with one; and the next of them.
        self._lines: list[bytes] = []
        self._line_at = 0
        self._lines_bytes = 0

    @property
    def waiting(self) -> int:
        """How many bytes were fed and not used yet, at most."""
        return len(self._buffer) - self._at + (self._lines_bytes if self._lines else 0)

    @property
    def _waiting(self) -> int:
        return len(self._buffer) - self._at

    def feed(self, data: bytes) -> None:
        """Add bytes."""
        if self._lines:
            self._no_lines()
        if not self._buffer and not self._missing and data[:1] == b"*":
            # A whole pipeline is cut at its line ends at once, which is what takes the least time.
            self._lines, self._line_at = data.split(b"\r\n"), 0
            self._lines_bytes = len(data)
        else:
            self._buffer += data

    def _no_lines(self) -> None:
        """Go on byte by byte: the next request is none of the everyday kind, or not complete."""
        self._buffer += b"\r\n".join(self._lines[self._line_at :])
        self._lines = []

    def next_request(self, trusted: bool = True) -> list[bytes] | None:
        """Return the next complete request, or None.

        Raises:
            ProtocolError: there is none and never will be.
        """
        lines = self._lines
        if lines:
            at = self._line_at
            end = at + 2 * _COUNTS.get(lines[at], 0) + 1
            # What follows the last line must be there too, be it nothing: then the line is ended.
            if at + 1 < end < len(lines) and trusted:
                fields = lines[at + 2 : end : 2]
                if list(map(_SIZES.get, lines[at + 1 : end : 2])) == list(map(len, fields)):
                    if end + 1 == len(lines) and not lines[end]:
                        self._lines = []
                    else:
                        self._line_at = end
                    return fields
            self._no_lines()
        while True:
            if self._missing:
                return self._rest(trusted)
            line = self._line("mbulk count string" if self._starts_array() else "inline request")
            if line is None:
                return None
            if line[:1] != b"*":
                fields = split_arguments(line)
                if fields:
                    return fields
                continue
            count = _integer(line[1:])
            if count is None or count > MAX_ARGUMENTS:
                raise ProtocolError("Protocol error: invalid multibulk length")
            if count > MAX_ARGUMENTS_UNKNOWN and not trusted:
                raise ProtocolError("Protocol error: unauthenticated multibulk length")
            if count > 0:
                self._missing = count

    def _rest(self, trusted: bool) -> list[bytes] | None:
        while self._missing:
            if self._bulk < 0:
                line = self._line("bulk count string")
                if line is None:
                    return None
                if line[:1] != b"$":
                    got = chr(line[0]) if line else "\r"
                    raise ProtocolError(f"Protocol error: expected '$', got '{got}'")
                length = _integer(line[1:])
                if length is None or not 0 <= length <= MAX_BULK:
                    raise ProtocolError("Protocol error: invalid bulk length")
                if length > MAX_BULK_UNKNOWN and not trusted:
                    raise ProtocolError("Protocol error: unauthenticated bulk length")
                self._bulk = length
            if self._waiting < self._bulk + 2:
                return None
            end = self._at + self._bulk
            self._fields.append(bytes(self._buffer[self._at : end]))
            self._at = end + 2
            self._bulk = -1
            self._missing -= 1
        fields, self._fields = self._fields, []
        self._compact()
        return fields

    def _starts_array(self) -> bool:
        return self._buffer[self._at : self._at + 1] == b"*"

    def _line(self, what: str) -> bytes | None:
        end = self._buffer.find(b"\n", self._at)
        if end < 0 or end - self._at > MAX_LINE:
            if self._waiting > MAX_LINE:
                raise ProtocolError(f"Protocol error: too big {what}")
            return None
        line = bytes(self._buffer[self._at : end])
        self._at = end + 1
        self._compact()
        return line[:-1] if line.endswith(b"\r") else line

    def _compact(self) -> None:
        if self._at == len(self._buffer) or self._at > MAX_LINE:
            del self._buffer[: self._at]
            self._at = 0


def _integer(text: bytes) -> int | None:
    digits = text[1:] if text[:1] == b"-" else text
    return int(text) if digits.isdigit() and len(digits) < 20 else None


def split_arguments(line: bytes) -> list[bytes]:
    r"""Split a line typed by hand: words, "quoted \x41 \n" and 'quoted' ones.

    Raises:
        ProtocolError: a quotation does not end, or something follows it at once.
    """
    words: list[bytes] = []
    at, end = 0, len(line)
    while True:
        while at < end and line[at] in _SPACE:
            at += 1
        if at >= end:
            return words
        word = bytearray()
        while at < end and line[at] not in _SPACE:
            quote = line[at]
            if quote in b"\"'":
                at = _quoted(line, at + 1, quote, word)
                if at < end and line[at] not in _SPACE:
                    raise ProtocolError("Protocol error: unbalanced quotes in request")
            else:
                word.append(quote)
                at += 1
        words.append(bytes(word))


def _quoted(line: bytes, at: int, quote: int, word: bytearray) -> int:
    """Add what is quoted from `at` on to a word; return where it goes on."""
    double = quote == ord('"')
    while at < len(line):
        byte = line[at]
        if byte == quote:
            return at + 1
        if byte == ord("\\") and at + 1 < len(line):
            code = line[at + 2 : at + 4]
            if (
                double
                and line[at + 1] == ord("x")
                and len(code) == 2
                and all(c in _HEX for c in code)
            ):
                word.append(int(code, 16))
                at += 4
                continue
            if double:
                word += _ESCAPES.get(line[at + 1], line[at + 1 : at + 2])
                at += 2
                continue
            if line[at + 1] == quote:
                word.append(quote)
                at += 2
                continue
        word.append(byte)
        at += 1
    raise ProtocolError("Protocol error: unbalanced quotes in request")
