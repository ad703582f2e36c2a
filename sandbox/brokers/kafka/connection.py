"""A connection: one client's requests, answered in the order they came.

Like Kafka, a connection works on one request at a time: while a fetch waits for records, or a
member for its group, what the client sent after it stays unread. [kafka.apache.org/protocol
"Network"]
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sandbox.brokers.kafka.codec import BadRequest, Call, decode, encode
from sandbox.brokers.kafka.framing import BadFrame, FrameSplitter

if TYPE_CHECKING:
    from sandbox.brokers.kafka.broker import Broker
    from sandbox.brokers.kafka.cluster import Cluster


class Request:
    """One request while it is worked on, and the way to answer it."""

    __slots__ = ("answered", "body", "broker", "call", "connection", "now_ns")

    def __init__(self, connection: Connection, call: Call, now_ns: int) -> None:
        self.connection = connection
        self.broker: Broker = connection.broker
        self.call = call
        self.body: Any = call.body
        self.now_ns = now_ns
        self.answered = False

    @property
    def cluster(self) -> Cluster:
        """What the broker is part of."""
        return self.broker.cluster

    @property
    def version(self) -> int:
        """The version the client chose."""
        return self.call.version

    @property
    def peer(self) -> str:
        """Who asks, for people."""
        return self.connection.peer

    def answer(self, values: Mapping[str, Any]) -> None:
        """Answer, now or later; a second answer is ignored."""
        if not self.answered:
            self.answered = True
            self.connection.write(encode(self.call, values))
            self.connection.go_on()

    def no_answer(self) -> None:
        """The client wants none (acks=0)."""
        if not self.answered:
            self.answered = True
            self.connection.go_on()


class Connection:
    """One client. `peer` is its name for people."""

    def __init__(self, broker: Broker, peer: str) -> None:
        self.broker = broker
        self.peer = peer
        self.closing = False
        self.lost = False
        self.client_id = ""
        self.user: str | None = None
        #: Whether it may do more than say who it is.
        self.authenticated = broker.users is None
        self.sasl_mechanism: str | None = None
        #: Its last fetch found nothing new: it will ask again.
        self.waits_for_records = False
        self._splitter = FrameSplitter()
        self._busy = False
        self._reading = False
        self._output: list[bytes] = []
        self._announced = False
        self._now_ns = 0

    # -- the carrier's side --------------------------------------------------------------------

    @property
    def subscribed(self) -> bool:
        """True while the client waits for records, or to be assigned partitions that have some."""
        return self.waits_for_records or self.broker.cluster.groups.has_member_at(self)

    def receive_data(self, data: bytes, now_ns: int) -> None:
        """Take bytes from the client, any number of them, cut anywhere."""
        self._now_ns = now_ns
        if not self.closing:
            try:
                self._splitter.feed(data)
            except BadFrame as why:
                self.close(str(why))
            self._read()

    def data_to_send(self) -> bytes:
        """Return the bytes that wait for this client, and forget them."""
        data = b"".join(self._output)
        self._output.clear()
        return data

    def connection_lost(self, now_ns: int) -> None:
        """The client is gone."""
        self._now_ns = now_ns
        self._give_up("the client is gone")

    # -- the broker's side ---------------------------------------------------------------------

    def taken(self) -> None:
        """The carrier knows of the news; announce the next ones again."""
        self._announced = False

    def write(self, data: bytes) -> None:
        """Let the carrier send this."""
        if not self.lost:
            self._output.append(data)
            self._announce()

    def go_on(self) -> None:
        """The request in hand is answered: look at the next."""
        self._busy = False
        self._read()

    def close(self, reason: str) -> None:
        """Hang up, as Kafka does on what it cannot read: without a word."""
        self.closing = True
        self._give_up(reason)
        self._announce()

    def _give_up(self, reason: str) -> None:
        if not self.lost:
            self.lost = True
            self.waits_for_records = False
            self.broker.forget(self, reason, self._now_ns)

    def _announce(self) -> None:
        if not self._announced:
            self._announced = True
            self.broker.writable.append(self)

    def _read(self) -> None:
        # Answering calls `go_on`, which comes back here: one loop, not a recursion.
        if self._reading:
            return
        self._reading = True
        try:
            while not (self._busy or self.closing or self.lost):
                frame = self._splitter.next_frame()
                if frame is None:
                    return
                call = decode(frame)
                self._busy = True
                self.client_id = call.client_id or self.client_id
                self.broker.handle(Request(self, call, self.broker.time(self._now_ns)))
        except (BadFrame, BadRequest) as why:
            self.close(str(why))
        finally:
            self._reading = False
