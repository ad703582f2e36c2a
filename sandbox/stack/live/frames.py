"""Cuts one direction of an AMQP 0-9-1 conversation into frames and names them.

The proxy forwards every frame's bytes as they came; what is decoded here is for looking at only.
A method frame that cannot be decoded is forwarded all the same, without a name.

[amqp-0-9-1 2.3.5: type, channel, size, payload, 0xCE]
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import pamqp.base
import pamqp.frame

METHOD, HEADER, BODY, HEARTBEAT = 1, 2, 3, 8
_END = 0xCE
_HEAD_SIZE = 7
_PREAMBLE_SIZE = 8


class NotAmqpError(Exception):
    """The bytes are no AMQP frames; the connection is carried on without looking at it."""


@dataclass(frozen=True)
class Frame:
    """One frame: its bytes on the wire, and for a method what it says."""

    kind: int
    channel: int
    raw: bytes
    method: Any = None

    @property
    def name(self) -> str:
        """The method's name as in the specification, "basic.ack"; "" for other frames."""
        return _spec_name(self.method) if self.method is not None else ""

    @property
    def payload(self) -> bytes:
        """What the frame carries."""
        return self.raw[_HEAD_SIZE:-1]


def _spec_name(method: Any) -> str:
    """Where pamqp says Basic.GetOk, the specification says basic.get-ok."""
    group, _, name = str(method.name).partition(".")
    dashed = "".join(f"-{c.lower()}" if c.isupper() else c for c in name).lstrip("-")
    return f"{group.lower()}.{dashed}"


class Splitter:
    """Takes bytes as they arrive and returns whole frames."""

    def __init__(self, *, preamble: bool) -> None:
        self._buffer = bytearray()
        self._preamble = preamble

    def feed(self, data: bytes) -> list[Frame | bytes]:
        """Return what `data` completes: frames, and the client's eight-byte greeting as bytes.

        Raises:
            NotAmqpError: what is in the buffer cannot be a frame; `rest` returns it.
        """
        self._buffer += data
        whole: list[Frame | bytes] = []
        if self._preamble and len(self._buffer) >= _PREAMBLE_SIZE:
            self._preamble = False
            whole.append(bytes(self._buffer[:_PREAMBLE_SIZE]))
            del self._buffer[:_PREAMBLE_SIZE]
        position = 0
        while not self._preamble and len(self._buffer) - position >= _HEAD_SIZE:
            kind, channel, size = struct.unpack_from(">BHI", self._buffer, position)
            end = position + _HEAD_SIZE + size
            if kind not in (METHOD, HEADER, BODY, HEARTBEAT):
                raise NotAmqpError
            if len(self._buffer) <= end:
                break
            if self._buffer[end] != _END:
                raise NotAmqpError
            raw = bytes(self._buffer[position : end + 1])
            whole.append(Frame(kind, channel, raw, _method(raw) if kind == METHOD else None))
            position = end + 1
        del self._buffer[:position]
        return whole

    def rest(self) -> bytes:
        """Return and forget what has arrived and is not yet a frame."""
        rest, self._buffer = bytes(self._buffer), bytearray()
        return rest


def _method(raw: bytes) -> Any:
    try:
        _, _, method = pamqp.frame.unmarshal(raw)
    except Exception:  # a codec's many ways to fail on bytes it does not know
        return None
    return method


def encode(method: pamqp.base.Frame, channel: int) -> bytes:
    """A method as a frame's bytes."""
    return pamqp.frame.marshal(method, channel)
