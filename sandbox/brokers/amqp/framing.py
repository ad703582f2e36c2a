"""Frames: cutting a byte stream into them, and putting content into them.

A frame is a kind, a channel number, a size, that many bytes of payload, and the byte 0xCE. What a
payload means is `codec`'s business; this file knows only where it begins and ends.
[amqp-0-9-1 4.2.3 "General Frame Format"]

Content passes through the broker as the bytes it came in: a message keeps its header payload and
its body, and `content_frames` wraps them again for another channel. Only the cutting of the body
into frames is ours, because two clients may have agreed on different frame sizes.
"""

from __future__ import annotations

from struct import Struct
from typing import Final

from sandbox.brokers.amqp.errors import FRAME_ERROR, AmqpError, erlang_binary

PROTOCOL_HEADER: Final = b"AMQP\x00\x00\x09\x01"

METHOD: Final = 1
HEADER: Final = 2
BODY: Final = 3
HEARTBEAT: Final = 8

#: Bytes of a frame around its payload: seven before, one after.
OVERHEAD: Final = 8
#: No peer may ask for frames smaller than this, and before tuning none may be larger.
FRAME_MIN_SIZE: Final = 4096
FRAME_END: Final = 0xCE
FRAME_END_BYTE: Final = b"\xce"
HEARTBEAT_FRAME: Final = b"\x08\x00\x00\x00\x00\x00\x00\xce"

_PREAMBLE: Final = Struct(">BHI")
pack_preamble: Final = _PREAMBLE.pack
_unpack_preamble: Final = _PREAMBLE.unpack_from

Frame = tuple[int, int, bytes]


class FrameSplitter:
    """Takes bytes cut anywhere, gives frames: `(kind, channel, payload)`.

    `max_size` is the largest whole frame allowed, 0 for no limit; it may change between frames.
    A frame costs one slice of the data it came in; an incomplete one is collected until it is
    whole, so that a large frame arriving in crumbs is not copied for every crumb.
    """

    def __init__(self, max_size: int = FRAME_MIN_SIZE) -> None:
        self.max_size = max_size
        self._data = b""
        self._position = 0
        self._collected = bytearray()
        self._needed = 0

    def feed(self, data: bytes) -> None:
        """Add what arrived."""
        if self._needed:
            self._collected += data
            if len(self._collected) < self._needed:
                return
            self._data = bytes(self._collected)
            self._collected = bytearray()
            self._needed = 0
        elif self._position >= len(self._data):
            self._data = data
        else:
            self._data = self._data[self._position :] + data
        self._position = 0

    def next_frame(self) -> Frame | None:
        """Return the next whole frame, or None until more bytes come.

        Raises:
            AmqpError: 501, the bytes cannot be a frame. The stream cannot be read any further.
        """
        data = self._data
        start = self._position
        available = len(data) - start
        if available < 7:
            self._wait_for(7, available)
            return None
        kind, channel, size = _unpack_preamble(data, start)
        if self.max_size and size > self.max_size - OVERHEAD:
            problem = f"{{frame_too_large,{size},{self.max_size - OVERHEAD}}}"
            raise _frame_error(kind, b"", problem)
        if available < size + OVERHEAD:
            self._wait_for(size + OVERHEAD, available)
            return None
        end = start + 7 + size
        payload = data[start + 7 : end]
        if data[end] != FRAME_END:
            raise _frame_error(kind, payload, f"{{invalid_frame_end_marker,{data[end]}}}")
        self._position = end + 1
        return kind, channel, payload

    def put_back(self, frame: Frame) -> None:
        """Undo the last `next_frame`: the frame was not wanted yet."""
        self._position -= len(frame[2]) + OVERHEAD

    def take_prefix(self, size: int) -> bytes | None:
        """Return the next `size` bytes, which are no frame, or None until they are there."""
        available = len(self._data) - self._position
        if available < size:
            self._wait_for(size, available)
            return None
        prefix = self._data[self._position : self._position + size]
        self._position += size
        return prefix

    def _wait_for(self, needed: int, available: int) -> None:
        if available and not self._needed:
            self._collected = bytearray(self._data[self._position :])
            self._data = b""
            self._position = 0
            self._needed = needed


def unknown_frame(kind: int, payload: bytes) -> AmqpError:
    """501: a frame of no known kind, or too short for its kind."""
    return _frame_error(kind, payload, "unknown_frame")


def _frame_error(kind: int, payload: bytes, problem: str) -> AmqpError:
    text = f"type {kind}, all octets = {erlang_binary(payload[:256])}: {problem}"
    return AmqpError(FRAME_ERROR, text, (0, 0))


def method_frame(channel: int, payload: bytes) -> bytes:
    """Wrap a method's payload."""
    return pack_preamble(METHOD, channel, len(payload)) + payload + FRAME_END_BYTE


def content_frames(channel: int, header: bytes, body: bytes, frame_max: int) -> bytes:
    """Wrap a content header and a body for a client that takes frames of `frame_max` bytes.

    An empty body has no body frame at all. `frame_max` 0 means no limit.
    """
    size = len(body)
    if not size:
        return pack_preamble(HEADER, channel, len(header)) + header + FRAME_END_BYTE
    most = frame_max - OVERHEAD if frame_max else size
    if size <= most:
        return b"".join(
            (
                pack_preamble(HEADER, channel, len(header)),
                header,
                FRAME_END_BYTE,
                pack_preamble(BODY, channel, size),
                body,
                FRAME_END_BYTE,
            )
        )
    parts = [pack_preamble(HEADER, channel, len(header)), header, FRAME_END_BYTE]
    for start in range(0, size, most):
        piece = body[start : start + most]
        parts += (pack_preamble(BODY, channel, len(piece)), piece, FRAME_END_BYTE)
    return b"".join(parts)
