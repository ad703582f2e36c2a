"""The system calls of a world: the only door between learners' code and everything else.

Arguments and results are numbers, strings, bytes, booleans, None, and tuples or lists of them; the
only exception a call raises is `OSError` with an `errno` (a call of a dead process never returns).
The same table can therefore be served inside one interpreter or across a process boundary. The
kernel (`sandbox.sim.kernel`) answers it; the stand-ins (`sandbox.sim.standins`) are its only
callers.

Times are integer nanoseconds. A `timeout_ns` of None waits for ever, 0 does not wait.

To add a system call, add it here, answer it in the kernel, and say in the docstring what it may
raise. Keep the table small: prefer a stand-in built on what is here.
"""

from __future__ import annotations

from typing import NoReturn, Protocol

#: Interest and readiness bits of `poll`.
READABLE, WRITABLE, BROKEN = 1, 2, 4

#: What `on_signal` may ask for.
SIGNAL_DEFAULT, SIGNAL_IGNORED, SIGNAL_HANDLED = 0, 1, 2

#: The streams of `write`.
STDOUT, STDERR, REPORT = 1, 2, 3

#: The first descriptor of a process. High enough that no real descriptor is mistaken for one.
FIRST_FD = 3000


class Syscalls(Protocol):
    """What a fiber may ask of its world."""

    # time and chance

    def now(self) -> int:
        """Nanoseconds since the world began."""
        ...

    def sleep(self, duration_ns: int) -> None:
        """Return once `duration_ns` have passed; signals are handled on the way."""
        ...

    def random_bytes(self, size: int) -> bytes:
        """The next `size` bytes of this process's random stream."""
        ...

    # threads and processes

    def spawn(self, entry: int, name: str, separate: bool) -> int:
        """Start a fiber that runs `entry`, a key of the caller's own table of functions.

        With `separate` it is the main fiber of a new process and the pid is returned, otherwise a
        thread of this process and its identity is returned.
        """
        ...

    def wait(self, key: int, timeout_ns: int | None) -> bool:
        """Sleep until somebody calls `wake(key)`; False when the time-out came first."""
        ...

    def wake(self, key: int, count: int) -> int:
        """Wake up to `count` fibers that wait on `key`, longest waiting first; how many it was."""
        ...

    def wait_process(self, pid: int, timeout_ns: int | None) -> int | None:
        """The exit status of process `pid` once it ended, or None when the time-out came first.

        Raises: ESRCH, no process has that number.
        """
        ...

    def kill(self, pid: int, signum: int) -> None:
        """Send a signal. Raises: ESRCH."""
        ...

    def on_signal(self, signum: int, action: int) -> None:
        """Choose what a signal does to this process: SIGNAL_DEFAULT, _IGNORED or _HANDLED."""
        ...

    def exit(self, status: int) -> NoReturn:
        """End this process at once; its sockets are closed as a kernel would."""
        ...

    # effects that people read

    def write(self, stream: int, text: str) -> None:
        """Print: stream 1 is standard output, 2 standard error.

        Stream REPORT takes a JSON object that says what ended a thread: "type", "message",
        "thread", "own" (the learner's own lines, outermost first: "file", "line", "code"), and
        "traceback" (text).
        """
        ...

    def record(self, name: str, value_json: str) -> None:
        """Report an effect ("this order was shipped") to whoever observes the world."""
        ...

    # the network

    def resolve(self, host: str) -> str:
        """The IPv4 address of a host. Raises: ENOENT, no such host."""
        ...

    def socket(self) -> int:
        """A new stream socket's descriptor."""
        ...

    def socketpair(self) -> tuple[int, int]:
        """Two connected sockets."""
        ...

    def bind(self, fd: int, address: str, port: int) -> None:
        """Name a socket; port 0 chooses one. Raises: EADDRINUSE, EINVAL."""
        ...

    def listen(self, fd: int, backlog: int) -> None:
        """Accept connections on a bound socket. Raises: EADDRINUSE."""
        ...

    def accept(self, fd: int, timeout_ns: int | None) -> tuple[int, str, int]:
        """The next connection: its descriptor, and the client's address and port.

        Raises: EAGAIN (time-out 0), ETIMEDOUT, EINVAL (not listening).
        """
        ...

    def connect(self, fd: int, address: str, port: int, timeout_ns: int | None) -> None:
        """Open a connection.

        Raises: ECONNREFUSED, ETIMEDOUT, EINPROGRESS (time-out 0), EISCONN, EALREADY.
        """
        ...

    def send(self, fd: int, data: bytes, timeout_ns: int | None) -> int:
        """Queue bytes for the peer; how many were taken (at least one).

        Raises: EAGAIN (time-out 0), ETIMEDOUT, EPIPE, ECONNRESET, ENOTCONN.
        """
        ...

    def receive(self, fd: int, size: int, timeout_ns: int | None, peek: bool) -> bytes:
        """Up to `size` bytes; empty when the peer has closed.

        Raises: EAGAIN (time-out 0), ETIMEDOUT, ECONNRESET, ENOTCONN.
        """
        ...

    def shutdown(self, fd: int, how: int) -> None:
        """Close one direction: 0 reading, 1 writing, 2 both. Raises: ENOTCONN."""
        ...

    def close(self, fd: int) -> None:
        """Give a descriptor back. Raises: EBADF."""
        ...

    def socket_error(self, fd: int) -> int:
        """The pending error of a socket, and forget it (SO_ERROR)."""
        ...

    def address(self, fd: int, peer: bool) -> tuple[str, int]:
        """The socket's own name, or its peer's. Raises: ENOTCONN."""
        ...

    def poll(
        self, interests: list[tuple[int, int]], timeout_ns: int | None
    ) -> list[tuple[int, int]]:
        """Which of `(fd, bits)` are ready, in the order given; empty when the time-out came first.

        BROKEN is always reported. A descriptor that is not open is BROKEN.
        """
        ...
