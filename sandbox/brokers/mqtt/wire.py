"""MQTT's data types to and from bytes [mqtt-v5.0 1.5].

`Reader` takes one packet's body apart and complains in sentences; the functions below it put bodies
together. Nothing here knows what the values mean.
"""

from __future__ import annotations

import re
from typing import Final

from sandbox.brokers.mqtt.errors import malformed

#: The largest variable byte integer, and so the largest remaining length.
MAX_VARINT: Final = 268_435_455
MAX_FIELD: Final = 65_535

# U+0000 is forbidden; the others "should not" be there, and Mosquitto hangs up on them.
# [mqtt-v5.0 1.5.4]
_UNWANTED: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\ufdd0-\ufdef"
    + "".join(f"{chr(plane * 65536 + 0xFFFE)}{chr(plane * 65536 + 0xFFFF)}" for plane in range(17))
    + "]"
)


def check_text(text: str, what: str) -> None:
    """Refuse characters that a UTF-8 string of MQTT may not hold.

    Raises:
        MqttError: 0x81.
    """
    found = _UNWANTED.search(text)
    if found is not None:
        raise malformed(f"{what} holds the character U+{ord(found[0]):04X}, which MQTT forbids")


class Reader:
    """Reads a packet's body from front to back."""

    __slots__ = ("_data", "_end", "_position")

    def __init__(self, data: bytes, position: int = 0) -> None:
        self._data = data
        self._position = position
        self._end = len(data)

    @property
    def left(self) -> int:
        """How many bytes are unread."""
        return self._end - self._position

    def _take(self, size: int, what: str) -> int:
        start = self._position
        if start + size > self._end:
            raise malformed(f"the packet ends in the middle of {what}")
        self._position = start + size
        return start

    def byte(self, what: str) -> int:
        """An unsigned byte."""
        return self._data[self._take(1, what)]

    def two_bytes(self, what: str) -> int:
        """An unsigned 16-bit integer."""
        at = self._take(2, what)
        return self._data[at] << 8 | self._data[at + 1]

    def four_bytes(self, what: str) -> int:
        """An unsigned 32-bit integer."""
        at = self._take(4, what)
        return int.from_bytes(self._data[at : at + 4], "big")

    def varint(self, what: str) -> int:
        """A variable byte integer: one to four bytes, seven bits each, least significant first."""
        value = shift = 0
        while True:
            byte = self.byte(what)
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                break
            shift += 7
            if shift > 21:
                raise malformed(f"{what} takes more than four bytes")
        if shift and not byte:
            raise malformed(f"{what} is written with more bytes than it needs")
        return value

    def binary(self, what: str) -> bytes:
        """Binary data with its length in front."""
        size = self.two_bytes(what)
        at = self._take(size, what)
        return self._data[at : at + size]

    def text(self, what: str) -> str:
        """A UTF-8 encoded string."""
        raw = self.binary(what)
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            raise malformed(f"{what} is not UTF-8") from None
        if not (text.isascii() and text.isprintable()):
            check_text(text, what)
        return text

    def rest(self) -> bytes:
        """Everything that is unread."""
        at, self._position = self._position, self._end
        return self._data[at:]

    def part(self, size: int, what: str) -> Reader:
        """A reader of the next `size` bytes."""
        at = self._take(size, what)
        return Reader(self._data[at : at + size])

    def end(self, what: str) -> None:
        """Make sure that nothing follows."""
        if self.left:
            raise malformed(f"{self.left} bytes follow the end of {what}")


def varint(value: int) -> bytes:
    """Write a variable byte integer."""
    if value < 0x80:
        return bytes((value,))
    if value > MAX_VARINT:
        raise ValueError(f"{value} does not fit into a variable byte integer")
    out = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        out.append(low | 0x80 if value else low)
        if not value:
            return bytes(out)


def binary(data: bytes) -> bytes:
    """Write binary data with its length in front."""
    if len(data) > MAX_FIELD:
        raise ValueError(f"a field holds at most {MAX_FIELD} bytes, not {len(data)}")
    return len(data).to_bytes(2, "big") + data


def text(value: str) -> bytes:
    """Write a UTF-8 encoded string."""
    return binary(value.encode())


def packet(first_byte: int, body: bytes) -> bytes:
    """Put a fixed header in front of a body."""
    return bytes((first_byte,)) + varint(len(body)) + body
