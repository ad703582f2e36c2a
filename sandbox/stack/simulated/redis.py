"""The checks' administrator of the simulated Redis: acts on the broker, reads the trace.

See `sandbox.stack.base.RedisObserver` for what each method promises.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.brokers.redis import Broker
from sandbox.sim.services import Service
from sandbox.sim.trace import Trace
from sandbox.stack.simulated.events import events_of
from sandbox.stack.simulated.late import broker_of


class SimulatedRedis:
    """See the module."""

    def __init__(self, service: Service, trace: Trace) -> None:
        self._service = service
        self._trace = trace
        broker = broker_of(service)
        assert isinstance(broker, Broker)
        self._broker: Broker = broker

    def execute(self, *words: str | bytes | int | float, database: int = 0) -> Any:
        return self._service.act(
            lambda now_ns: self._broker.execute(*words, now_ns=now_ns, database=database)
        )

    def clients(self) -> list[str]:
        return [connection.peer.rpartition(":")[0] for connection in self._broker.connections]

    def restart(self, *, crash: bool = False) -> None:
        self._service.restart(crash=crash)

    def kill(self) -> None:
        self._service.stop(crash=True)

    def start(self) -> None:
        self._service.start()

    def events(self, kind: str) -> list[Mapping[str, Any]]:
        return events_of(self._trace, kind, {self._service.name})
