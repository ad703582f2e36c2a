"""Where packets begin and end in a stream of bytes [mqtt-v5.0 2.1].

A packet is a byte (type and flags), the remaining length, and that many bytes. The length is
checked as soon as it can be read, so a huge packet is refused before it arrives.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from sandbox.brokers.mqtt.errors import MqttError, Reason, malformed

#: What a client may send before it is connected: no CONNECT needs more.
MAX_CONNECT_BYTES: Final = 1_048_576


class Frame(NamedTuple):
    """One packet: its type, the flags of its first byte, and its body."""

    kind: int
    flags: int
    body: bytes


class Splitter:
    """Cuts a stream into packets. `max_size` is the largest packet taken, header included."""

    def __init__(self) -> None:
        self.max_size: int | None = MAX_CONNECT_BYTES
        #: The first byte that a packet must have, or None: at first, that of a CONNECT.
        self.only: int | None = 0x10
        self._buffer = bytearray()
        self._position = 0

    def feed(self, data: bytes) -> None:
        """Take bytes, cut anywhere."""
        if self._position:
            del self._buffer[: self._position]
            self._position = 0
        self._buffer += data

    def next_frame(self) -> Frame | None:
        """Return the next packet, or None until more bytes came.

        Raises:
            MqttError: 0x81 a length of more than four bytes, 0x95 a packet that is too large.
        """
        buffer, start = self._buffer, self._position
        size = len(buffer) - start
        if self.only is not None and size and buffer[start] != self.only:
            raise malformed("the first thing that came is no CONNECT")
        if size < 2:
            return None
        length = shift = 0
        for index in range(1, 5):
            if index >= size:
                return None
            byte = buffer[start + index]
            length |= (byte & 0x7F) << shift
            if byte < 0x80:
                break
            shift += 7
        else:
            raise malformed("the remaining length takes more than four bytes")
        end = start + index + 1 + length
        if self.max_size is not None and end - start > self.max_size:
            raise MqttError(
                Reason.PACKET_TOO_LARGE,
                f"a packet of {end - start} bytes; this server takes at most {self.max_size}",
            )
        if len(buffer) < end:
            return None
        first = buffer[start]
        body = bytes(buffer[start + index + 1 : end])
        self._position = end
        return Frame(first >> 4, first & 0x0F, body)
