"""Byte streams between two ends, with everything TCP lets a program notice.

Bytes arrive in order after the link's latency. A severed link holds them back until it heals, as
retransmission would. A receiver that does not read stops its sender once `WINDOW` bytes are
unread. Closing sends the end of the stream; closing with unread bytes, or sending to an end that is
gone, sends a reset.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from sandbox.sim.clock import SECOND
from sandbox.sim.links import Link

if TYPE_CHECKING:
    from sandbox.sim.network import Network

#: How many sent but unread bytes an end puts up with.
WINDOW = 256 * 1024

#: What travels: bytes with the id of the trace event that sent them, or a sign.
END_OF_STREAM, RESET = 1, 2
Parcel = tuple[bytes | int, int]


class End:
    """One end of an established connection. Subclassed by what reads it."""

    def __init__(self, network: Network, connection: int, names: tuple[str, str]) -> None:
        self.network = network
        #: The connection's number, shared by both ends.
        self.connection = connection
        #: Process and host.
        self.names = names
        self.peer: End = self
        #: Bytes on their way here or waiting here.
        self.unread = 0
        #: Set once this end will send, or take, nothing more.
        self.sent_end = False
        self.gone = False
        self._sent_reset = False
        self._held: deque[Parcel] = deque()
        #: Parcels on their way here, with the time they arrive.
        self._under_way: deque[tuple[int, Parcel]] = deque()
        self._arrival_ns = 0
        self._link = Link()
        self._link_version = -1

    # sending

    @property
    def room(self) -> int:
        """How many bytes `send` would take now."""
        room = WINDOW - self.peer.unread
        return room if room > 0 else 0

    def send(self, data: bytes, cause: int) -> None:
        """Put bytes on the way; `cause` is the trace event that did."""
        self.peer.unread += len(data)
        self.peer._expect((data, cause), len(data))

    def send_end(self) -> None:
        """Say that no more bytes follow. Idempotent."""
        if not self.sent_end:
            self.sent_end = True
            self.peer._expect((END_OF_STREAM, 0), 0)

    def send_reset(self) -> None:
        """Tear the connection down. Idempotent."""
        if not self._sent_reset:
            self.sent_end = self._sent_reset = True
            self.peer._expect((RESET, 0), 0)

    def link(self) -> Link:
        """What lies between this end and its peer now."""
        links = self.network.links
        if self._link_version != links.version:
            self._link = links.between(self.names, self.peer.names)
            self._link_version = links.version
        return self._link

    # arriving

    def _expect(self, parcel: Parcel, size: int) -> None:
        clock = self.network.clock
        link = self.link()
        at_ns = clock.now_ns + link.latency_ns
        if self._arrival_ns > at_ns:
            at_ns = self._arrival_ns
        if link.bytes_per_s is not None:
            at_ns += size * SECOND // link.bytes_per_s
        self._arrival_ns = at_ns
        self.network.in_flight += 1
        self._under_way.append((at_ns, parcel))
        if len(self._under_way) == 1:
            clock.at(at_ns, self._arrivals)

    def _arrivals(self) -> None:
        """Let everything arrive that is due, at once: programs send in small pieces."""
        under_way, clock = self._under_way, self.network.clock
        while under_way and under_way[0][0] <= clock.now_ns:
            self._arrive(under_way[0][1])
            under_way.popleft()
        if under_way:
            clock.at(under_way[0][0], self._arrivals)
        self.on_arrivals()

    def on_arrivals(self) -> None:
        """All that was due has arrived."""

    def _arrive(self, parcel: Parcel) -> None:
        self.network.in_flight -= 1
        if self._held or self.link().severed:
            self._held.append(parcel)
            self.network.severed_ends[self] = None
            return
        data, cause = parcel
        if isinstance(data, bytes):
            if self.gone:
                self.unread -= len(data)
                self.send_reset()
            else:
                self.on_data(data, cause)
        elif data == END_OF_STREAM:
            self.on_end()
        else:
            self.on_reset()

    def release(self) -> None:
        """Let held parcels arrive, the link having healed."""
        held, self._held = self._held, deque()
        for parcel in held:
            self._expect(parcel, len(parcel[0]) if isinstance(parcel[0], bytes) else 0)

    @property
    def holding(self) -> bool:
        """Whether parcels wait for a severed link to heal."""
        return bool(self._held)

    def on_connected(self) -> None:
        """The connection stands: this end, which was asked for it, may speak first."""

    def on_data(self, data: bytes, cause: int) -> None:
        """Bytes arrived."""
        raise NotImplementedError

    def on_end(self) -> None:
        """The peer will send no more."""
        raise NotImplementedError

    def on_reset(self) -> None:
        """The connection was torn down."""
        raise NotImplementedError


class ProcessEnd(End):
    """An end in a process: arrived bytes wait to be received."""

    def __init__(
        self,
        network: Network,
        connection: int,
        names: tuple[str, str],
        changed: Callable[[], None],
    ) -> None:
        super().__init__(network, connection, names)
        self._inbox = bytearray()
        self._changed = changed
        self.ended = False
        self.reset = False

    @property
    def waiting_bytes(self) -> int:
        """How many bytes can be received without waiting."""
        return len(self._inbox)

    def take(self, size: int, *, peek: bool = False) -> bytes:
        """Receive up to `size` bytes that have arrived."""
        if peek:
            return bytes(self._inbox[:size])
        if size >= len(self._inbox):
            data = bytes(self._inbox)
            self._inbox.clear()
        else:
            data = bytes(self._inbox[:size])
            del self._inbox[:size]
        was_full = self.unread >= WINDOW
        self.unread -= len(data)
        if was_full and isinstance(self.peer, ProcessEnd):
            self.peer._changed()
        return data

    def close(self) -> None:
        """The process gave the descriptor back, or died."""
        if self.gone:
            return
        if self._inbox and not self.reset:
            self.send_reset()
        else:
            self.send_end()
        self.gone = True
        self.unread -= len(self._inbox)
        self._inbox.clear()

    def on_data(self, data: bytes, cause: int) -> None:
        self._inbox += data
        self._changed()

    def on_end(self) -> None:
        self.ended = True
        self._changed()

    def on_reset(self) -> None:
        self.reset = True
        self.ended = True
        self.sent_end = True
        self._changed()
