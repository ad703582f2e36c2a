"""Carries bytes between TCP connections and the sans-IO brokers, in real time.

A `Service` is one broker with its ports, its timers and its journal; a `Client` is one connection
to it. After every call into a broker the service *settles*: changes are written to the journal,
then what the broker has to say is sent, then the next timer is armed. Nothing else here knows when
things happen, so the order that keeps confirmed data safe is in one place, `Service._settle_now`.

Everything runs in one thread, that of the event loop; nothing here waits.
"""

from __future__ import annotations

import asyncio
import socket
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from sandbox.embedded.errors import CannotKeep
from sandbox.embedded.limits import (
    KEEPALIVE_EVERY_S,
    KEEPALIVE_IDLE_S,
    KEEPALIVE_PROBES,
    LINGER_S,
    Limits,
)

if TYPE_CHECKING:
    from sandbox.brokers.base import Broker, Connection, Paced
    from sandbox.embedded.clock import Clock
    from sandbox.embedded.keeping import Keeper
    from sandbox.embedded.tracing import TraceFile

#: A timer that is still due after it was handled is tried again after this long, not at once.
_STILL_DUE_S: Final = 0.001
#: One that failed, which is a fault of the broker, after this long.
_FAILED_S: Final = 1.0


class House(Protocol):
    """What services share: the server they are in."""

    def admits(self) -> bool:
        """Whether there is room for one more client."""
        ...

    def log(self, service: str, text: str) -> None:
        """Tell the person who runs the server."""
        ...

    def fail(self, error: Exception) -> None:
        """End the server: it cannot go on."""
        ...


class Service:
    """One broker, its ports, its timers, its journal.

    `nodes` are what its ports lead to: a broker alone, or a broker and its management, or the
    brokers of a cluster. A call into one can give the others something to say.
    """

    def __init__(
        self,
        name: str,
        nodes: Sequence[Broker],
        *,
        house: House,
        clock: Clock,
        limits: Limits,
        keeper: Keeper | None = None,
        trace: TraceFile | None = None,
    ) -> None:
        self.name = name
        self.nodes = list(nodes)
        self.house = house
        self.limits = limits
        self.keeper = keeper
        self.trace = trace
        self.now_ns = clock.now_ns
        self.loop = asyncio.get_running_loop()
        #: Clients by the identity of the broker's object for them.
        self.clients: dict[int, Client] = {}
        #: Those with more unsent than they should have.
        self.congested: dict[Client, None] = {}
        #: For the status: how much went in and out, how many came.
        self.received_bytes = 0
        self.sent_bytes = 0
        self.accepted = 0
        #: The trace's event that brought the bytes in hand.
        self.cause = 0
        #: Services whose brokers give each other something to say; they settle together.
        self.together: list[Service] = [self]
        self._waits_for_disk = keeper is not None and keeper.fsync
        self._will_settle = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_ns = 0
        self._failed = False

    # -- the event loop's side -------------------------------------------------------------------

    def accept(self, node: Broker) -> Client:
        """A protocol for the connection that arrives at a node's port."""
        return Client(self, node)

    def act(self, action: Callable[[int], Any]) -> Any:
        """Do something to the broker as its administrator: `action(now_ns)`."""
        try:
            return action(self.now_ns())
        finally:
            self.settle()

    def settle(self) -> None:
        """Keep and send what a call into the broker brought about. Call after every one."""
        if not self._waits_for_disk:
            self._settle_now()
        elif not self._will_settle:
            # Whatever else arrives in this turn of the loop waits for the disk together with this.
            self._will_settle = True
            self.loop.call_soon(self._settle_now)

    def _settle_now(self) -> None:
        self._will_settle = False
        together = self.together
        writable: list[tuple[Service, Connection]] = []
        for service in together:
            for node in service.nodes:
                for connection in node.take_writable():
                    writable.append((service, connection))
        if not self._keep(together):
            return
        for service, connection in writable:
            client = service.clients.get(id(connection))
            if client is not None:
                client.flush()
        for service in together:
            service._arm()

    def _keep(self, together: Sequence[Service]) -> bool:
        """Write changes down; False when that failed and nothing may be sent any more."""
        for service in together:
            keeper = service.keeper
            if keeper is None:
                continue
            if service._failed:
                return False
            try:
                if keeper.flush():
                    if keeper.fsync:
                        keeper.sync()
                    if keeper.has_grown:
                        keeper.rewrite()
            except CannotKeep as error:
                service._failed = True
                self.house.fail(error)
                return False
        return True

    def _arm(self) -> None:
        due_ns: int | None = None
        for node in self.nodes:
            due = node.next_timer()
            if due is not None and (due_ns is None or due < due_ns):
                due_ns = due
        if due_ns is None:
            return  # One that is armed for nothing does no harm.
        if self._timer is not None:
            if due_ns >= self._timer_ns:
                return  # It comes early enough, and then looks again.
            self._timer.cancel()
        self._timer_ns = due_ns
        wait_s = max(0.0, (due_ns - self.now_ns()) / 1e9)
        self._timer = self.loop.call_later(wait_s, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        still_due = failed = False
        for node in self.nodes:
            now_ns = self.now_ns()
            due_ns = node.next_timer()
            if due_ns is None or due_ns > now_ns:
                continue
            try:
                node.handle_timer(now_ns)
            except Exception:
                failed = True
                self.house.log(self.name, f"a timer failed:\n{traceback.format_exc()}")
            due_ns = node.next_timer()
            still_due = still_due or (due_ns is not None and due_ns <= now_ns)
        if still_due:
            self._timer_ns = 0
            self._timer = self.loop.call_later(
                _FAILED_S if failed else _STILL_DUE_S, self._on_timer
            )
        self.settle()

    def close(self) -> None:
        """Stop timers; the clients are closed by then."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.keeper is not None and not self._failed:
            self.keeper.close()


class Client(asyncio.Protocol):
    """One TCP connection. Between two calls from the event loop it holds no bytes of its own."""

    __slots__ = (
        "_congested",
        "_finishing",
        "_node",
        "_paced",
        "_service",
        "connection",
        "peer",
        "transport",
    )

    transport: asyncio.Transport
    connection: Connection

    def __init__(self, service: Service, node: Broker) -> None:
        self._service = service
        self._node = node
        self._congested = False
        self._finishing = False
        #: The same connection, if its broker can wait for the client to keep up.
        self._paced: Paced | None = None
        self.peer = ""

    @property
    def unsent_bytes(self) -> int:
        """What waits for this client to read."""
        return self.transport.get_write_buffer_size()

    # -- called by the event loop ----------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is here."""
        self.transport = cast(asyncio.Transport, transport)
        service = self._service
        self.peer = _name(transport.get_extra_info("peername"))
        if not service.house.admits():
            self._finishing = True
            self.transport.abort()
            return
        _keep_alive(transport.get_extra_info("socket"))
        self.transport.set_write_buffer_limits(service.limits.high_water_bytes)
        service.accepted += 1
        self.connection = self._node.connect(self.peer, service.now_ns())
        if hasattr(self.connection, "window_bytes"):
            self._paced = cast("Paced", self.connection)
            self._paced.window_bytes = service.limits.high_water_bytes
        service.clients[id(self.connection)] = self
        service.house.log(service.name, f"{self.peer} connected")
        service.settle()

    def data_received(self, data: bytes) -> None:
        """Bytes from the client."""
        if self._finishing:
            return  # Read, so that closing is no reset, and thrown away.
        service = self._service
        service.received_bytes += len(data)
        trace = service.trace
        if trace is not None:
            service.cause = trace.sent(self.peer, self.peer, data)
        try:
            self.connection.receive_data(data, service.now_ns())
        except Exception:
            self._broke()
        service.settle()
        service.cause = 0

    def eof_received(self) -> bool:
        """The client says no more; what it is owed is sent, then the connection closes."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is over, whoever ended it."""
        service = self._service
        self._finishing = True
        service.congested.pop(self, None)
        connection = getattr(self, "connection", None)
        if connection is None:
            return
        why = f" ({_reason(exc)})" if exc is not None else ""
        service.house.log(service.name, f"{self.peer} disconnected{why}")
        service.clients.pop(id(connection), None)
        try:
            connection.connection_lost(service.now_ns())
        except Exception:
            service.house.log(service.name, f"a farewell failed:\n{traceback.format_exc()}")
        service.settle()

    def pause_writing(self) -> None:
        """The client takes its bytes more slowly than they come."""
        self._congested = True
        self._service.congested[self] = None
        if self._service.limits.stops_reading and not self._finishing:
            self.transport.pause_reading()

    def resume_writing(self) -> None:
        """It has caught up."""
        self._congested = False
        self._service.congested.pop(self, None)
        self.transport.resume_reading()
        self._go_on()

    # -- called by the service ---------------------------------------------------------------------

    def flush(self) -> None:
        """Send what the broker has for this client; hang up if it is done with it."""
        connection = self.connection
        data = connection.data_to_send()
        service = self._service
        if data and not self._finishing:
            service.sent_bytes += len(data)
            if service.trace is not None:
                service.trace.sent(service.name, self.peer, data)
            was_congested = self._congested
            self.transport.write(data)
            # The answer to one request may be as large as it likes; what comes on top may not.
            if was_congested and self.unsent_bytes > service.limits.most_unsent_bytes:
                self.cut_off()
        if self._paced is not None and self._paced.withholds and not self._congested:
            # In the next turn of the loop, so that others get theirs.
            service.loop.call_soon(self._go_on)
        if connection.closing and not self._finishing:
            self.finish()

    def _go_on(self) -> None:
        """The client keeps up: let the broker say what it withheld."""
        paced = self._paced
        if paced is None or self._congested or self._finishing:
            return
        paced.keeps_up(self._service.now_ns())
        self._service.settle()

    def finish(self) -> None:
        """Send what is left, say that it is all, and wait a little for the client to hang up.

        Closing at once while the client still sends would be a reset, which can overtake the
        broker's last words.
        """
        if self._finishing:
            return
        self._finishing = True
        try:
            self.transport.write_eof()
            self.transport.resume_reading()
        except (OSError, RuntimeError, NotImplementedError):
            self.transport.close()
        self._service.loop.call_later(LINGER_S, self.transport.abort)

    def cut_off(self) -> None:
        """The client reads too slowly: what waits for it is thrown away."""
        service = self._service
        service.house.log(
            service.name,
            f"{self.peer} is cut off: it does not read, and {self.unsent_bytes >> 20} MB wait for"
            " it. Give its consumer a prefetch limit, or more than one reader.",
        )
        self._finishing = True
        self.transport.abort()

    def _broke(self) -> None:
        """The broker has a fault. It costs this client its connection and nobody else's."""
        service = self._service
        service.house.log(
            service.name,
            f"{self.peer} is cut off by a fault of the sandbox, not of yours; please report it:\n"
            f"{traceback.format_exc()}",
        )
        self._finishing = True
        self.transport.abort()


def _name(address: Any) -> str:
    if not isinstance(address, tuple):
        return str(address or "?")
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _reason(error: Exception) -> str:
    if isinstance(error, ConnectionResetError):
        return "without closing"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _keep_alive(connection: socket.socket | None) -> None:
    """Find out about clients that are gone without a word."""
    if connection is None:
        return
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in (
            ("TCP_KEEPIDLE", KEEPALIVE_IDLE_S),
            ("TCP_KEEPINTVL", KEEPALIVE_EVERY_S),
            ("TCP_KEEPCNT", KEEPALIVE_PROBES),
        ):
            if hasattr(socket, option):
                connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
