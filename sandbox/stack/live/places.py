"""The Kafka, Redis and MQTT server of one run: our own, or one that somebody else runs.

Exercises use plain names (topic "orders", key "jobs"), so a run must have a server to itself:

- Redis and Mosquitto start in a fraction of a second: every run has its own, and throws it away.
- Kafka starts in seconds: one of our own serves all runs of a program, one after another, and each
  run removes its topics and groups.
- Where an environment variable names a server (REDIS_URL, KAFKA_BOOTSTRAP_SERVERS, MQTT_URL), that
  one is used; where ours cannot be started, the one at the usual port. It must be empty when a run
  begins, so that the run may empty it at its end. It cannot be killed or restarted by a check.

Programs keep saying localhost:6379; the run's hub leads them to the place (`seen_at`).
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable
from typing import Protocol
from urllib.parse import urlsplit

from sandbox.native.errors import ServerUnavailable
from sandbox.native.kafka import Kafka
from sandbox.native.mosquitto import Mosquitto
from sandbox.native.ports import answers
from sandbox.native.redis import Redis
from sandbox.native.server import Server
from sandbox.stack.base import StackUnavailable

#: What a lab's `needs` calls a broker: the variable that names a server, and the usual port.
VARIABLES = {
    "kafka": ("KAFKA_BOOTSTRAP_SERVERS", 9092),
    "redis": ("REDIS_URL", 6379),
    "mqtt": ("MQTT_URL", 1883),
}
Address = tuple[str, int]


class Place(Protocol):
    """A server for one run."""

    #: Where its nodes are, the first one first.
    addresses: list[Address]

    @property
    def nodes(self) -> list[int]:
        """The ids of those nodes that run, as far as is known here."""
        ...

    def halt(self, node: int | None = None, *, crash: bool = True) -> None:
        """Stop a node, or all.

        Raises:
            NotImplementedError: the server is not ours.
        """
        ...

    def resume(self, node: int | None = None) -> None:
        """Start it again. Raises as `halt`."""
        ...

    def configure(self, settings: dict[str, str]) -> None:
        """What a stopped server is to be started with."""
        ...

    def close(self) -> None:
        """The run is over. A server that other runs use is as it was before."""
        ...


class Borrowed:
    """A server that somebody else runs."""

    def __init__(self, kind: str, addresses: list[Address]) -> None:
        self.addresses = addresses
        self._kind = kind

    @property
    def nodes(self) -> list[int]:
        """As many as were named."""
        return list(range(1, len(self.addresses) + 1))

    def halt(self, node: int | None = None, *, crash: bool = True) -> None:
        """Raise: it is not ours."""
        raise NotImplementedError(self._refusal())

    def resume(self, node: int | None = None) -> None:
        """Raise: it is not ours."""
        raise NotImplementedError(self._refusal())

    def configure(self, settings: dict[str, str]) -> None:
        """Nothing: it is never started by us."""

    def close(self) -> None:
        """Nothing: it goes on."""

    def _refusal(self) -> str:
        variable, _ = VARIABLES[self._kind]
        return (
            f"The {self._kind} server of this run is not the run's own, so a check cannot stop it. "
            f"Without {variable}, and with the server installed, every run has its own."
        )


class Owned:
    """A server of ours; `keep` is for one that serves other runs after this."""

    def __init__(self, server: Server, *, keep: bool = False) -> None:
        self._server = server
        self._keep = keep
        self._down: set[int] = set()
        self.addresses = [("127.0.0.1", server.ports[name]) for name in server.port_names]

    @property
    def nodes(self) -> list[int]:
        """The ids of the nodes that run."""
        return [node for node in range(1, len(self.addresses) + 1) if node not in self._down]

    def halt(self, node: int | None = None, *, crash: bool = True) -> None:
        """Stop it: a node of Kafka's is always killed."""
        if isinstance(self._server, Kafka):
            for each in self._chosen(node):
                if each not in self._down:
                    self._server.kill(each)
        else:
            self._server.halt(crash=crash)
        self._down.update(self._chosen(node))

    def resume(self, node: int | None = None) -> None:
        """Start what is down."""
        wanted = [each for each in self._chosen(node) if each in self._down]
        if not wanted:
            return
        if isinstance(self._server, Kafka):
            self._server.start_nodes(wanted)
        else:
            self._server.resume()
        self._down.difference_update(wanted)

    def configure(self, settings: dict[str, str]) -> None:
        """Start it with these from now on."""
        if isinstance(self._server, Redis):
            self._server.options |= settings

    def close(self) -> None:
        """Throw it away, or hand it on whole."""
        if self._keep:
            self.resume()
        else:
            self._server.stop()

    def _chosen(self, node: int | None) -> list[int]:
        every = list(range(1, len(self.addresses) + 1))
        if node is None:
            return every
        if node not in every:
            raise ValueError(f"There is no broker {node}; there is {', '.join(map(str, every))}.")
        return [node]


_ours: dict[str, Server] = {}


def open_place(kind: str) -> Place:
    """A server for a run, by what `needs` calls it.

    Raises:
        StackUnavailable: there is none and none can be started; says what to do.
    """
    variable, port = VARIABLES[kind]
    named = os.environ.get(variable)
    if named:
        return Borrowed(kind, _reachable(variable, named, port))
    try:
        return _MAKERS[kind]()
    except ServerUnavailable as reason:
        if answers(port):
            return Borrowed(kind, [("127.0.0.1", port)])
        raise StackUnavailable(
            f"The live stack needs a server for {kind!r}: none answers at localhost:{port}, and "
            f"none can be started. {reason}"
        ) from None


def _redis() -> Place:
    """With the settings that Redis has when nobody sets any."""
    server = Redis(options={"save": "3600 1 300 100 60 10000", "appendonly": "no"})
    server.start()
    return Owned(server)


def _mosquitto() -> Place:
    server = Mosquitto(store=True)
    server.start()
    return Owned(server)


def _kafka() -> Place:
    if "kafka" not in _ours:
        server = Kafka()
        server.start()
        _ours["kafka"] = server
    return Owned(_ours["kafka"], keep=True)


_MAKERS: dict[str, Callable[[], Place]] = {
    "kafka": _kafka,
    "redis": _redis,
    "mqtt": _mosquitto,
}


@atexit.register
def _stop_ours() -> None:
    for server in _ours.values():
        server.stop()


def _reachable(variable: str, text: str, usual: int) -> list[Address]:
    """The addresses in a variable, each of which must answer."""
    addresses = []
    for part in text.split(","):
        parts = urlsplit(part if "//" in part else f"//{part.strip()}")
        try:
            address = (parts.hostname or "localhost", parts.port or usual)
        except ValueError as error:
            raise StackUnavailable(f"{variable} is not an address: {error}.") from None
        if not answers(address[1], address[0]):
            raise StackUnavailable(
                f"Nothing answers at {address[0]}:{address[1]}, which {variable} names. Start it, "
                f"or unset {variable} so that a server of the run's own is started."
            )
        addresses.append(address)
    return addresses
