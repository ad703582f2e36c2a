"""The virtual network: hosts, ports, and who listens there.

Every host has a name and an address; all of them see one another. A process runs on a host, by
default `localhost`, the machine of whoever sits at the keyboard. A broker runs on a host of its own
(`rabbitmq`) and its ports are published on everybody's `localhost` too, as a container's would be.
"""

from __future__ import annotations

import errno
from typing import Protocol

from sandbox.sim.clock import Clock
from sandbox.sim.links import Links
from sandbox.sim.streams import End

LOOPBACK = "127.0.0.1"
ANY = "0.0.0.0"
FIRST_EPHEMERAL_PORT = 49152


class Listener(Protocol):
    """Something that takes connections at a port."""

    @property
    def names(self) -> tuple[str, str]:
        """Its process and host, for links."""
        ...

    def offer(self, client: End, peer: str, address: tuple[str, int]) -> End | None:
        """Take a connection from `client`, or None to refuse it."""
        ...


class Network:
    """Hosts, listeners, links, and the numbering of connections and ports."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.links = Links()
        #: Parcels on their way; a world with none in flight may be idle.
        self.in_flight = 0
        #: Ends that hold parcels back because their link is severed. Ordered.
        self.severed_ends: dict[End, None] = {}
        self._addresses: dict[str, str] = {"localhost": LOOPBACK}
        self._hosts: dict[str, str] = {}
        self._listeners: dict[tuple[str, int], Listener] = {}
        self._published: dict[int, str] = {}
        self._connections = 0
        self._port = FIRST_EPHEMERAL_PORT - 1

    # names

    def add_host(self, name: str) -> str:
        """Make sure a host of this name exists; return its address."""
        if name not in self._addresses:
            address = f"10.0.0.{len(self._addresses) + 1}"
            self._addresses[name] = address
            self._hosts[address] = name
        return self._addresses[name]

    def resolve(self, name: str) -> str:
        """The address of a host name or address. Raises: ENOENT."""
        if name in self._addresses:
            return self._addresses[name]
        if name in ("", "::", ANY):
            return ANY
        if name == "::1":
            return LOOPBACK
        parts = name.split(".")
        if len(parts) == 4 and all(part.isdigit() and int(part) < 256 for part in parts):
            return name
        raise OSError(errno.ENOENT, f"no host is called {name!r} in this world")

    def hosts(self) -> list[str]:
        """The names that resolve, in the order they were added."""
        return list(self._addresses)

    # ports

    def free_port(self) -> int:
        """A port that nobody has used."""
        self._port += 1
        return self._port

    def next_connection(self) -> int:
        """A number for a new connection."""
        self._connections += 1
        return self._connections

    def publish(self, host: str, port: int) -> None:
        """Make a host's port answer on every host's `localhost` too."""
        self._published[port] = host

    def is_taken(self, host: str, port: int) -> bool:
        """Whether a program on `host` could not listen on `port`."""
        return (host, port) in self._listeners or (
            host != self._published.get(port, host) and port in self._published
        )

    def listen(self, host: str, port: int, listener: Listener) -> None:
        """Register a listener. Raises: EADDRINUSE."""
        if (host, port) in self._listeners:
            raise OSError(errno.EADDRINUSE, "Address already in use")
        self._listeners[host, port] = listener

    def stop_listening(self, host: str, port: int) -> None:
        """Refuse connections from now on. Idempotent."""
        self._listeners.pop((host, port), None)

    def find(self, from_host: str, address: str, port: int) -> Listener | None:
        """Who listens where a program on `from_host` would connect to."""
        if address in (LOOPBACK, ANY) or address.startswith("127."):
            local = self._listeners.get((from_host, port))
            if local is None and port in self._published:
                local = self._listeners.get((self._published[port], port))
            return local
        host = self._hosts.get(address)
        return None if host is None else self._listeners.get((host, port))

    def host_at(self, from_host: str, address: str, port: int) -> str | None:
        """The host a connection would reach, listening or not."""
        if address in (LOOPBACK, ANY) or address.startswith("127."):
            if (from_host, port) in self._listeners:
                return from_host
            return self._published.get(port, from_host)
        return self._hosts.get(address)

    # faults

    def after_change(self) -> None:
        """Let held parcels go on wherever their link has healed."""
        for end in list(self.severed_ends):
            if not end.link().severed:
                del self.severed_ends[end]
                end.release()
