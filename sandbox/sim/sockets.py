"""The system calls of stream sockets.

A mixin of the kernel: descriptors belong to the running fiber's process, waiting is the
scheduler's, bytes travel in `sandbox.sim.streams`.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from sandbox.sim.clock import MICROSECOND, SECOND, Clock
from sandbox.sim.network import ANY, LOOPBACK, Network
from sandbox.sim.processes import Process, Socket
from sandbox.sim.streams import ProcessEnd
from sandbox.sim.syscalls import BROKEN, READABLE, WRITABLE

if TYPE_CHECKING:
    from sandbox.sim.scheduler import Fiber, Scheduler
    from sandbox.sim.trace import Trace

#: What calls cost on the world's clock: those that only look, and those that do something.
LOOK_NS = 1 * MICROSECOND
CALL_NS = 5 * MICROSECOND

#: What a process waits for that has nothing to wait for but time.
SLEEP = "its sleep to end"

#: How long a connection attempt is repeated when nothing answers, as Linux does by default.
CONNECT_PATIENCE_NS = 127 * SECOND


def fail(code: int) -> OSError:
    """The error of a system call."""
    return OSError(code, os.strerror(code))


class Sockets:
    """Socket system calls; see `sandbox.sim.syscalls` for what each promises."""

    clock: Clock
    network: Network
    scheduler: Scheduler
    trace: Trace
    _enter: Callable[[int], Fiber]
    _wait: Callable[[str, int | None], bool]
    _crash_point: Callable[[Process, str], str]
    _note: Callable[..., int]

    def resolve(self, host: str) -> str:
        self._enter(LOOK_NS)
        return self.network.resolve(host)

    def socket(self) -> int:
        process = self._enter(LOOK_NS).process
        return process.open(Socket(process))

    def socketpair(self) -> tuple[int, int]:
        process = self._enter(LOOK_NS).process
        one, other = Socket(process), Socket(process)
        self._join(one, other, self.network.next_connection())
        one.connection = other.connection = ((LOOPBACK, 0), (LOOPBACK, 0))
        return process.open(one), process.open(other)

    def bind(self, fd: int, address: str, port: int) -> None:
        socket = self._socket(fd, LOOK_NS)
        if socket.bound is not None:
            raise fail(errno.EINVAL)
        if port == 0:
            port = self.network.free_port()
        elif self.network.is_taken(socket.owner.host, port):
            raise fail(errno.EADDRINUSE)
        socket.bound = (address, port)

    def listen(self, fd: int, backlog: int) -> None:
        socket = self._socket(fd, LOOK_NS)
        if socket.bound is None:
            socket.bound = (ANY, self.network.free_port())
        if not socket.listening:
            self.network.listen(socket.owner.host, socket.bound[1], socket)
        socket.listening = max(backlog, 1)

    def accept(self, fd: int, timeout_ns: int | None) -> tuple[int, str, int]:
        socket = self._socket(fd, CALL_NS)
        if not socket.listening:
            raise fail(errno.EINVAL)
        self._until(socket, lambda: bool(socket.backlog), timeout_ns, "a client to connect")
        end, address = socket.backlog.popleft()
        accepted = Socket(socket.owner)
        accepted.end = end
        assert socket.bound is not None
        accepted.connection = (_reachable(socket.bound), address)
        end._changed = accepted.changed
        return socket.owner.open(accepted), address[0], address[1]

    def connect(self, fd: int, address: str, port: int, timeout_ns: int | None) -> None:
        socket = self._socket(fd, CALL_NS)
        self._crash_point(socket.owner, "connect")
        if socket.end is not None:
            raise fail(errno.EISCONN)
        if socket.connecting:
            raise fail(errno.EALREADY)
        if socket.error:
            # How an attempt that did not wait ended: asking again is one way to hear of it.
            code, socket.error = socket.error, 0
            raise fail(code)
        self._dial(socket, address, port)
        if timeout_ns == 0:
            raise fail(errno.EINPROGRESS)
        self._until(
            socket,
            lambda: not socket.connecting,
            timeout_ns,
            f"{address}:{port} to answer",
        )
        if socket.error:
            code, socket.error = socket.error, 0
            raise fail(code)

    def send(self, fd: int, data: bytes, timeout_ns: int | None) -> int:
        process = self._enter(CALL_NS).process
        socket = process.sockets.get(fd)
        if socket is None:
            raise fail(errno.EBADF)
        end = socket.end or self._connected(socket)
        internal = socket.internal
        where = "" if internal else self._crash_point(process, "send")
        room = end.room
        if end.sent_end or not room:
            room = self._room_to_send(socket, end, timeout_ns)
        if len(data) > room:
            data = data[:room]
        cause = 0 if internal else self._trace_send(process, end, data, where)
        end.send(data, cause)
        return len(data)

    def receive(self, fd: int, size: int, timeout_ns: int | None, peek: bool) -> bytes:
        socket = self._socket(fd, CALL_NS)
        end = self._connected(socket)
        if not end.waiting_bytes and not end.ended and not end.gone:
            self._until(
                socket, lambda: end.waiting_bytes > 0 or end.ended, timeout_ns, "bytes to arrive"
            )
        if end.waiting_bytes:
            return end.take(size, peek=peek)
        if end.reset and socket.error != errno.EPIPE:
            socket.error = errno.EPIPE
            raise fail(errno.ECONNRESET)
        return b""

    def shutdown(self, fd: int, how: int) -> None:
        socket = self._socket(fd, LOOK_NS)
        end = self._connected(socket)
        if how in (1, 2) and not end.sent_end:
            self._note(socket.owner.name, "net.close", connection=end.connection, how="shutdown")
            end.send_end()
        if how in (0, 2):
            end.ended = True
            socket.changed()

    def close(self, fd: int) -> None:
        process = self._enter(LOOK_NS).process
        socket = process.sockets.pop(fd, None)
        if socket is None:
            raise fail(errno.EBADF)
        self._close(process, socket)

    def socket_error(self, fd: int) -> int:
        socket = self._socket(fd, LOOK_NS)
        code, socket.error = socket.error, 0
        return code

    def address(self, fd: int, peer: bool) -> tuple[str, int]:
        socket = self._socket(fd, LOOK_NS)
        if socket.connection is not None:
            return socket.connection[1 if peer else 0]
        if peer:
            raise fail(errno.ENOTCONN)
        return (ANY, 0) if socket.bound is None else socket.bound

    def poll(
        self, interests: list[tuple[int, int]], timeout_ns: int | None
    ) -> list[tuple[int, int]]:
        fiber = self._enter(CALL_NS)
        process = fiber.process
        self._catch_up()
        ready = self._ready(process, interests)
        if ready:
            return ready
        if timeout_ns == 0:
            self.scheduler.give_way()
            return self._ready(process, interests)
        if process.crash_epoch != self.scheduler.epoch:
            self._crash_point(process, "wait")
            process.crash_epoch = self.scheduler.epoch
        sockets = [process.sockets[fd] for fd, _ in interests if fd in process.sockets]
        deadline_ns = None if timeout_ns is None else self.clock.now_ns + timeout_ns
        outward = any(socket.end is None or not socket.internal for socket in sockets)
        waiting = "something on its connections" if outward else SLEEP
        for socket in sockets:
            socket.waiters.append(fiber)
        try:
            while not ready:
                if not self._wait(waiting, deadline_ns):
                    return self._ready(process, interests)
                ready = self._ready(process, interests)
            return ready
        finally:
            for socket in sockets:
                socket.waiters.remove(fiber)

    # inside

    def _room_to_send(self, socket: Socket, end: ProcessEnd, timeout_ns: int | None) -> int:
        """Wait until an end takes bytes; how many. Raises: EPIPE, ECONNRESET, EAGAIN, ETIMEDOUT."""
        if end.sent_end and not end.reset:
            raise fail(errno.EPIPE)
        if not end.room and not end.reset:
            self._until(socket, lambda: end.room > 0 or end.reset, timeout_ns, "its peer to read")
        if end.reset:
            if socket.error != errno.EPIPE:
                socket.error = errno.EPIPE
                raise fail(errno.ECONNRESET)
            raise fail(errno.EPIPE)
        return end.room

    def _trace_send(self, process: Process, end: ProcessEnd, data: bytes, where: str) -> int:
        """Note bytes that leave a process."""
        if isinstance(end.peer, ProcessEnd):  # else what the broker makes of it decides
            self.scheduler.eventful()
        return self.trace.add(
            self.clock.now_ns,
            process.name,
            "net.send",
            {"connection": end.connection, "data": data, "where": where},
        )

    def _catch_up(self) -> None:
        """Let arrive what is due, the program being about to look."""
        if self.clock.is_due():
            self.scheduler.run_due()

    def _socket(self, fd: int, cost_ns: int) -> Socket:
        process = self._enter(cost_ns).process
        socket = process.sockets.get(fd)
        if socket is None:
            raise fail(errno.EBADF)
        return socket

    def _connected(self, socket: Socket) -> ProcessEnd:
        if socket.end is None:
            if socket.error:
                code, socket.error = socket.error, 0
                raise fail(code)
            raise fail(errno.ENOTCONN)
        return socket.end

    def _until(
        self, socket: Socket, ready: Callable[[], bool], timeout_ns: int | None, waiting: str
    ) -> None:
        """Wait until `ready()`. Raises: EAGAIN with a time-out of 0, else ETIMEDOUT."""
        self._catch_up()
        if ready():
            return
        if timeout_ns == 0:
            self.scheduler.give_way()
            if ready():
                return
            raise fail(errno.EAGAIN)
        fiber = self.scheduler.current
        assert fiber is not None
        deadline_ns = None if timeout_ns is None else self.clock.now_ns + timeout_ns
        socket.waiters.append(fiber)
        try:
            while not ready():
                if not self._wait(waiting, deadline_ns) and not ready():
                    raise fail(errno.ETIMEDOUT)
        finally:
            socket.waiters.remove(fiber)

    def _ready(self, process: Process, interests: list[tuple[int, int]]) -> list[tuple[int, int]]:
        result = []
        for fd, bits in interests:
            socket = process.sockets.get(fd)
            mask = BROKEN if socket is None else _state(socket) & (bits | BROKEN)
            if mask:
                result.append((fd, mask))
        return result

    def _dial(self, socket: Socket, address: str, port: int) -> None:
        """Send the first packet of a connection; the answer comes a round trip later."""
        network, owner = self.network, socket.owner
        socket.connecting = True
        local = socket.bound or (ANY, network.free_port())
        if local[0] == ANY:
            near = address.startswith("127.")
            local = (LOOPBACK if near else network.add_host(owner.host), local[1])
        target = network.host_at(owner.host, address, port)
        patience_ns = self.clock.now_ns + CONNECT_PATIENCE_NS
        network.in_flight += 1

        def arrive() -> None:
            if target is None or network.links.between(owner.names, (target, target)).severed:
                if self.clock.now_ns >= patience_ns or not owner.alive:
                    answer(errno.ETIMEDOUT)
                else:  # try again, as a kernel does
                    self.clock.after(SECOND, arrive)
                return
            listener = network.find(owner.host, address, port)
            end = ProcessEnd(network, network.next_connection(), owner.names, socket.changed)
            taken = None
            if listener is not None:
                taken = listener.offer(end, f"{owner.name}:{local[1]}", local)
            if taken is None:
                self._note(owner.name, "net.refuse", address=address, port=port)
                answer(errno.ECONNREFUSED)
                return
            end.peer, taken.peer = taken, end
            self._note(
                owner.name,
                "net.connect",
                connection=end.connection,
                address=address,
                port=port,
                to=taken.names[0],
            )
            taken.on_connected()
            delay_ns = end.link().latency_ns
            self.clock.after(delay_ns, lambda: established(end))

        def established(end: ProcessEnd) -> None:
            network.in_flight -= 1
            if not socket.connecting or not owner.alive:
                end.close()
                return
            socket.connecting = False
            socket.end = end
            socket.connection = (local, (address, port))
            socket.changed()

        def answer(code: int) -> None:
            network.in_flight -= 1
            if socket.connecting:
                socket.connecting = False
                socket.error = code
                socket.changed()

        delay_ns = network.links.between(owner.names, (target or "", target or "")).latency_ns
        self.clock.after(delay_ns, arrive)

    def _close(self, process: Process, socket: Socket) -> None:
        if socket.listening and socket.bound is not None:
            self.network.stop_listening(process.host, socket.bound[1])
            for unaccepted, _ in socket.backlog:
                unaccepted.send_reset()
                unaccepted.gone = True
            socket.listening = 0
        socket.connecting = False
        end = socket.end
        if end is not None and not end.gone:
            if not socket.internal:
                how = "reset" if end.waiting_bytes else "close"
                self._note(process.name, "net.close", connection=end.connection, how=how)
            end.close()
        socket.changed()

    def _join(self, one: Socket, other: Socket, connection: int) -> None:
        ends = [
            ProcessEnd(self.network, connection, socket.names, socket.changed)
            for socket in (one, other)
        ]
        ends[0].peer, ends[1].peer = ends[1], ends[0]
        one.end, other.end = ends


def _state(socket: Socket) -> int:
    """READABLE, WRITABLE and BROKEN as they are now."""
    if socket.listening:
        return READABLE if socket.backlog else 0
    end = socket.end
    if end is None:
        if socket.connecting:
            return 0
        return READABLE | WRITABLE | BROKEN if socket.error else WRITABLE | BROKEN
    mask = 0
    if end.waiting_bytes or end.ended:
        mask |= READABLE
    if end.sent_end or end.room:
        mask |= WRITABLE
    if end.reset:
        mask |= BROKEN
    return mask


def _reachable(address: tuple[str, int]) -> tuple[str, int]:
    return (LOOPBACK, address[1]) if address[0] == ANY else address
