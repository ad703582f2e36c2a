"""The embedded server itself: ports, folder, brokers, and the order of starting and stopping.

`Engine.open` takes what others may have already (ports, the folder) and reads the files it was
given, so everything that can be refused is refused before anything begins. `start` and `stop` run
in an event loop. `sandbox.cli.up` runs an engine in the foreground, `sandbox.embedded.Server` in a
thread.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Mapping
from typing import Any, Final

from sandbox.embedded import makers, ports, users
from sandbox.embedded.carrier import Service
from sandbox.embedded.clock import Clock
from sandbox.embedded.errors import EmbeddedError
from sandbox.embedded.folder import Folder
from sandbox.embedded.keeping import Keeper
from sandbox.embedded.limits import MOST_UNSENT_BYTES, connections_possible
from sandbox.embedded.makers import KINDS, Kind, Making, random_stream
from sandbox.embedded.options import Options
from sandbox.embedded.tracing import TraceFile

#: How often traces are written out and the unread bytes of all clients are added up.
TICK_S: Final = 0.5
#: How long clients may take to read the last they are sent when the server stops...
FAREWELL_S: Final = 2.0
#: ... and then to hang up. What they have not read by then is the system's to deliver.
HANG_UP_S: Final = 0.1

Log = Callable[[str, str], None]


def _silent(service: str, text: str) -> None:
    pass


class Engine:
    """Brokers behind TCP ports. `log(service, text)` is told what happens; service "" is itself."""

    def __init__(self, options: Options, log: Log = _silent) -> None:
        self.options = options
        self.log = log
        self.services: dict[str, Service] = {}
        #: The brokers themselves, by name.
        self.brokers: dict[str, Any] = {}
        #: Ports by purpose, once open.
        self.ports: dict[str, int] = {}
        #: Brokers whose durable state is not kept although a folder was named.
        self.forgetful: list[str] = []
        self.began_ns = 0
        self._failure: asyncio.Future[None] | None = None
        self._sockets: dict[str, socket.socket] = {}
        self._folder: Folder | None = None
        self._keepers: dict[str, Keeper] = {}
        self._trace: TraceFile | None = None
        self._users: users.Users | None = None
        self._servers: list[asyncio.Server] = []
        self._tick: asyncio.TimerHandle | None = None
        self._most_connections = 0
        self._turned_away = 0

    @property
    def kinds(self) -> list[Kind]:
        """The brokers that were asked for."""
        return [kind for kind in KINDS.values() if kind.name in (self.options.only or KINDS)]

    def ports_of(self, kind: Kind) -> dict[str, int]:
        """Purpose -> usual port of that broker's."""
        return makers.ports_of(kind, self.options.kafka_brokers)

    # -- starting --------------------------------------------------------------------------------

    def open(self) -> None:
        """Take ports and files.

        Raises:
            EmbeddedError: some of them cannot be had; says which and what to do.
        """
        options = self.options
        if options.bridge and not {"rabbitmq", "mqtt"} <= set(options.only or KINDS):
            raise EmbeddedError(
                "--bridge joins RabbitMQ and MQTT, and --only leaves one of them out."
            )
        unknown = [name for name in options.only if name not in KINDS]
        if unknown:
            raise EmbeddedError(
                f"There is no broker called {', '.join(map(repr, unknown))}; "
                f"there are {', '.join(KINDS)}."
            )
        try:
            if options.users is not None:
                self._users = users.read(options.users)
            self._sockets = ports.listen_all(
                options.host, self._wanted_ports(), offset=options.port_offset
            )
            self.ports = {name: each.getsockname()[1] for name, each in self._sockets.items()}
            if options.data is not None:
                self._folder = Folder(options.data)
                for kind in self.kinds:
                    self._keepers[kind.name] = Keeper(
                        kind.name,
                        self._folder,
                        fsync=options.fsync,
                        least_bytes=options.rewrite_at_bytes,
                        log=lambda text: self.log("", text),
                    )
            if options.trace is not None:
                self._trace = TraceFile(
                    options.trace, options.seed, lambda text: self.log("", text)
                )
        except BaseException:
            self._let_go()
            raise

    async def start(self) -> None:
        """Make the brokers and serve.

        Raises:
            EmbeddedError: what was kept cannot be read.
        """
        loop = asyncio.get_running_loop()
        self._failure = loop.create_future()
        self._most_connections = connections_possible(self.options.max_connections)
        try:
            clock = Clock(max((keeper.latest_ns for keeper in self._keepers.values()), default=0))
            self.began_ns = clock.now_ns()
            if self._trace is not None:
                self._trace.begin(clock.now_ns)
            for kind in self.kinds:
                self._make(kind, clock)
            if self.options.bridge:
                self._join()
            for kind in self.kinds:
                service = self.services[kind.name]
                for purpose, node in zip(self.ports_of(kind), service.nodes, strict=True):
                    listening = self._sockets.pop(purpose)
                    self._servers.append(
                        await loop.create_server(
                            lambda service=service, node=node: service.accept(node),  # type: ignore[misc]
                            sock=listening,
                            backlog=ports.BACKLOG,
                        )
                    )
        except BaseException:
            await self.stop()
            raise
        self._tick = loop.call_later(TICK_S, self._on_tick)

    async def failed(self) -> None:
        """Wait until the server cannot go on, which most never see.

        Raises:
            EmbeddedError: why.
        """
        assert self._failure is not None
        await asyncio.shield(self._failure)

    async def stop(self) -> None:
        """Tell clients, send what is left, bring everything to the disk. Idempotent."""
        for server in self._servers:
            server.close()
        self._servers.clear()
        if self._tick is not None:
            self._tick.cancel()
            self._tick = None
        for service in self.services.values():
            for node in service.nodes:
                service.act(node.restart)
            for client in list(service.clients.values()):
                client.finish()
        await self._farewell()
        for service in self.services.values():
            for client in list(service.clients.values()):
                client.transport.abort()
        await asyncio.sleep(0)  # Aborted connections are told in the next turn.
        for service in self.services.values():
            try:
                service.close()
            except EmbeddedError as error:
                self.log("", str(error))
        self.services.clear()
        self._let_go()

    async def _farewell(self) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + FAREWELL_S
        hung_up_by: float | None = None
        while loop.time() < deadline:
            clients = [each for s in self.services.values() for each in s.clients.values()]
            if not clients:
                return
            if hung_up_by is None and not any(client.unsent_bytes for client in clients):
                hung_up_by = loop.time() + HANG_UP_S
            if hung_up_by is not None and loop.time() > hung_up_by:
                return
            await asyncio.sleep(0.01)

    def _make(self, kind: Kind, clock: Clock) -> None:
        trace = self._trace
        keeper = self._keepers.get(kind.name)
        services = self.services

        def cause() -> int:
            service = services.get(kind.name)
            return service.cause if service is not None else 0

        made = kind.make(
            Making(
                random=random_stream(self.options.seed, f"broker {kind.name}"),
                observe=trace.observer(kind.name, cause) if trace is not None else None,
                now_ns=clock.now_ns(),
                host=self.options.reachable_host,
                ports=self.ports,
                users=self._users,
                keeps=keeper is not None,
                redis=self.options.redis,
            )
        )
        if keeper is not None and not _can_be_kept(made.broker):
            self.forgetful.append(kind.name)
            self._keepers.pop(kind.name)
            keeper = None
        if keeper is not None:
            keeper.begin(made.broker, clock.now_ns)
            made.check()
        self.brokers[kind.name] = made.broker
        services[kind.name] = Service(
            kind.name,
            [made.nodes[purpose] for purpose in self.ports_of(kind)],
            house=self,
            clock=clock,
            limits=kind.limits,
            keeper=keeper,
            trace=trace,
        )
        services[kind.name].settle()

    def _join(self) -> None:
        """Let MQTT and AMQP share their topics; from now on the two settle together."""
        from sandbox.brokers.mqtt.bridge import Bridge

        Bridge(self.brokers["rabbitmq"], self.brokers["mqtt"])
        joined = [self.services["rabbitmq"], self.services["mqtt"]]
        for service in joined:
            service.together = joined

    def _wanted_ports(self) -> dict[str, int]:
        options = self.options
        wanted = {
            purpose: options.ports[purpose]
            if purpose in options.ports
            else port + options.port_offset
            for kind in self.kinds
            for purpose, port in self.ports_of(kind).items()
        }
        for purpose, port in wanted.items():
            if not 0 <= port <= 65535:
                raise EmbeddedError(
                    f"Port {port} for {purpose} is none: ports go to 65535. "
                    "Choose another --port-offset."
                )
        return wanted

    def _let_go(self) -> None:
        """Close whatever of ports and files is still ours."""
        for each in self._sockets.values():
            each.close()
        self._sockets.clear()
        for keeper in self._keepers.values():
            keeper.close()
        self._keepers.clear()
        if self._trace is not None:
            self._trace.close()
            self._trace = None
        if self._folder is not None:
            self._folder.close()
            self._folder = None

    # -- what services ask of the server they are in ---------------------------------------------

    @property
    def connections(self) -> int:
        """How many clients there are."""
        return sum(len(service.clients) for service in self.services.values())

    def admits(self) -> bool:
        """Whether there is room for one more client."""
        if self.connections < self._most_connections:
            return True
        if not self._turned_away:
            self.log(
                "", f"no more than {self._most_connections} clients at once: one is turned away"
            )
        self._turned_away += 1
        return False

    def fail(self, error: Exception) -> None:
        """End the server."""
        if self._failure is not None and not self._failure.done():
            self._failure.set_exception(error)

    def act(self, name: str, action: Callable[[Any, int], Any]) -> Any:
        """Do something to a broker as its administrator: `action(broker, now_ns)`."""
        service = self.services[name]
        return service.act(lambda now_ns: action(self.brokers[name], now_ns))

    def _on_tick(self) -> None:
        self._tick = asyncio.get_running_loop().call_later(TICK_S, self._on_tick)
        if self._trace is not None:
            self._trace.flush()
        if self._turned_away > 1:
            self.log("", f"{self._turned_away} clients were turned away: there are too many")
        self._turned_away = 0
        slow = [client for service in self.services.values() for client in service.congested]
        if not slow:
            return
        slow.sort(key=lambda client: client.unsent_bytes)
        unsent = sum(client.unsent_bytes for client in slow)
        while unsent > MOST_UNSENT_BYTES and slow:
            worst = slow.pop()
            unsent -= worst.unsent_bytes
            worst.cut_off()


def _can_be_kept(broker: Any) -> bool:
    """Whether a broker is `sandbox.brokers.base.Durable`."""
    return hasattr(broker, "keep") and callable(getattr(broker, "restore", None))


def addresses(options: Options, taken: Mapping[str, int]) -> dict[str, str]:
    """By purpose, what to paste into a program."""
    host = options.reachable_host
    host = f"[{host}]" if ":" in host else host
    forms = {
        "rabbitmq": "amqp://guest:guest@{}:{}/" if options.users is None else "amqp://{}:{}/",
        "management": "http://{}:{}/api/",
        "redis": "redis://{}:{}/0",
        "mqtt": "mqtt://{}:{}",
    }
    return {
        purpose: forms.get(purpose, "{}:{}").format(host, port) for purpose, port in taken.items()
    }
