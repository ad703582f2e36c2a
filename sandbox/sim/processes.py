"""Processes of a world, as the kernel sees them: descriptors, threads, signals, an exit status."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Protocol

from sandbox.sim.streams import End, ProcessEnd
from sandbox.sim.syscalls import FIRST_FD

if TYPE_CHECKING:
    from types import FrameType

    from sandbox.sim.scheduler import Fiber


class Runtime(Protocol):
    """The inside of a process: where its code, its memory and its standard library are.

    The kernel calls these on the process's own fibers, except `where` and `fork`.
    """

    @property
    def own_files(self) -> Collection[str]:
        """Files whose lines count as the learner's own, as code objects name them."""
        ...

    def main(self, entry: int) -> int:
        """Live the process's whole life and return its exit status."""
        ...

    def thread(self, entry: int) -> None:
        """Run one thread to its end."""
        ...

    def handle_signal(self, signum: int) -> None:
        """Run the handler of a signal; it may raise, as KeyboardInterrupt does."""
        ...

    def fork(self, entry: int, name: str) -> Runtime:
        """The inside of a new process that will run `entry`."""
        ...

    def where(self) -> str:
        """The learner's own innermost line on the running stack, "file.py:12", or ""."""
        ...

    def place(self, frame: FrameType) -> str:
        """As `where`, for a stack that is suspended at `frame`."""
        ...

    def owns(self, file: str) -> bool:
        """Whether a code object of this file name is the learner's own."""
        ...

    def over(self) -> None:
        """The process has ended; nothing of it runs any more."""
        ...

    def resumed(self, fiber: Fiber | None) -> None:
        """One of its fibers is about to run; None: another process or the driver is."""
        ...


class Socket:
    """An open descriptor: a stream socket in one of its states."""

    __slots__ = (
        "backlog",
        "bound",
        "connecting",
        "connection",
        "end",
        "error",
        "listening",
        "owner",
        "waiters",
    )

    def __init__(self, owner: Process) -> None:
        self.owner = owner
        self.bound: tuple[str, int] | None = None
        self.listening = 0
        self.backlog: deque[tuple[ProcessEnd, tuple[str, int]]] = deque()
        self.connecting = False
        self.connection: tuple[tuple[str, int], tuple[str, int]] | None = None
        self.end: ProcessEnd | None = None
        self.error = 0
        #: Fibers that wait for any change of this socket, longest waiting first.
        self.waiters: list[Fiber] = []

    @property
    def names(self) -> tuple[str, str]:
        """Process and host, for links."""
        return self.owner.names

    @property
    def internal(self) -> bool:
        """Whether it connects a process to itself, as the pair behind an event loop does."""
        end = self.end
        return end is not None and end.peer.names == end.names and isinstance(end.peer, ProcessEnd)

    def offer(self, client: End, peer: str, address: tuple[str, int]) -> End | None:
        """A connection arrives at a listening socket; None refuses it."""
        if len(self.backlog) >= max(self.listening, 1):
            return None
        end = ProcessEnd(client.network, client.connection, self.names, self.changed)
        self.backlog.append((end, address))
        self.changed()
        return end

    def changed(self) -> None:
        """Wake whoever waits for a change."""
        for fiber in self.waiters:
            self.owner.wake(fiber)


class Process:
    """A running program: fibers that share descriptors and end together."""

    def __init__(
        self,
        pid: int,
        name: str,
        host: str,
        runtime: Runtime,
        chance: random.Random,
        wake: Callable[[Fiber], None],
    ) -> None:
        self.pid = pid
        self.name = name
        self.host = host
        self.runtime = runtime
        self.chance = chance
        self.wake = wake
        self.names = (name, host)
        self.fibers: list[Fiber] = []
        self.main: Fiber | None = None
        self.sockets: dict[int, Socket] = {}
        self.exit: int | None = None
        #: Whether it was killed rather than ending by itself.
        self.killed = False
        #: What it printed: (virtual ns, stream, text).
        self.printed: list[tuple[int, int, str]] = []
        #: What ended its threads, as JSON (see `Syscalls.write`).
        self.reports: list[str] = []
        self.signal_actions: dict[int, int] = {}
        self.signals: deque[int] = deque()
        #: Set by `pause`; its fibers that became ready wait in `stopped`.
        self.paused = False
        self.stopped: list[Fiber] = []
        #: Moments worth dying at: (virtual ns, the call it was about to make, the learner's line).
        self.crash_points: list[tuple[int, str, str]] = []
        #: The one to die at, counted from 1.
        self.crash_at: int | None = None
        self.crash_epoch = -1
        self.waiting_for_exit: list[Fiber] = []
        self._next_fd = FIRST_FD

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        return self.exit is None

    @property
    def output(self) -> str:
        """Everything it printed, both streams, in order."""
        return "".join(text for _, _, text in self.printed)

    def open(self, socket: Socket) -> int:
        """Give a socket the next descriptor."""
        fd = self._next_fd
        self._next_fd += 1
        self.sockets[fd] = socket
        return fd
