"""A broker's place in the world: its host, its ports, its timers, its share of the trace.

The broker itself is sans-IO and knows nothing of this file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from sandbox.sim.clock import Timer
from sandbox.sim.streams import End

if TYPE_CHECKING:
    from sandbox.brokers.base import Broker, Connection
    from sandbox.sim.network import Network
    from sandbox.sim.trace import Trace

MakeBroker = Callable[[Callable[[str, Mapping[str, Any]], None]], "Broker"]


class Service:
    """A running broker. `make` gets the observer to report to."""

    def __init__(
        self,
        name: str,
        port: int,
        make: MakeBroker,
        network: Network,
        trace: Trace,
        eventful: Callable[[], None],
        services: Mapping[str, Service] | None = None,
        *,
        host: str | None = None,
    ) -> None:
        self.name = name
        self.host = host or name
        self.port = port
        self.network = network
        self.trace = trace
        self.up = True
        self._eventful = eventful
        self._cause = 0
        self._timer: Timer | None = None
        self._timer_ns: int | None = None
        self._activity = 0
        self._ends: dict[int, BrokerEnd] = {}
        self.broker = make(self._observe)
        #: Services of one cluster, this one among them: a call into one broker moves the others.
        self.together = self._join(services or {})
        network.add_host(self.host)
        network.listen(self.host, port, self)
        network.publish(self.host, port)
        self.settle()

    @property
    def names(self) -> tuple[str, str]:
        """Its process, and its host, which mostly is called the same."""
        return (self.name, self.host)

    def offer(self, client: End, peer: str, address: tuple[str, int]) -> End | None:
        """Take a connection, unless the broker is down."""
        if not self.up:
            return None
        connection = self.broker.connect(peer, self.network.clock.now_ns)
        end = BrokerEnd(self, client.connection, connection)
        self._ends[id(connection)] = end
        return end

    def _join(self, services: Mapping[str, Service]) -> list[Service]:
        nodes = getattr(self.broker, "nodes", ())
        together: list[Service] = []
        for other in services.values() if len(nodes) > 1 else ():
            if any(other.broker is node for node in nodes):
                together = other.together
        together.append(self)
        return together

    def settle(self) -> None:
        """Send what the broker has to say and arm its timer. Call after every call into it.

        The same for the other brokers of its cluster, if it has one.
        """
        for service in self.together:
            service._settle()

    def _settle(self) -> None:
        broker, network = self.broker, self.network
        for connection in broker.take_writable():
            end = self._ends.get(id(connection))
            if end is not None:
                end.flush()
        activity = broker.activity
        if activity != self._activity:
            self._activity = activity
            self._eventful()
        due = broker.next_timer()
        if due != self._timer_ns:
            if self._timer is not None:
                self._timer.cancel()
            self._timer_ns = due
            self._timer = None if due is None else network.clock.at(due, self._on_timer)

    def act(self, action: Callable[[int], Any]) -> Any:
        """Do something to the broker as an administrator: `action(now_ns)`."""
        try:
            return action(self.network.clock.now_ns)
        finally:
            self.settle()

    def stop(self, *, crash: bool = False) -> None:
        """Stop the broker, or let it crash: connections are closed, new ones refused. Idempotent.

        A broker for which a crash is not a restart has a `crash(now_ns)` of its own; one that must
        know that it is away has `stop(now_ns)` and `start(now_ns)` (`sandbox.brokers.base.Node`).
        """
        if self.up:
            self.up = False
            self._note("crash" if crash else "stop")
            self._restart(crash)

    def start(self) -> None:
        """Start it again with what survived. Idempotent."""
        if not self.up:
            self.up = True
            self._note("start")
            start = getattr(self.broker, "start", None)
            if start is not None:
                start(self.network.clock.now_ns)
                self.settle()

    def restart(self, *, crash: bool = False) -> None:
        """Stop, or crash, and start at one instant."""
        self.stop(crash=crash)
        self.start()

    def is_subscribed(self, names: tuple[str, str]) -> bool:
        """Whether a process has asked this broker to be sent messages."""
        return any(
            end.connection_state.subscribed and end.peer.names == names and not end.gone
            for end in self._ends.values()
        )

    def forget(self, end: BrokerEnd) -> None:
        """A connection is over."""
        self._ends.pop(id(end.connection_state), None)

    def receive(self, end: BrokerEnd, data: bytes, cause: int) -> None:
        """Bytes from a client; `settle` follows when all that is due has arrived."""
        self._cause = cause
        end.connection_state.receive_data(data, self.network.clock.now_ns)
        self._cause = 0

    def _restart(self, crash: bool) -> None:
        restart: Callable[[int], None] = getattr(self.broker, "stop", self.broker.restart)
        if crash:
            restart = getattr(self.broker, "crash", restart)
        restart(self.network.clock.now_ns)
        for end in list(self._ends.values()):
            end.flush()
            end.send_end()
            end.gone = True
        self._ends.clear()
        self._eventful()
        self.settle()

    def _on_timer(self) -> None:
        self._timer_ns = None
        self.broker.handle_timer(self.network.clock.now_ns)
        self.settle()

    def _observe(self, kind: str, fields: Mapping[str, Any]) -> None:
        self.trace.add(self.network.clock.now_ns, self.name, kind, {"cause": self._cause, **fields})

    def _note(self, what: str) -> None:
        self._eventful()
        self.trace.add(self.network.clock.now_ns, "", "fault", {"what": what, "service": self.name})


class BrokerEnd(End):
    """The broker's end of a connection."""

    def __init__(self, service: Service, connection: int, state: Connection) -> None:
        super().__init__(service.network, connection, service.names)
        self.service = service
        self.connection_state = state

    def flush(self) -> None:
        """Send what the broker has for this client."""
        state = self.connection_state
        data = state.data_to_send()
        service = self.service
        if data and not self.sent_end:
            cause = service.trace.add(
                self.network.clock.now_ns,
                service.name,
                "net.send",
                {"connection": self.connection, "data": data, "where": ""},
            )
            self.send(data, cause)
        if state.closing and not self.sent_end:
            self.send_end()

    def on_connected(self) -> None:
        self.service.settle()

    def on_data(self, data: bytes, cause: int) -> None:
        self.unread -= len(data)
        if not self.connection_state.closing:
            self.service.receive(self, data, cause)

    def on_arrivals(self) -> None:
        self.service.settle()

    def on_end(self) -> None:
        self.send_end()
        self._lose()

    def on_reset(self) -> None:
        self._lose()

    def _lose(self) -> None:
        if not self.gone:
            self.gone = True
            self.connection_state.connection_lost(self.network.clock.now_ns)
            self.service.forget(self)
            self.service.settle()
