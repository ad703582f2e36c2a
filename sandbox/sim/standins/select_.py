"""Stand-in for `select`: select, poll, and epoll and kqueue where they exist."""

from __future__ import annotations

import math
import select
from collections.abc import Iterable
from typing import Any

from sandbox.sim.clock import SECOND
from sandbox.sim.standins import context
from sandbox.sim.standins.installation import Replace
from sandbox.sim.syscalls import BROKEN, FIRST_FD, READABLE, WRITABLE

# The values of Linux, for `poll` and `epoll` alike.
POLLIN, POLLPRI, POLLOUT, POLLERR, POLLHUP = 1, 2, 4, 8, 16


def descriptor(thing: Any) -> int:
    """The descriptor of a socket or a number. Raises: ValueError, it is not the world's."""
    fd = thing if isinstance(thing, int) else thing.fileno()
    if not isinstance(fd, int):
        raise TypeError("fileno() returned a non-integer")
    if fd < 0:
        raise ValueError(f"file descriptor cannot be a negative integer ({fd})")
    if fd < FIRST_FD:
        raise ValueError(
            f"descriptor {fd} is a real file: a program in the simulated world can only wait for "
            "the world's sockets"
        )
    return fd


def nanoseconds(timeout_s: float | None) -> int | None:
    """A time-out for a system call; None and (where the module says so) negative mean for ever."""
    if timeout_s is None:
        return None
    return max(0, math.ceil(timeout_s * SECOND))


def bits(events: int) -> int:
    """What to ask the world for a poll or epoll mask."""
    return (READABLE if events & (POLLIN | POLLPRI) else 0) | (WRITABLE if events & POLLOUT else 0)


def events(mask: int) -> int:
    """A poll or epoll mask for what the world answered."""
    return (
        (POLLIN if mask & READABLE else 0)
        | (POLLOUT if mask & WRITABLE else 0)
        | (POLLERR | POLLHUP if mask & BROKEN else 0)
    )


def select_in_world(
    rlist: Iterable[Any], wlist: Iterable[Any], xlist: Iterable[Any], timeout: float | None = None
) -> tuple[list[Any], list[Any], list[Any]]:
    """`select.select`."""
    readers, writers, others = list(rlist), list(wlist), list(xlist)
    interests: dict[int, int] = {}
    for things, bit in ((readers, READABLE), (writers, WRITABLE), (others, 0)):
        for thing in things:
            fd = descriptor(thing)
            interests[fd] = interests.get(fd, 0) | bit
    if timeout is not None and timeout < 0:
        raise ValueError("timeout must be non-negative")
    process = context.here()
    process.flush()
    ready = dict(process.syscalls.poll(list(interests.items()), nanoseconds(timeout)))
    return (
        [one for one in readers if ready.get(descriptor(one), 0) & (READABLE | BROKEN)],
        [one for one in writers if ready.get(descriptor(one), 0) & (WRITABLE | BROKEN)],
        [],
    )


class Poll:
    """`select.poll` and, with seconds for milliseconds, `select.epoll`."""

    def __init__(self) -> None:
        self._interests: dict[int, int] = {}

    def register(self, fd: Any, eventmask: int = POLLIN | POLLPRI | POLLOUT) -> None:
        """See `select.poll.register`."""
        self._interests[descriptor(fd)] = bits(eventmask)

    def modify(self, fd: Any, eventmask: int) -> None:
        """See `select.poll.modify`."""
        number = descriptor(fd)
        if number not in self._interests:
            raise FileNotFoundError(2, "No such file or directory")
        self._interests[number] = bits(eventmask)

    def unregister(self, fd: Any) -> None:
        """See `select.poll.unregister`."""
        del self._interests[descriptor(fd)]

    def poll(self, timeout: float | None = None) -> list[tuple[int, int]]:
        """See `select.poll.poll`; milliseconds."""
        if timeout is not None and timeout < 0:
            timeout = None
        return self._poll(None if timeout is None else timeout / 1000)

    def _poll(self, timeout_s: float | None) -> list[tuple[int, int]]:
        process = context.here()
        process.flush()
        ready = process.syscalls.poll(list(self._interests.items()), nanoseconds(timeout_s))
        return [(fd, events(mask)) for fd, mask in ready]


class Epoll(Poll):
    """`select.epoll`."""

    closed = False

    def register(self, fd: Any, eventmask: int = POLLIN | POLLPRI | POLLOUT) -> None:
        if descriptor(fd) in self._interests:
            raise FileExistsError(17, "File exists")
        super().register(fd, eventmask)

    def poll(self, timeout: float | None = None, maxevents: int = -1) -> list[tuple[int, int]]:
        """See `select.epoll.poll`; seconds."""
        if timeout is not None and timeout < 0:
            timeout = None
        ready = self._poll(timeout)
        return ready if maxevents < 1 else ready[:maxevents]

    def unregister(self, fd: Any) -> None:
        if self._interests.pop(descriptor(fd), None) is None:
            raise FileNotFoundError(2, "No such file or directory")

    def fileno(self) -> int:
        """An epoll of the world cannot itself be waited for."""
        return -1

    def close(self) -> None:
        """See `select.epoll.close`."""
        self.closed = True
        self._interests.clear()

    def __enter__(self) -> Epoll:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


#: Constants of `select.kqueue`, the same on every system that has it.
KQUEUE = {
    "KQ_FILTER_READ": -1,
    "KQ_FILTER_WRITE": -2,
    "KQ_EV_ADD": 0x1,
    "KQ_EV_DELETE": 0x2,
    "KQ_EV_ERROR": 0x4000,
    "KQ_EV_EOF": 0x8000,
}
_FILTERS = {KQUEUE["KQ_FILTER_READ"]: READABLE, KQUEUE["KQ_FILTER_WRITE"]: WRITABLE}


class Kevent:
    """`select.kevent`."""

    def __init__(
        self,
        ident: Any,
        filter: int = KQUEUE["KQ_FILTER_READ"],
        flags: int = KQUEUE["KQ_EV_ADD"],
        fflags: int = 0,
        data: int = 0,
        udata: int = 0,
    ) -> None:
        self.ident: int = ident if isinstance(ident, int) else ident.fileno()
        self.filter, self.flags, self.fflags = filter, flags, fflags
        self.data, self.udata = data, udata


class Kqueue:
    """`select.kqueue`, for reading and writing."""

    closed = False

    def __init__(self) -> None:
        self._filters: dict[tuple[int, int], Any] = {}

    def control(
        self, changelist: Iterable[Any] | None, max_events: int, timeout: float | None = None, /
    ) -> list[Any]:
        """See `select.kqueue.control`; seconds."""
        for change in changelist or ():
            key = (descriptor(change.ident), change.filter)
            if change.flags & KQUEUE["KQ_EV_DELETE"]:
                if self._filters.pop(key, None) is None:
                    raise FileNotFoundError(2, "No such file or directory")
            elif change.flags & KQUEUE["KQ_EV_ADD"]:
                self._filters[key] = change.udata
        if max_events == 0:
            return []
        interests: dict[int, int] = {}
        for fd, kind in self._filters:
            interests[fd] = interests.get(fd, 0) | _FILTERS.get(kind, 0)
        process = context.here()
        process.flush()
        ready = process.syscalls.poll(list(interests.items()), nanoseconds(timeout))
        return [
            Kevent(fd, kind, KQUEUE["KQ_EV_EOF"] if mask & BROKEN else 0, udata=udata)
            for fd, mask in ready
            for (known, kind), udata in self._filters.items()
            if known == fd and mask & (_FILTERS.get(kind, 0) | BROKEN)
        ][:max_events]

    def fileno(self) -> int:
        """A kqueue of the world cannot itself be waited for."""
        return -1

    def close(self) -> None:
        """See `select.kqueue.close`."""
        self.closed = True
        self._filters.clear()


def install(replace: Replace) -> None:
    """Put the stand-ins in place."""
    real_select = select.select

    def select_anywhere(*args: Any) -> Any:
        if context.current() is None:
            return real_select(*args)
        return select_in_world(*args)

    select_anywhere.__name__ = "select"
    select_anywhere.__doc__ = real_select.__doc__
    replace(select, "select", select_anywhere)
    if hasattr(select, "poll"):
        real_poll = select.poll

        def poll_anywhere() -> Any:
            return real_poll() if context.current() is None else Poll()

        replace(select, "poll", poll_anywhere)
    if hasattr(select, "epoll"):
        real_epoll = select.epoll

        def epoll_anywhere(*args: Any, **kwargs: Any) -> Any:
            return real_epoll(*args, **kwargs) if context.current() is None else Epoll()

        replace(select, "epoll", epoll_anywhere)
    kqueue = getattr(select, "kqueue", None)
    if kqueue is not None:

        def kqueue_anywhere() -> Any:
            return kqueue() if context.current() is None else Kqueue()

        replace(select, "kqueue", kqueue_anywhere)
