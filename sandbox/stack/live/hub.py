"""The one thread that sees everything: frames, records, sleeps, in the order they happened.

It listens on 127.0.0.1 for the control connections of a run's processes, and for each process on a
port of its own for its connections to each broker (a `Route`). Before it takes note of a control
message it takes everything the process sent to brokers earlier, so the order is the process's own.

All state of the run is changed here, under `changed`, and read under it from the checks' thread.
"""

from __future__ import annotations

import json
import selectors
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from sandbox.stack.live import control
from sandbox.stack.live.flow import Flow
from sandbox.stack.live.process import LiveProcess
from sandbox.stack.live.proxy import Carried, Side

_LONGEST_LINE = 64 << 20
#: Nobody can notice these, so dying there is like dying at the next thing that can be noticed.
_NO_MOMENTS = ("wait", "woken", "lapsed")


@dataclass(frozen=True)
class Route:
    """A broker's address, and where programs believe it is.

    `seen_at` are ports on this machine; `carry` makes the connection that carries the bytes of a
    client's socket to the broker's, for a process.
    """

    address: tuple[str, int]
    seen_at: tuple[int, ...]
    carry: Callable[[socket.socket, socket.socket, LiveProcess], Carried]


class Hub:
    """Carries and observes one run's traffic, from `start` to `close`."""

    def __init__(self) -> None:
        #: To be filled before the first process is admitted.
        self.routes: list[Route] = []
        self.changed = threading.Condition(threading.RLock())
        self.flow = Flow(self.changed)
        self.recorded: list[tuple[str, Any]] = []
        self._processes: dict[str, LiveProcess] = {}
        self._selector = selectors.DefaultSelector()
        self._control = _listen()
        self._open: list[socket.socket] = [self._control]
        self._waker, self._wakes = socket.socketpair()
        self._wakes.setblocking(False)
        self._closing = False
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="live-hub", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._selector.register(self._wakes, selectors.EVENT_READ, self._woken)
        self._selector.register(self._control, selectors.EVENT_READ, self._greet)
        self._thread.start()

    def admit(self, process: LiveProcess) -> str:
        """Make ready for a process; return the link it is started with, as JSON."""
        redirects = []
        for route in self.routes:
            listener = _listen()
            with self.changed:
                self._open.append(listener)
            # The selector is safe to change while the hub waits in it: it is woken and looks again.
            self._selector.register(
                listener, selectors.EVENT_READ, partial(self._accept, listener, route, process)
            )
            port = listener.getsockname()[1]
            redirects += [[seen, port] for seen in route.seen_at]
        with self.changed:
            self._processes[process.token] = process
        self._wake()
        control_port = self._control.getsockname()[1]
        return json.dumps({"port": control_port, "token": process.token, "redirects": redirects})

    def close(self) -> None:
        """Stop listening and drop every connection. Idempotent."""
        if self._closing:
            return
        self._closing = True
        self._wake()
        if self._thread.is_alive():
            self._thread.join(5.0)
        with self.changed:
            for process in self._processes.values():
                for connection in process.connections:
                    connection.close()
            for each in self._open:
                each.close()
            self.changed.notify_all()
        self._selector.close()
        self._waker.close()
        self._wakes.close()

    def _wake(self) -> None:
        with suppress(OSError):
            self._waker.send(b"!")

    def _woken(self) -> None:
        with suppress(BlockingIOError):
            self._wakes.recv(4096)

    def check(self) -> None:
        """Raise what stopped the hub, if anything did: nobody may wait for a dead thread."""
        if self._failure is not None:
            raise RuntimeError("The live stack's hub has stopped.") from self._failure

    def _run(self) -> None:
        try:
            while not self._closing:
                self._turn()
        except BaseException as error:
            self._failure = error
            raise

    def _turn(self) -> None:
        """Wait for events and handle them."""
        ready = self._selector.select()
        with self.changed:
            for key, _ in ready:
                # An earlier event of this turn may have closed this one's socket.
                if self._selector.get_map().get(key.fd) is key:
                    handle: Callable[[], None] = key.data
                    handle()
                    self._tidy()
            self.changed.notify_all()

    def _tidy(self) -> None:
        """Drop the connections of processes killed at a crash point; watch for what matters now.

        Closed ones come first: the system gives their descriptors to the next connection.
        """
        connections = [c for process in self._processes.values() for c in process.connections]
        for process in self._processes.values():
            if process.crashed:
                for connection in process.connections:
                    connection.close()
        for connection in sorted(connections, key=lambda c: not c.closed):
            self._watch(connection)

    def _watch(self, connection: Carried) -> None:
        for side in (connection.client, connection.broker):
            reading, writing = (False, False) if connection.closed else connection.wants(side)
            events = selectors.EVENT_READ * reading | selectors.EVENT_WRITE * writing
            registered = side.watched
            if events == registered:
                continue
            if not registered:
                self._selector.register(side.socket, events, partial(self._move, connection, side))
            elif events:
                data = partial(self._move, connection, side)
                self._selector.modify(side.socket, events, data)
            else:
                self._selector.unregister(side.descriptor)
            side.watched = events

    def _move(self, connection: Carried, side: Side) -> None:
        connection.pump(side)

    def _accept(self, listener: socket.socket, route: Route, process: LiveProcess) -> None:
        client, _ = listener.accept()
        try:
            broker = socket.create_connection(route.address, 5.0)
        except OSError:
            client.close()  # to the exercise: a broker that hangs up, as one that is down would
            return
        process.connections.append(route.carry(client, broker, process))
        process.effect()

    def _greet(self) -> None:
        connection, _ = self._control.accept()
        connection.setblocking(False)
        self._open.append(connection)
        listener = _ControlConnection(connection)
        self._selector.register(
            connection, selectors.EVENT_READ, partial(self._listen_to, listener)
        )

    def _listen_to(self, listener: _ControlConnection) -> None:
        try:
            lines = listener.read()
            for line in lines:
                self._hear(listener, control.decode(line))
        except (OSError, ValueError, KeyError):
            lines = None
        if lines is None:
            with suppress(KeyError, ValueError):
                self._selector.unregister(listener.socket)
            listener.socket.close()

    def _hear(self, listener: _ControlConnection, message: dict[str, Any]) -> None:
        if listener.process is None:
            # Anything on this machine can connect; only our own processes know a token.
            listener.process = self._processes[message["token"]]
        process = listener.process
        for connection in process.connections:
            connection.drain_client()
        kind = message["kind"]
        moment = f"record {message['name']}" if kind == "record" else kind
        if kind not in _NO_MOMENTS and not process.moment(moment):
            return
        due_s = process.due_s(message)
        if kind == "record":
            self.recorded.append((message["name"], message["value"]))
            process.effect()
        else:
            process.hear(message)
        self.flow.pass_on(due_s, listener.answer)


class _ControlConnection:
    """A process's control connection: whole lines in, a short answer to each."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.process: LiveProcess | None = None
        self._buffer = b""

    def read(self) -> list[bytes]:
        """Return the whole lines that have arrived.

        Raises:
            OSError: the process has hung up, or talks nonsense without end.
        """
        data = self.socket.recv(65536)
        if not data or len(self._buffer) > _LONGEST_LINE:
            raise OSError("the control connection has ended")
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        return lines

    def answer(self) -> None:
        """Let the process go on."""
        with suppress(OSError):
            self.socket.send(control.encode("go"))


def _listen() -> socket.socket:
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    listener.settimeout(5.0)  # a client that vanished between select and accept must not stop us
    return listener
