"""A connection: one client's bytes, from its first request to its last reply.

Requests are done one after the other; while one waits (BLPOP), those after it stay unread, as in
Redis. Nothing a client sends makes `receive_data` raise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fakeredis._helpers import NoResponse, SimpleError

from sandbox.brokers.redis.replies import Push, encode
from sandbox.brokers.redis.requests import ProtocolError, RequestReader
from sandbox.brokers.redis.session import Session, WouldBlock

if TYPE_CHECKING:
    from sandbox.brokers.redis.broker import Broker

#: How much a client may send while a request of it waits, before it is cut off.
MAX_WAITING_BYTES = 1024 * 1024 * 1024


class Connection:
    """One client. `peer` is its name for people."""

    def __init__(self, broker: Broker, peer: str) -> None:
        self.broker = broker
        self.peer = peer
        self.closing = False
        self.session = Session(broker, self, peer)
        #: Its last request was answered with nothing new: it will probably ask again.
        self.asks_in_vain = False
        #: The broker's `activity` when a wait of this client last ended for want of time.
        self.lapsed = -1
        #: What it asked since the data last changed, with the count of changes then.
        self.asked: tuple[int, set[tuple[bytes, ...]]] = (-1, set())
        self._reader = RequestReader()
        self._output: list[bytes] = []
        #: How much waits for a subscriber that does not take it.
        self._queued_bytes = 0
        self._announced = False
        self._gone = False
        #: A request that CLIENT PAUSE stopped.
        self._held: list[bytes] | None = None

    # -- the carrier's side --------------------------------------------------------------------

    @property
    def subscribed(self) -> bool:
        """True while the client waits for messages, or has asked for one and got none."""
        session = self.session
        return bool(
            self.asks_in_vain or session.waiting or session.subscriptions or session.monitoring
        )

    def receive_data(self, data: bytes, now_ns: int) -> None:
        """Take bytes from the client, any number of them, cut anywhere."""
        if self.closing:
            return
        self._reader.feed(data)
        if self._reader.waiting > MAX_WAITING_BYTES:
            self.close()
            return
        with self.broker.acting(now_ns):
            self.read()
            self.broker.serve()

    def data_to_send(self) -> bytes:
        """Return the bytes that wait for this client, and forget them."""
        data = b"".join(self._output)
        self._output.clear()
        self._queued_bytes = 0
        return data

    def connection_lost(self, now_ns: int) -> None:
        """The client's end of the transport is gone. Idempotent."""
        with self.broker.acting(now_ns):
            self._output.clear()
            self.close()

    def taken(self) -> None:
        """The carrier was told; tell it again when there is more."""
        self._announced = False

    # -- requests and replies ------------------------------------------------------------------

    def read(self) -> None:
        """Do the requests that are complete."""
        session, broker, next_request = self.session, self.broker, self._reader.next_request
        while not self.closing and session.waiting is None:
            fields, self._held = self._held, None
            if fields is None:
                try:
                    fields = next_request(session.authenticated)
                except ProtocolError as error:
                    self.send(SimpleError(f"ERR {error}"))
                    self.close()
                    return
            if fields is None:
                return
            if broker.paused is not None and broker.paused.holds(session, fields):
                self._held = fields
                broker.held[self] = None
                return
            broker.perform(self, fields)
            if session._killed:
                self.close()

    def answer(self, fields: list[bytes], now_ns: int) -> Any:
        """Do one request and reply, unless it waits; the reply, or None while there is none."""
        session = self.session
        try:
            result = session.run(fields)
        except WouldBlock as block:
            session.wait(fields, block, now_ns)
            return None
        except Exception as error:  # what fakeredis did not foresee must not end the server
            self.broker.trace("engine.error", connection=self.peer, error=repr(error))
            result = SimpleError(f"ERR the sandbox could not do this: {error!r}")
        self.reply(result)
        return result

    def reply(self, result: Any) -> None:
        """Send a reply, unless the client asked for none."""
        session = self.session
        silent = session._reply_off or session._reply_skip
        session._reply_skip, session._reply_skip_next = session._reply_skip_next, False
        if isinstance(result, SimpleError):
            self.broker.errors += 1
        if not silent and not isinstance(result, NoResponse):
            self.send(result)

    def push(self, message: Push) -> None:
        """Send a message nobody asked for."""
        self.broker.replied = True
        self.send(message)

    def send(self, value: Any) -> None:
        """Queue a value for the client."""
        if self._gone:
            return
        try:
            data = encode(value, self.session._client_info["resp"])
        except TypeError as error:
            data = encode(SimpleError(f"ERR {error}"), 2)
        self._output.append(data)
        if self.session.subscriptions:
            self._check_output(len(data))
        self._announce()

    def _check_output(self, size_bytes: int) -> None:
        """End a subscriber that does not take what is sent to it: `client-output-buffer-limit`."""
        self._queued_bytes += size_bytes
        limit = self.broker.settings.output_limit("pubsub")
        if limit and self._queued_bytes > limit:
            self._output.clear()
            self.broker.trace("connection.overflow", connection=self.peer)
            self.close()

    def close(self) -> None:
        """End: what is queued is still sent."""
        self.closing = True
        self._announce()
        if not self._gone:
            self._gone = True
            self.broker.forget(self)

    def _announce(self) -> None:
        if not self._announced:
            self._announced = True
            self.broker.writable.append(self)
