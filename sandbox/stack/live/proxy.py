"""Carries one connection of the exercise to the real broker and back, frame by frame.

Everything runs in the hub's thread and nothing here blocks. `Carried` moves bytes; what is made of
them on the way is its subclasses' part. For RabbitMQ a frame is looked at, rewritten where
`rewrite` says so, and passed on; bytes that are no AMQP are passed on unseen. The other brokers'
connections are in `tapped`.
"""

from __future__ import annotations

import socket
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from sandbox.stack.live.frames import HEARTBEAT, METHOD, Frame, NotAmqpError, Splitter
from sandbox.stack.live.ledger import ConnectionLedger
from sandbox.stack.live.rewrite import Rewriter

_CHUNK_SIZE = 65536
#: A side that does not take its bytes stops the other side from sending more.
_MOST_WAITING = 1 << 20


class Owner(Protocol):
    """The process at the client's end, as the proxy needs it."""

    def moment(self, kind: str) -> bool:
        """It is about to do this; False means that it was killed instead."""
        ...

    def noticed(self, *, poll: bool) -> None:
        """A frame passed; `poll` ones only ask whether there is anything new."""
        ...


class Memory(Protocol):
    """What is remembered of a connection's traffic."""

    @property
    def waiting_for(self) -> str | None:
        """What the process waits for, when it must be answered soon; else None or ""."""
        ...

    def closed(self) -> None:
        """The connection is over."""
        ...


class Side:
    """One of the two sockets of a carried connection, and the bytes that wait for it."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self.socket = connection
        self.waiting = bytearray()
        self.ended = False  # it will send no more
        #: For the hub: which events its selector watches for, and on which file descriptor.
        self.watched = 0
        self.descriptor = connection.fileno()

    def flush(self) -> None:
        """Send what the socket takes."""
        while self.waiting:
            try:
                sent = self.socket.send(self.waiting)
            except BlockingIOError:
                return
            except OSError:
                self.ended = True
                self.waiting.clear()
                return
            del self.waiting[:sent]

    def read(self) -> bytes:
        """What has arrived, b"" for nothing or the end (see `ended`)."""
        if self.ended:
            return b""
        try:
            data = self.socket.recv(_CHUNK_SIZE)
        except BlockingIOError:
            return b""
        except OSError:
            data = b""
        self.ended = not data
        return data


class Carried(ABC):
    """A client's connection and ours to the broker on its behalf."""

    def __init__(
        self, client: socket.socket, broker: socket.socket, *, owner: Owner, ledger: Memory
    ) -> None:
        for each in (client, broker):
            with suppress(OSError):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.client = Side(client)
        self.broker = Side(broker)
        self.owner = owner
        self.ledger = ledger
        self.closed = False

    @abstractmethod
    def _forward(self, side: Side, data: bytes) -> None:
        """Put what this side sent into what waits for the other, and flush that."""

    def wants(self, side: Side) -> tuple[bool, bool]:
        """Whether to wait for bytes from this side, and for room towards it."""
        other = self.broker if side is self.client else self.client
        return (not side.ended and len(other.waiting) < _MOST_WAITING, bool(side.waiting))

    def pump(self, side: Side) -> None:
        """Carry on whatever has arrived from this side, and end what has ended."""
        self._pump_once(side)
        self._finish()

    def drain_client(self) -> None:
        """Carry on everything the client has sent up to now."""
        while not self.closed and self._pump_once(self.client):
            pass
        self._finish()

    def close(self) -> None:
        """Drop both ends at once; what waits is lost."""
        if self.closed:
            return
        self.closed = True
        self.client.socket.close()
        self.broker.socket.close()
        self.ledger.closed()

    def _pump_once(self, side: Side) -> bool:
        if self.closed:
            return False
        data = side.read()
        if data:
            self._forward(side, data)
        return bool(data)

    def _finish(self) -> None:
        """Close once an end has ended and the other has what was sent before."""
        for side, other in ((self.client, self.broker), (self.broker, self.client)):
            side.flush()
            if side.ended and (other.ended or not other.waiting):
                self.close()
                return


class ProxiedConnection(Carried):
    """A connection to RabbitMQ."""

    def __init__(
        self,
        client: socket.socket,
        broker: socket.socket,
        *,
        owner: Owner,
        rewriter: Rewriter,
        ledger: ConnectionLedger,
    ) -> None:
        super().__init__(client, broker, owner=owner, ledger=ledger)
        self._frames = ledger
        self._rewriter = rewriter
        self._splitters = {
            self.client: Splitter(preamble=True),
            self.broker: Splitter(preamble=False),
        }
        self._opaque: list[Side] = []  # what they send is not AMQP

    @property
    def opened(self) -> bool:
        """Whether the client has logged in."""
        return self._frames.opened

    def _forward(self, side: Side, data: bytes) -> None:
        to_broker = side is self.client
        other = self.broker if to_broker else self.client
        carry: Callable[[Frame], bytes | None] = self._to_broker if to_broker else self._to_client
        if side in self._opaque:
            other.waiting += data
        else:
            try:
                for item in self._splitters[side].feed(data):
                    carried = item if isinstance(item, bytes) else carry(item)
                    if carried is None:
                        break  # the process was killed at this frame; it sent nothing later
                    other.waiting += carried
            except NotAmqpError:
                self._opaque.append(side)
                other.waiting += self._splitters[side].rest()
        other.flush()

    def _to_broker(self, frame: Frame) -> bytes | None:
        if frame.kind == METHOD and not self.owner.moment(frame.name):
            return None
        poll = frame.kind == HEARTBEAT or self._frames.sent(frame)
        self.owner.noticed(poll=poll)
        return self._rewriter.to_broker(frame)

    def _to_client(self, frame: Frame) -> bytes:
        poll = frame.kind == HEARTBEAT or self._frames.received(frame)
        self.owner.noticed(poll=poll)
        return self._rewriter.to_client(frame)
