"""A throwaway carrier: brokers of one cluster on real ports of this machine, for real clients."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

from sandbox.brokers.kafka import Broker, Cluster


class Carrier:
    """One event loop in a thread; everything that touches the brokers happens there."""

    def __init__(self, nodes: int, **options: Any) -> None:
        self.cluster = Cluster(random=Random(1), wall_epoch_ns=time.time_ns(), **options)
        self.began = time.monotonic_ns()
        self.servers: dict[int, asyncio.Server] = {}
        self.sides: dict[int, Side] = {}
        self.timer: asyncio.TimerHandle | None = None
        self.count = nodes
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)

    @property
    def now_ns(self) -> int:
        return time.monotonic_ns() - self.began

    @property
    def addresses(self) -> list[str]:
        return [f"127.0.0.1:{node.port}" for node in self.cluster.nodes]

    async def open(self) -> None:
        for number in range(1, self.count + 1):
            broker = Broker(cluster=self.cluster, node_id=number, host="127.0.0.1")
            await self.listen(broker, 0)

    async def listen(self, broker: Broker, port: int) -> None:
        server = await self.loop.create_server(lambda: Side(self, broker), "127.0.0.1", port)
        broker.port = server.sockets[0].getsockname()[1]
        self.servers[broker.node_id] = server

    def settle(self) -> None:
        for broker in self.cluster.nodes:
            for connection in broker.take_writable():
                side = self.sides.get(id(connection))
                if side is not None:
                    side.flush()
        due = [each for each in (node.next_timer() for node in self.cluster.nodes) if each]
        if self.timer is not None:
            self.timer.cancel()
        self.timer = None
        if due:
            wait_s = max(0.0, (min(due) - self.now_ns) / 1e9)
            self.timer = self.loop.call_later(wait_s, self.handle_timers)

    def handle_timers(self) -> None:
        for node in self.cluster.nodes:
            node.handle_timer(self.now_ns)
        self.settle()

    def do(self, action: Callable[[], Any]) -> Any:
        """Call something in the brokers' thread, and settle."""

        async def act() -> Any:
            try:
                done = action()
                return await done if asyncio.iscoroutine(done) else done
            finally:
                self.settle()

        return asyncio.run_coroutine_threadsafe(act(), self.loop).result()

    def crash(self, number: int) -> None:
        """Kill a broker: its port is closed, too."""

        def act() -> None:
            self.servers.pop(number).close()
            self.cluster.brokers[number].crash(self.now_ns)

        self.do(act)

    def start(self, number: int) -> None:
        broker = self.cluster.brokers[number]

        async def act() -> None:
            await self.listen(broker, broker.port)
            broker.start(self.now_ns)

        self.do(act)

    def close(self) -> None:
        def act() -> None:
            for server in self.servers.values():
                server.close()
            for side in list(self.sides.values()):
                side.transport.abort()

        self.do(act)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


class Side(asyncio.Protocol):
    """The broker's side of one connection."""

    transport: asyncio.Transport

    def __init__(self, carrier: Carrier, broker: Broker) -> None:
        self.carrier = carrier
        self.broker = broker

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        host, port = transport.get_extra_info("peername")[:2]
        self.connection = self.broker.connect(f"{host}:{port}", self.carrier.now_ns)
        self.carrier.sides[id(self.connection)] = self

    def data_received(self, data: bytes) -> None:
        self.connection.receive_data(data, self.carrier.now_ns)
        self.carrier.settle()

    def connection_lost(self, exc: Exception | None) -> None:
        self.carrier.sides.pop(id(self.connection), None)
        self.connection.connection_lost(self.carrier.now_ns)
        self.carrier.settle()

    def flush(self) -> None:
        self.transport.write(self.connection.data_to_send())
        if self.connection.closing:
            self.transport.close()


@contextmanager
def carried(nodes: int = 1, **options: Any) -> Iterator[Carrier]:
    """Brokers on free ports."""
    carrier = Carrier(nodes, **options)
    carrier.thread.start()
    try:
        carrier.do(carrier.open)
        yield carrier
    finally:
        carrier.close()
