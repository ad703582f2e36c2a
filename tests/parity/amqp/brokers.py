"""The brokers that scenarios are played on.

`sandbox_stage` puts the sandbox's broker behind a TCP port in a thread of this process, so that the
very same client code drives it; `real_stage` gives a virtual host on a real RabbitMQ.
"""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sandbox.stack.live.management import Management
from sandbox.stack.live.settings import Settings
from sandbox.stack.live.vhost import VirtualHost
from tests.parity.amqp.stage import Stage


@contextmanager
def real_stage(settings: Settings) -> Iterator[Stage]:
    """A virtual host of its own on a real RabbitMQ."""
    vhost = VirtualHost(Management(settings))
    vhost.create()
    stage = Stage(settings.host, settings.port, vhost.name)
    try:
        yield stage
    finally:
        stage.close()
        vhost.delete()


@contextmanager
def sandbox_stage() -> Iterator[Stage]:
    """A broker of our own, behind a port of this machine."""
    carrier = _Carrier()
    carrier.start()
    stage = Stage("127.0.0.1", carrier.port, "/")
    try:
        yield stage
    finally:
        stage.close()
        carrier.stop()


class _Carrier:
    """Carries a sans-IO broker's bytes over TCP and its timers over real time."""

    def __init__(self) -> None:
        from sandbox.brokers.amqp import Broker

        self.broker = Broker(random=random.Random(1))
        self.port = 0
        self._writers: dict[int, asyncio.StreamWriter] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="parity-broker", daemon=True)
        #: What broke the broker, if anything did; a scenario must not pass over it.
        self.failure: BaseException | None = None

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(5)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        if self.failure is not None:
            raise AssertionError("the broker raised out of its own code") from self.failure

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = f"client:{writer.get_extra_info('peername')[1]}"
        connection = self.broker.connect(peer, time.monotonic_ns())
        self._writers[id(connection)] = writer
        try:
            self._drain()
            while data := await reader.read(65536):
                connection.receive_data(data, time.monotonic_ns())
                self._drain()
        except ConnectionResetError:
            pass
        except Exception as error:
            self.failure = error
        finally:
            connection.connection_lost(time.monotonic_ns())
            del self._writers[id(connection)]
            self._drain()
            writer.close()

    def _drain(self) -> None:
        for connection in self.broker.take_writable():
            writer = self._writers.get(id(connection))
            if writer is not None:
                writer.write(connection.data_to_send())
                if connection.closing:
                    writer.close()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self.broker.next_timer()
        if due is not None:
            delay_s = max(0.0, (due - time.monotonic_ns()) / 1e9)
            self._timer = self._loop.call_later(delay_s, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self.broker.handle_timer(time.monotonic_ns())
        self._drain()
