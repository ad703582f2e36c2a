"""An embedded server in a thread of its own: for tests, notebooks and checks.

    with Server(only=("rabbitmq",)) as server:
        connection = pika.BlockingConnection(pika.URLParameters(server.url("rabbitmq")))

Its ports are any that are free, unless they are given. What a program of the same process does at
length keeps it waiting, as the two share an interpreter.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeVar

from sandbox.embedded.engine import Engine, Log, addresses
from sandbox.embedded.errors import EmbeddedError
from sandbox.embedded.makers import KINDS, ports_of
from sandbox.embedded.options import Options

T = TypeVar("T")


class Server:
    """A server from `start` to `stop`, or inside `with`. Takes the fields of `Options`."""

    def __init__(self, *, log: Log | None = None, **options: Any) -> None:
        brokers = options.get("kafka_brokers", 1)
        free = {purpose: 0 for kind in KINDS.values() for purpose in ports_of(kind, brokers)}
        self.options = Options(**{"ports": free} | options)
        self._log_lines: list[str] = []
        self._log = log or (lambda service, text: self._log_lines.append(f"{service} {text}"))
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._engine: Engine | None = None
        self._failure: BaseException | None = None
        self._stopping: asyncio.Event | None = None

    @property
    def engine(self) -> Engine:
        """The server's inside; touch it in `run` only."""
        assert self._engine is not None, "the server was not started"
        return self._engine

    @property
    def log_lines(self) -> list[str]:
        """What happened, without the times."""
        return list(self._log_lines)

    def port(self, purpose: str) -> int:
        """The port for that: "rabbitmq", "management", "kafka", "redis", "mqtt"."""
        return self.engine.ports[purpose]

    def url(self, purpose: str) -> str:
        """The address for that, as clients take it."""
        return addresses(self.options, self.engine.ports)[purpose]

    def start(self) -> Server:
        """Start, and wait until clients are served.

        Raises:
            EmbeddedError: it cannot; says why.
        """
        self._engine = Engine(self.options, self._log)
        self._engine.open()
        ready = threading.Event()
        self._thread = threading.Thread(
            target=self._serve, args=(ready,), name="sandbox-embedded", daemon=True
        )
        self._thread.start()
        ready.wait()
        if self._failure is not None:
            self._thread.join()
            raise self._failure
        return self

    def stop(self) -> None:
        """Stop in good order. Idempotent.

        Raises:
            EmbeddedError: it had ended before, and not in good order; says why.
        """
        thread, self._thread = self._thread, None
        if thread is None:
            return
        assert self._loop is not None
        assert self._stopping is not None
        try:
            self._loop.call_soon_threadsafe(self._stopping.set)
        except RuntimeError:
            pass  # It has ended by itself.
        thread.join()
        if self._failure is not None:
            raise self._failure

    def run(self, action: Callable[[Engine], T]) -> T:
        """Do something in the server's thread and return what it returns."""
        assert self._loop is not None

        async def act() -> T:
            return action(self.engine)

        return asyncio.run_coroutine_threadsafe(act(), self._loop).result()

    def act(self, name: str, action: Callable[[Any, int], T]) -> T:
        """Do something to a broker as its administrator: `action(broker, now_ns)`."""
        result: T = self.run(lambda engine: engine.act(name, action))
        return result

    def __enter__(self) -> Server:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _serve(self, ready: threading.Event) -> None:
        try:
            asyncio.run(self._live(ready))
        except BaseException as error:
            self._failure = error
        finally:
            ready.set()

    async def _live(self, ready: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        await self.engine.start()
        ready.set()
        stopping = asyncio.ensure_future(self._stopping.wait())
        failing = asyncio.ensure_future(self.engine.failed())
        try:
            await asyncio.wait({stopping, failing}, return_when=asyncio.FIRST_COMPLETED)
            if failing.done():
                failing.result()
        finally:
            for task in (stopping, failing):
                task.cancel()
            try:
                await self.engine.stop()
            except EmbeddedError as error:
                self._log("", str(error))
