"""A client that says anything: whole frames or raw bytes, right or wrong.

pika never sends what it should not, so what a broker answers to bad clients is tried with this one.
"""

from __future__ import annotations

import socket
from typing import Any

import pamqp.frame
from pamqp import commands, exceptions, header
from pamqp.heartbeat import Heartbeat

_TIMEOUT_S = 5.0


class RawClient:
    """One connection, shaken hands on or not."""

    def __init__(self, host: str, port: int, vhost: str, *, handshake: bool = True) -> None:
        self._socket = socket.create_connection((host, port), _TIMEOUT_S)
        self._buffer = b""
        self.vhost = vhost
        if handshake:
            self.send_bytes(b"AMQP\x00\x00\x09\x01")
            assert isinstance(self.read()[1], commands.Connection.Start)
            self.send(commands.Connection.StartOk({}, "PLAIN", "\x00guest\x00guest", "en_US"), 0)
            tune = self.read()[1]
            assert isinstance(tune, commands.Connection.Tune), tune
            self.send(commands.Connection.TuneOk(tune.channel_max, tune.frame_max, 0), 0)
            self.send(commands.Connection.Open(vhost), 0)
            assert isinstance(self.read()[1], commands.Connection.OpenOk)

    def send_bytes(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._socket.sendall(data)

    def send(self, frame: Any, channel: int = 1) -> None:
        """Send a frame."""
        self.send_bytes(pamqp.frame.marshal(frame, channel))

    def open_channel(self, number: int = 1) -> None:
        """Open a channel and wait for it."""
        self.send(commands.Channel.Open(), number)
        assert isinstance(self.read()[1], commands.Channel.OpenOk)

    def read(self) -> tuple[int, Any]:
        """Return the next frame as (channel, frame); (0, None) once the broker has hung up.

        Bytes that are no frame (a protocol header) come back as bytes.
        """
        while True:
            if self._buffer.startswith(b"AMQP") and len(self._buffer) >= 8:
                data, self._buffer = self._buffer[:8], self._buffer[8:]
                return 0, data
            try:
                consumed, channel, frame = pamqp.frame.unmarshal(self._buffer)
            except exceptions.UnmarshalingException:
                consumed = 0
            if consumed:
                self._buffer = self._buffer[consumed:]
                if isinstance(frame, Heartbeat):
                    continue
                return channel, frame
            try:
                data = self._socket.recv(65536)
            except ConnectionResetError:
                data = b""
            if not data:
                return 0, None
            self._buffer += data

    def read_raw(self) -> bytes:
        """Return the next frame's bytes, undecoded."""
        while len(self._buffer) < 7 or len(self._buffer) < 8 + self._size():
            data = self._socket.recv(65536)
            assert data, "the broker hung up"
            self._buffer += data
        end = 8 + self._size()
        frame, self._buffer = self._buffer[:end], self._buffer[end:]
        return frame

    def _size(self) -> int:
        return int.from_bytes(self._buffer[3:7], "big")

    def said(self) -> list[Any]:
        """The next frame in a transcript's words."""
        channel, frame = self.read()
        if frame is None:
            return ["hung up"]
        if isinstance(frame, bytes):
            return ["protocol header", frame]
        if isinstance(frame, header.ContentHeader):
            return [channel, "content header", frame.body_size]
        fields = {
            name: value
            for name, value in frame
            if name in ("reply_code", "reply_text", "class_id", "method_id", "delivery_tag")
        }
        return [channel, frame.name, fields]

    def close(self) -> None:
        """Hang up."""
        self._socket.close()
