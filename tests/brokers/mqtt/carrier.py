"""Carries bytes between real TCP clients and a broker, for the length of a test.

Real time, one thread of its own, no more than a test needs; the product's own server is elsewhere.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any, TypeVar

from sandbox.brokers.mqtt import Broker

#: No answer takes as long as this; a test that comes here has failed.
PATIENCE_S = 60.0
T = TypeVar("T")


class Carrier:
    """A broker on a port of 127.0.0.1."""

    def __init__(self, **options: Any) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.broker = Broker(
            random=Random(1), observe=lambda k, f: self.events.append((k, dict(f))), **options
        )
        self.port = 0
        self._transports: dict[int, asyncio.Transport] = {}
        self._loop = asyncio.new_event_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._changed = threading.Condition()

    def now_ns(self) -> int:
        return time.monotonic_ns()

    def carry(self) -> None:
        """Send what the broker has to say, and see to its next timer."""
        for side in self.broker.take_writable():
            transport = self._transports.get(id(side))
            data = side.data_to_send()
            if transport is not None:
                transport.write(data)
                if side.closing:
                    transport.close()
        if self._timer is not None:
            self._timer.cancel()
        due_ns = self.broker.next_timer()
        if due_ns is not None:
            delay_s = max(0.0, (due_ns - self.now_ns()) / 1e9)
            self._timer = self._loop.call_later(delay_s, self._on_timer)
        with self._changed:
            self._changed.notify_all()

    def _on_timer(self) -> None:
        self._timer = None
        self.broker.handle_timer(self.now_ns())
        self.carry()

    def do(self, act: Callable[[Broker], T]) -> T:
        """Do something with the broker, in its thread."""

        async def run() -> T:
            result = act(self.broker)
            self.carry()
            return result

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(PATIENCE_S)

    def wait_until(self, condition: Callable[[Broker], Any]) -> None:
        """Wait until something is true of the broker."""
        with self._changed:
            assert self._changed.wait_for(lambda: condition(self.broker), PATIENCE_S)

    async def _serve(self, started: threading.Event) -> None:
        carrier = self

        class Protocol(asyncio.Protocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                assert isinstance(transport, asyncio.Transport)
                host, port = transport.get_extra_info("peername")[:2]
                peer = f"{host}:{port}"
                self.side = carrier.broker.connect(peer, carrier.now_ns())
                carrier._transports[id(self.side)] = transport
                carrier.carry()

            def data_received(self, data: bytes) -> None:
                self.side.receive_data(data, carrier.now_ns())
                carrier.carry()

            def connection_lost(self, exc: Exception | None) -> None:
                self.side.connection_lost(carrier.now_ns())
                del carrier._transports[id(self.side)]
                carrier.carry()

        server = await self._loop.create_server(Protocol, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        started.set()

    def _run(self, started: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.create_task(self._serve(started))
        self._loop.run_forever()
        for transport in list(self._transports.values()):
            transport.abort()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()


@contextmanager
def carrying(**options: Any) -> Iterator[Carrier]:
    """A broker on a port, for as long as the block runs."""
    carrier = Carrier(**options)
    started = threading.Event()
    thread = threading.Thread(target=carrier._run, args=(started,), daemon=True)
    thread.start()
    assert started.wait(PATIENCE_S)
    try:
        yield carrier
    finally:
        carrier._loop.call_soon_threadsafe(carrier._loop.stop)
        thread.join(PATIENCE_S)
