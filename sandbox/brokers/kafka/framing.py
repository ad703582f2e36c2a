"""Where requests begin and end: four bytes of length, then that many bytes.

[kafka.apache.org/protocol "Protocol Primitive Types", "Common Request and Response Structure"]
"""

from __future__ import annotations

from struct import Struct

_LENGTH = Struct(">i")
#: Kafka's `socket.request.max.bytes`.
MAX_REQUEST_BYTES = 100 * 1024 * 1024


class BadFrame(Exception):
    """What came is no request; the connection cannot go on."""


class FrameSplitter:
    """Cuts a stream of bytes into requests."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> None:
        """Take bytes, cut anywhere.

        Raises:
            BadFrame: more wait than any one request may have.
        """
        self._buffer += data
        if len(self._buffer) > MAX_REQUEST_BYTES + 4 + len(data):
            raise BadFrame(f"{len(self._buffer)} bytes wait while a request is worked on")

    def next_frame(self) -> bytes | None:
        """The next whole request, without its length, or None.

        Raises:
            BadFrame: the length is negative or beyond what a broker accepts.
        """
        buffer = self._buffer
        if len(buffer) < 4:
            return None
        (length,) = _LENGTH.unpack_from(buffer)
        if not 0 <= length <= MAX_REQUEST_BYTES:
            raise BadFrame(f"a request of {length} bytes; at most {MAX_REQUEST_BYTES} are accepted")
        if len(buffer) < 4 + length:
            return None
        frame = bytes(buffer[4 : 4 + length])
        del buffer[: 4 + length]
        return frame
