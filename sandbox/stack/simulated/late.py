"""A broker that is made when somebody first connects to it.

`sandbox run` offers every broker, and importing the code of one takes longer than a small program
runs. Until somebody connects there is nothing to import.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from sandbox.sim import standins
from sandbox.sim.standins import context

if TYPE_CHECKING:
    from sandbox.brokers.base import Broker, Connection
    from sandbox.sim.services import Service


class LateBroker:
    """A `sandbox.brokers.base.Broker` that passes everything on to one made by `make`."""

    def __init__(self, make: Callable[[], Broker]) -> None:
        self._make = make
        self._made: Broker | None = None

    @property
    def made(self) -> Broker:
        """The broker itself; makes it."""
        if self._made is None:
            # A program that connects is being run: what is imported now is not its own, whatever
            # the files of its folder are called, and takes none of its time or chance.
            process = context.current()
            with standins.importing():
                if process is None:
                    self._made = self._make()
                else:
                    with process.aside():
                        self._made = self._make()
        return self._made

    @property
    def activity(self) -> int:
        return 0 if self._made is None else self._made.activity

    def connect(self, peer: str, now_ns: int) -> Connection:
        return self.made.connect(peer, now_ns)

    def take_writable(self) -> Sequence[Connection]:
        return [] if self._made is None else self._made.take_writable()

    def next_timer(self) -> int | None:
        return None if self._made is None else self._made.next_timer()

    def next_event_timer(self) -> int | None:
        return None if self._made is None else self._made.next_event_timer()

    def handle_timer(self, now_ns: int) -> None:
        if self._made is not None:
            self._made.handle_timer(now_ns)

    def restart(self, now_ns: int) -> None:
        if self._made is not None:
            self._made.restart(now_ns)

    def stop(self, now_ns: int) -> None:
        if self._made is not None:
            getattr(self._made, "stop", self._made.restart)(now_ns)

    def start(self, now_ns: int) -> None:
        start = getattr(self._made, "start", None)
        if start is not None:
            start(now_ns)

    def __getattr__(self, name: str) -> Any:
        """What only some brokers have (`crash`, say): those that are made, if they have it."""
        if name.startswith("_") or self._made is None:
            raise AttributeError(name)
        return getattr(self._made, name)


def broker_of(service: Service) -> Broker:
    """A service's broker itself."""
    broker = service.broker
    return broker.made if isinstance(broker, LateBroker) else broker
