"""A broker behind a real port, for tests with clients that nobody can hand a broker object to.

One thread, one asyncio loop, the broker's own wall clock: the least a carrier has to do.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

from sandbox.brokers.redis import Broker

START_TIMEOUT_S = 30.0


class Carrier:
    """Carries bytes between sockets and a broker."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.loop = asyncio.new_event_loop()
        self.port = 0
        self._transports: dict[Any, asyncio.Transport] = {}
        self._timer: asyncio.TimerHandle | None = None

    def now(self) -> int:
        return time.time_ns()

    def carry(self) -> None:
        """Send what the broker has to say, and see to its next timer."""
        for side in self.broker.take_writable():
            transport = self._transports.get(side)
            if transport is None:
                continue
            data = side.data_to_send()
            if data:
                transport.write(data)
            if side.closing:
                transport.close()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due_ns = self.broker.next_timer()
        if due_ns is not None:
            self._timer = self.loop.call_later(max(0.0, (due_ns - self.now()) / 1e9), self._due)

    def _due(self) -> None:
        self._timer = None
        self.broker.handle_timer(self.now())
        self.carry()

    async def listen(self) -> None:
        server = await self.loop.create_server(lambda: _Client(self), "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]


class _Client(asyncio.Protocol):
    def __init__(self, carrier: Carrier) -> None:
        self.carrier = carrier

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        host, port = transport.get_extra_info("peername")[:2]
        self.side = self.carrier.broker.connect(f"{host}:{port}", self.carrier.now())
        self.carrier._transports[self.side] = transport

    def data_received(self, data: bytes) -> None:
        self.side.receive_data(data, self.carrier.now())
        self.carrier.carry()

    def connection_lost(self, error: Exception | None) -> None:
        self.carrier._transports.pop(self.side, None)
        self.side.connection_lost(self.carrier.now())
        self.carrier.carry()


@contextmanager
def listening(**options: Any) -> Iterator[Carrier]:
    """A broker on a free port of this machine."""
    carrier = Carrier(Broker(random=Random(1), epoch_ns=0, now_ns=time.time_ns(), **options))
    ready = threading.Event()

    def serve() -> None:
        asyncio.set_event_loop(carrier.loop)
        carrier.loop.run_until_complete(carrier.listen())
        ready.set()
        carrier.loop.run_forever()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    assert ready.wait(START_TIMEOUT_S)
    try:
        yield carrier
    finally:
        carrier.loop.call_soon_threadsafe(carrier.loop.stop)
        thread.join(START_TIMEOUT_S)
