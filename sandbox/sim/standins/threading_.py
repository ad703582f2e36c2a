"""Stand-in for `threading`, `queue.SimpleQueue` and `concurrent.futures` threads.

Only what is at the bottom is replaced: the lock, starting and joining a thread, and "which thread
am I". Condition, Event, Semaphore, Barrier, Timer, Queue and ThreadPoolExecutor are the standard
library's own code on top of it.
"""

from __future__ import annotations

import _thread
import _threading_local
import concurrent.futures.thread
import queue
import threading
import weakref
from collections.abc import Callable
from typing import Any

from sandbox.sim.clock import SECOND
from sandbox.sim.standins import context
from sandbox.sim.standins.classes import standing_for
from sandbox.sim.standins.hashes import number_objects
from sandbox.sim.standins.installation import Replace, is_importing
from sandbox.sim.standins.process import InProcess

_allocate_lock = _thread.allocate_lock
_keys = 0


def next_key() -> int:
    """A key for `Syscalls.wait`, unlike every other in this interpreter."""
    global _keys
    _keys += 1
    return _keys


#: How often a fiber looks whether another process has given a library's lock back.
PATIENCE_NS = 1_000_000


class Lock:
    """`threading.Lock` for fibers; outside a world it is a plain lock.

    A lock of a library's module can outlive the process that holds it, because processes of a world
    share the library. Such a lock is free again: its holder's memory would be gone.
    """

    __slots__ = ("__weakref__", "_holder", "_key", "_outside", "_waiting")

    def __init__(self) -> None:
        self._holder: InProcess | None = None
        self._outside = _allocate_lock()
        self._key = 0
        self._waiting = 0

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """See `threading.Lock.acquire`."""
        process = context.current()
        if process is None:
            return self._outside.acquire(blocking, timeout)
        if not blocking and timeout != -1:
            raise ValueError("can't specify a timeout for a non-blocking call")
        if timeout < 0 and timeout != -1:
            raise ValueError("timeout value must be a non-negative number")
        if self._holder is None or self._holder.ended:
            self._holder = process
            return True
        if not blocking:
            return False
        if not self._key:
            self._key = next_key()
        syscalls = process.syscalls
        deadline_ns = None if timeout == -1 else syscalls.now() + round(timeout * SECOND)
        self._waiting += 1
        try:
            while self._holder is not None and not self._holder.ended:
                left_ns = None if deadline_ns is None else deadline_ns - syscalls.now()
                if left_ns is not None and left_ns <= 0:
                    return False
                if self._holder is not process:  # its end would wake nobody
                    left_ns = PATIENCE_NS if left_ns is None else min(left_ns, PATIENCE_NS)
                syscalls.wait(self._key, left_ns)
        finally:
            self._waiting -= 1
        self._holder = process
        return True

    def release(self) -> None:
        """See `threading.Lock.release`."""
        process = context.current()
        if process is None:
            if self._outside.locked() or self._holder is None:
                self._outside.release()
            else:
                self._holder = None
            return
        if self._holder is None:
            raise RuntimeError("release unlocked lock")
        self._holder = None
        if self._waiting:
            process.syscalls.wake(self._key, 1)

    def locked(self) -> bool:
        """See `threading.Lock.locked`."""
        if context.current() is None and self._holder is None:
            return self._outside.locked()
        return self._holder is not None and not self._holder.ended

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *exc: object) -> None:
        self.release()

    def _at_fork_reinit(self) -> None:
        self.__init__()  # type: ignore[misc]

    acquire_lock, release_lock, locked_lock = acquire, release, locked

    def __repr__(self) -> str:
        state = "locked" if self.locked() else "unlocked"
        return f"<{state} Lock of a world at {id(self):#x}>"


def _counter(outside: Callable[[], int]) -> Callable[[], int]:
    """A counter for names, which the trace tells: in every process it begins anew."""
    numbers: weakref.WeakKeyDictionary[InProcess, int] = weakref.WeakKeyDictionary()

    def count() -> int:
        process = context.current()
        if process is None:
            return outside()
        numbers[process] = numbers.get(process, 0) + 1
        return numbers[process]

    return count


_make_rlock = threading.RLock


def make_rlock() -> Any:
    """`threading.RLock`."""
    if context.current() is None and not is_importing():
        return _make_rlock()
    return threading._PyRLock()  # type: ignore[attr-defined]


class MainThread(threading.Thread):
    """The first thread of a process."""

    def __init__(self) -> None:
        super().__init__(name="MainThread", daemon=False)
        self._world_key = next_key()
        self._world_over = False

    def finish(self, process: InProcess) -> None:
        """The program's text has ended; what waits for other threads is not this thread's."""
        self._world_over = True
        process.syscalls.wake(self._world_key, 1_000_000)


def adopt(process: InProcess, thread: threading.Thread) -> None:
    """Make `thread` the running fiber's."""
    thread._ident = process.ident  # type: ignore[attr-defined]
    process.threads[process.ident] = thread
    thread._started.set()  # type: ignore[attr-defined]


def _start(thread: threading.Thread, process: InProcess) -> None:
    if not getattr(thread, "_initialized", False):
        raise RuntimeError("thread.__init__() not called")
    if thread._started.is_set():  # type: ignore[attr-defined]
        raise RuntimeError("threads can only be started once")
    key = next_key()

    def live() -> None:
        adopt(process, thread)
        try:
            thread.run()
        except SystemExit:
            pass
        except BaseException as error:
            process.report(error, thread.name)
        finally:
            process.threads.pop(process.ident, None)
            process.event_loops.pop(process.ident, None)
            thread._world_over = True  # type: ignore[attr-defined]
            process.syscalls.wake(key, 1_000_000)

    thread._world_key = key  # type: ignore[attr-defined]
    thread._world_over = False  # type: ignore[attr-defined]
    process.started.append(thread)
    process.spawn(live, thread.name)
    # As the real one does: `start` returns once the thread is known to run.
    thread._started.wait()  # type: ignore[attr-defined]


def _join(thread: threading.Thread, process: InProcess, timeout: float | None) -> None:
    if not thread._started.is_set():  # type: ignore[attr-defined]
        raise RuntimeError("cannot join thread before it is started")
    if thread is process.threads.get(process.ident):
        raise RuntimeError("cannot join current thread")
    syscalls = process.syscalls
    deadline_ns = None if timeout is None else syscalls.now() + max(0, round(timeout * SECOND))
    while not thread._world_over:  # type: ignore[attr-defined]
        left_ns = None if deadline_ns is None else deadline_ns - syscalls.now()
        if left_ns is not None and left_ns <= 0:
            return
        syscalls.wait(thread._world_key, left_ns)  # type: ignore[attr-defined]


def install(replace: Replace) -> None:
    """Put the stand-ins in place."""
    thread_class: Any = threading.Thread
    start, join, is_alive = thread_class.start, thread_class.join, thread_class.is_alive
    get_ident, current_thread = threading.get_ident, threading.current_thread
    main_thread, enumerate_threads = threading.main_thread, threading.enumerate
    counter = threading._counter  # type: ignore[attr-defined]
    executor_counter = concurrent.futures.ThreadPoolExecutor._counter  # type: ignore[attr-defined]
    executor_init = concurrent.futures.ThreadPoolExecutor.__init__

    def start_in_world(self: threading.Thread) -> None:
        process = context.current()
        start(self) if process is None else _start(self, process)

    def join_in_world(self: threading.Thread, timeout: float | None = None) -> None:
        process = context.current()
        if not hasattr(self, "_world_key"):
            join(self, timeout)
        elif process is not None:
            _join(self, process, timeout)
        # Outside its world a thread of a world is as good as over.

    def is_alive_in_world(self: threading.Thread) -> bool:
        if hasattr(self, "_world_over"):
            return not self._world_over
        return bool(is_alive(self))

    def get_ident_in_world() -> int:
        process = context.current()
        return get_ident() if process is None else process.ident

    def current_thread_in_world() -> threading.Thread:
        process = context.current()
        return current_thread() if process is None else process.threads[process.ident]

    def main_thread_in_world() -> threading.Thread:
        process = context.current()
        return main_thread() if process is None else process.main_thread

    def enumerate_in_world() -> list[threading.Thread]:
        process = context.current()
        return enumerate_threads() if process is None else list(process.threads.values())

    def active_count_in_world() -> int:
        return len(threading.enumerate())

    def counter_in_world() -> int:
        process = context.current()
        return int(counter()) if process is None else process.count("thread")

    def executor_counter_in_world() -> int:
        process = context.current()
        return int(executor_counter()) if process is None else process.count("executor") - 1

    def executor_init_in_world(self: Any, *args: Any, **kwargs: Any) -> None:
        executor_init(self, *args, **kwargs)
        process = context.current()
        if process is not None:
            process.executors.append(weakref.ref(self))

    for function in (start_in_world, join_in_world, is_alive_in_world):
        name = function.__name__.removesuffix("_in_world")
        function.__name__ = name
        function.__doc__ = getattr(thread_class, name).__doc__
        setattr(thread_class, name, function)
    lock = standing_for(_allocate_lock, Lock, Lock, name="Lock", base=Lock, importable=True)
    replace(threading, "_allocate_lock", lock)
    replace(threading, "Lock", lock)
    replace(threading, "RLock", make_rlock)
    replace(threading, "_counter", _counter(threading._counter))  # type: ignore[attr-defined]
    executor_class: Any = concurrent.futures.ThreadPoolExecutor
    executor_class._counter = staticmethod(_counter(executor_class._counter))
    replace(threading, "get_ident", get_ident_in_world)
    if hasattr(threading, "get_native_id"):
        replace(threading, "get_native_id", _native(get_ident_in_world))
    else:  # Pyodide
        threading.get_native_id = get_ident_in_world
    replace(threading, "current_thread", current_thread_in_world)
    replace(threading, "main_thread", main_thread_in_world)
    replace(threading, "enumerate", enumerate_in_world)
    replace(threading, "active_count", active_count_in_world)
    threading.currentThread = current_thread_in_world
    threading._counter = counter_in_world  # type: ignore[attr-defined]
    local = _threading_local.local
    replace(
        threading,
        "local",
        standing_for(threading.local, local, local, base=local, importable=True),
    )
    simple = queue._PySimpleQueue  # type: ignore[attr-defined]
    replace(
        queue,
        "SimpleQueue",
        standing_for(queue.SimpleQueue, simple, simple, base=simple, importable=True),
    )
    number_objects(threading.Thread)
    number_objects(concurrent.futures.Future)
    executor: Any = concurrent.futures.ThreadPoolExecutor
    executor._counter = staticmethod(executor_counter_in_world)
    concurrent.futures.ThreadPoolExecutor.__init__ = executor_init_in_world  # type: ignore[method-assign]
    # Held by `submit` while it waits for a new thread to start, in every process.
    concurrent.futures.thread._global_shutdown_lock = Lock()  # type: ignore[assignment]


def _native(get_ident: Callable[[], int]) -> Callable[[], int]:
    original = threading.get_native_id

    def get_native_id() -> int:
        return original() if context.current() is None else get_ident()

    return get_native_id
