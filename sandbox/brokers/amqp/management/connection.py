"""One HTTP client: bytes to requests, answers to bytes. `h11` knows HTTP/1.1 [RFC 9112].

A request is answered when all of it is there; the next one on the connection follows then. A client
that says nothing for a minute is cut off, as RabbitMQ does.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import h11

from sandbox.brokers.amqp.management.answers import Answer, json_answer
from sandbox.brokers.amqp.management.routes import answer

if TYPE_CHECKING:
    from sandbox.brokers.amqp.management.server import Server
    from sandbox.brokers.timers import Timer

#: RabbitMQ takes definitions of up to 20 MB; nothing else comes near.
MAX_BODY_BYTES: Final = 20_000_000
_IDLE_NS: Final = 60_000_000_000
_TOO_LARGE: Final = json_answer(
    413, {"error": "payload_too_large", "reason": f"at most {MAX_BODY_BYTES} bytes are taken"}
)
_HEADERS: Final = (("server", "queue-sandbox"), ("vary", "accept, accept-encoding, origin"))


class Connection:
    """One client of the management API. `peer` is its name for people."""

    #: Nobody subscribes to anything over HTTP.
    subscribed: Final = False

    def __init__(self, server: Server, peer: str, now_ns: int) -> None:
        self.server = server
        self.peer = peer
        self.closing = False
        self._http = h11.Connection(h11.SERVER)
        self._output: list[bytes] = []
        self._announced = False
        self._request: h11.Request | None = None
        self._body: list[bytes] = []
        self._body_bytes = 0
        self._now_ns = now_ns
        self._idle: Timer | None = None
        self._wait()

    def receive_data(self, data: bytes, now_ns: int) -> None:
        """Take bytes from the client, any number of them, cut anywhere."""
        if self.closing or not data:
            return
        self._now_ns = self.server.timers.now_ns = now_ns
        self._wait()
        self._http.receive_data(data)
        try:
            while not self.closing and self._step():
                pass
        except h11.RemoteProtocolError as problem:
            reason = {"error": "bad_request", "reason": str(problem)}
            self._refuse(json_answer(problem.error_status_hint, reason))

    def data_to_send(self) -> bytes:
        """Return the bytes that wait for this client, and forget them."""
        data = b"".join(self._output)
        self._output.clear()
        return data

    def connection_lost(self, now_ns: int) -> None:
        """The client's end of the transport is gone. Idempotent."""
        self._output.clear()
        self.hang_up()

    def taken(self) -> None:
        """The carrier was told; announce again when there is more."""
        self._announced = False

    def hang_up(self) -> None:
        """Nothing more will be said."""
        self.closing = True
        self.server.connections.pop(self, None)
        if self._idle is not None:
            self._idle.cancel()
        self._announce()

    def _wait(self) -> None:
        timers = self.server.timers
        if self._idle is not None:
            self._idle.cancel()
        self._idle = timers.at(self._now_ns + _IDLE_NS, self._idle_too_long, housekeeping=True)

    def _idle_too_long(self, now_ns: int) -> None:
        self._idle = None
        self.hang_up()

    def _step(self) -> bool:
        """Take the next event out of what has come; False if there is none."""
        event = self._http.next_event()
        if event is h11.NEED_DATA:
            if self._http.they_are_waiting_for_100_continue:
                go_on = h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue")
                self._send(go_on)
            return False
        if isinstance(event, h11.Request):
            self._request, self._body, self._body_bytes = event, [], 0
        elif isinstance(event, h11.Data):
            self._body_bytes += len(event.data)
            if self._body_bytes > MAX_BODY_BYTES:
                self._refuse(_TOO_LARGE)
                return False
            self._body.append(bytes(event.data))
        elif isinstance(event, h11.EndOfMessage):
            return self._answer()
        else:
            return False
        return True

    def _answer(self) -> bool:
        request, self._request = self._request, None
        assert request is not None
        reply = answer(
            self,
            request.method.decode(),
            request.target.decode("latin-1"),
            {name.decode("latin-1"): value.decode("latin-1") for name, value in request.headers},
            b"".join(self._body),
            self._now_ns,
        )
        self._body = []
        self._say(reply, head=request.method == b"HEAD")
        if self._http.our_state is h11.MUST_CLOSE:
            self.hang_up()
            return False
        self._http.start_next_cycle()
        return True

    def _refuse(self, reply: Answer) -> None:
        """Answer what cannot be read any further, and close."""
        if self._http.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            self._say(reply._replace(headers=(*reply.headers, ("connection", "close"))))
        self.hang_up()

    def _say(self, reply: Answer, *, head: bool = False) -> None:
        now_s = (self.server.broker.epoch_ns + self._now_ns) // 1_000_000_000
        headers = [*_HEADERS, ("date", _date(now_s)), *reply.headers]
        if reply.status != 204:
            headers.append(("content-length", str(len(reply.body))))
        self._send(h11.Response(status_code=reply.status, headers=headers))
        if reply.body and not head:
            self._send(h11.Data(data=reply.body))
        self._send(h11.EndOfMessage())

    def _send(self, event: h11.Event) -> None:
        self._output.append(self._http.send(event) or b"")
        self._announce()

    def _announce(self) -> None:
        if not self._announced:
            self._announced = True
            self.server.writable.append(self)


#: Names in dates do not follow anybody's language. [RFC 9110 5.6.7]
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
# fmt: off
_MONTHS: Final = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)
# fmt: on


def _date(now_s: int) -> str:
    now = datetime.fromtimestamp(0, UTC) + timedelta(seconds=now_s)
    day, month = _DAYS[now.weekday()], _MONTHS[now.month - 1]
    return f"{day}, {now.day:02} {month} {now.year} {now:%H:%M:%S} GMT"
