"""Who runs next: fibers, and the loop that hands the processor from one to another.

A fiber runs until it would block. Then the scheduler, on that fiber's own stack, carries out what
is due, and hands over to the first fiber that became ready; when none is ready it lets time jump.
When the fiber that blocked is itself the next, nothing is switched at all, which is the common case
and the fast one.

The *driver* is whoever called `run`: a check, the command line, a page. It is a stack, not a fiber.
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sandbox.sim import collecting, endings
from sandbox.sim.clock import SECOND, Clock, Timer
from sandbox.sim.stacks import Stacks

if TYPE_CHECKING:
    from types import FrameType

    from sandbox.sim.processes import Process

#: A fiber that made system calls for so long goes to the back of the queue at its next one.
QUANTUM_NS = 1_000_000

#: Frames that the world may use above a program whose stack is nearly full, so that endless
#: recursion ends the program and not the world.
HEADROOM = 250

#: From 3.14 on asyncio keeps the current task per thread; before, per loop.
_swap_task: Any = (
    getattr(asyncio.tasks, "_swap_current_task", None) if sys.version_info >= (3, 14) else None
)


def leave_loop() -> tuple[Any, Any]:
    """Forget the running stack's asyncio loop and task, which asyncio keeps per thread."""
    loop = asyncio._get_running_loop()
    task = None
    if loop is not None:
        if _swap_task is not None:
            try:
                task = _swap_task(loop, None)
            except RuntimeError:  # a browser's loop, which runs without asyncio knowing
                task = None
        asyncio._set_running_loop(None)
    return loop, task


def return_to_loop(state: tuple[Any, Any]) -> None:
    """Undo `leave_loop`, the stack being about to go on."""
    loop, task = state
    if asyncio._get_running_loop() is not loop:
        asyncio._set_running_loop(loop)
    if task is not None:
        _swap_task(loop, task)


class Fiber:
    """A thread of a process: a stack, and what it waits for."""

    __slots__ = (
        "alive",
        "daemon",
        "entry",
        "frame",
        "ident",
        "interrupted",
        "lapses",
        "name",
        "process",
        "queued",
        "round_epoch",
        "rounds",
        "stack",
        "started_ns",
        "timer",
        "waiting",
        "woken",
    )

    def __init__(self, process: Process, ident: int, name: str, entry: Callable[[], None]) -> None:
        self.process = process
        self.ident = ident
        self.name = name
        self.entry = entry
        self.stack: Any = None
        self.alive = True
        self.daemon = False
        self.queued = False
        #: What it waits for, as a noun for people; "" while it runs.
        self.waiting = ""
        #: Its innermost frame while it waits, to say where in the learner's file that is.
        self.frame: FrameType | None = None
        self.timer: Timer | None = None
        self.woken = False
        self.interrupted = False
        #: The scheduler's epoch at its last time-out: equal means it timed out since anything
        #: happened, and will do so again.
        self.lapses = -1
        #: How often it has begun to wait since anything happened, and at which epoch that was.
        self.rounds = 0
        self.round_epoch = -1
        self.started_ns = 0


class Scheduler:
    """Fibers, readiness, and the run loop."""

    def __init__(self, clock: Clock, stacks: Stacks) -> None:
        self.clock = clock
        self.stacks = stacks
        self.current: Fiber | None = None
        self.ready: deque[Fiber] = deque()
        #: Called on a fiber's stack when it begins or goes on, and with None before it stops.
        self.on_switch: Callable[[Fiber | None], None] = lambda fiber: None
        #: Decides, when nothing is ready, whether the run is over; given when time would jump to.
        self.judge: Callable[[int | None], endings.Ending | None] = lambda due: None
        self.step_limit: int | None = None
        self.steps = 0
        #: Counts what happened that was not mere waiting; see `eventful`.
        self.epoch = 0
        self.last_event_ns = 0
        #: How many fibers wait with a time-out.
        self.timed_waits = 0
        self._driver: Any = None
        self._recursion_limit = sys.getrecursionlimit()
        self._until_ns: int | None = None
        self._ending: endings.Ending | None = None
        self._failure: BaseException | None = None

    # what fibers and the kernel call

    def eventful(self) -> None:
        """Note that something happened that an onlooker would call an event."""
        self.epoch += 1
        self.last_event_ns = self.clock.now_ns

    def park(self, waiting: str, timeout_ns: int | None) -> bool:
        """Block the running fiber until `wake`; False when the time-out came first.

        Returns True with `fiber.interrupted` set when a signal is to be handled.
        """
        fiber = self.current
        assert fiber is not None, "only a fiber can wait"
        if collecting.under_way():
            raise RuntimeError(
                f"A destructor that runs during garbage collection cannot wait for {waiting}. "
                "Close what it is about to close (`close()`, `with`) before letting go of it."
            )
        fiber.waiting = waiting
        fiber.woken = False
        if fiber.round_epoch != self.epoch:
            fiber.round_epoch, fiber.rounds = self.epoch, 0
        fiber.rounds += 1
        if timeout_ns is not None:
            fiber.timer = self.clock.after(timeout_ns, lambda: self._lapse(fiber))
            self.timed_waits += 1
        try:
            self._suspend(fiber)
        finally:
            fiber.waiting = ""
            self._disarm(fiber)
        return fiber.woken

    def give_way(self) -> None:
        """Let every fiber that is ready go first."""
        fiber = self.current
        if fiber is not None and self.ready and not collecting.under_way():
            self._enqueue(fiber)
            self._suspend(fiber)

    def give_way_to_driver(self) -> None:
        """Return control to whoever runs the world; goes on with the next run."""
        fiber = self.current
        assert fiber is not None
        if collecting.under_way():
            return  # the next system call asks again
        self._enqueue(fiber)
        self._suspend(fiber)

    def run_due(self) -> None:
        """Carry out what is due; a failure of it is the driver's, not the running program's."""
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(limit + HEADROOM)
        try:
            self.clock.run_due()
        except Exception as failure:
            self._failure = failure
            self._ending = endings.interrupted(self.clock.now_ns / SECOND)
            self.give_way_to_driver()
        finally:
            sys.setrecursionlimit(limit)

    def resume(self, process: Process) -> None:
        """Let a paused process go on."""
        process.paused = False
        stopped, process.stopped = process.stopped, []
        for fiber in stopped:
            self._enqueue(fiber)

    def wake(self, fiber: Fiber) -> None:
        """Make a waiting fiber ready. Harmless on one that is not waiting."""
        if fiber.alive and fiber.waiting and not fiber.queued:
            fiber.woken = True
            self._enqueue(fiber)

    def start(self, fiber: Fiber) -> None:
        """Make a new fiber ready."""
        fiber.stack = self.stacks.create(lambda: self._body(fiber))
        self._enqueue(fiber)

    def drop(self, fiber: Fiber) -> None:
        """Never run this fiber again. Dropping the running one does not return."""
        fiber.alive = False
        self._disarm(fiber)
        if fiber.stack is not None:
            self.stacks.abandon(fiber.stack)
        if fiber is self.current:
            sys.setrecursionlimit(sys.getrecursionlimit() + HEADROOM)
            self._switch(self._choose())
            raise AssertionError("a dropped fiber was resumed")

    # what the driver calls

    def run(self, until_ns: int | None) -> endings.Ending:
        """Run until `judge` ends it, or the clock would pass `until_ns`."""
        if self.current is not None:
            raise RuntimeError("a program of the world cannot run the world")
        self._until_ns = until_ns
        self._ending = None
        self._driver = self.stacks.current()
        self._recursion_limit = sys.getrecursionlimit()
        sys.setrecursionlimit(self._recursion_limit + HEADROOM)
        try:
            chosen = self._choose()
            if chosen is not None:
                self._switch(chosen)
        finally:
            sys.setrecursionlimit(self._recursion_limit)
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        assert self._ending is not None
        return self._ending

    def stop(self, ending: endings.Ending) -> None:
        """End the current run at the next opportunity."""
        if self._ending is None:
            self._ending = ending

    @property
    def stopping(self) -> bool:
        """Whether the current run has been told to end."""
        return self._ending is not None

    # inside

    def _disarm(self, fiber: Fiber) -> None:
        if fiber.timer is not None:
            fiber.timer.cancel()
            fiber.timer = None
            self.timed_waits -= 1

    def _enqueue(self, fiber: Fiber) -> None:
        if not fiber.queued:
            fiber.queued = True
            self.ready.append(fiber)

    def _lapse(self, fiber: Fiber) -> None:
        if fiber.alive and fiber.waiting and not fiber.queued:
            fiber.lapses = self.epoch
            self._enqueue(fiber)

    def _suspend(self, fiber: Fiber) -> None:
        # The limit is the interpreter's: every stack sets its own when it goes on.
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(limit + HEADROOM)
        try:
            fiber.frame = sys._getframe(2)
            chosen = self._choose()
            if chosen is not fiber:
                self._switch(chosen)
        finally:
            sys.setrecursionlimit(limit)
        fiber.frame = None
        fiber.started_ns = self.clock.now_ns

    def _choose(self) -> Fiber | None:
        """The next fiber, having let happen what comes before it; None for the driver."""
        clock, ready = self.clock, self.ready
        try:
            while self._ending is None:
                due = clock.next_due()
                if due is not None and due <= clock.now_ns:
                    clock.run_due()
                    continue
                while ready:
                    fiber = ready.popleft()
                    fiber.queued = False
                    if fiber.process.paused:
                        fiber.process.stopped.append(fiber)
                    elif fiber.alive:
                        return fiber
                self._ending = self.judge(due)
                if self._ending is not None:
                    break
                if self._until_ns is not None and (due is None or due > self._until_ns):
                    clock.advance(self._until_ns)
                    self._ending = endings.until(self._until_ns / SECOND)
                    break
                assert due is not None, "the judge ends a world in which nothing is due"
                clock.advance(due)
        except BaseException as failure:  # a broken broker must not look like the learner's
            self._failure = failure
            self._ending = endings.interrupted(clock.now_ns / SECOND)
        return None

    def _switch(self, to: Fiber | None) -> None:
        """Hand over; returns when somebody hands back."""
        mine = self.current
        self.on_switch(None)
        state = leave_loop()
        self.current = to
        self.stacks.switch(self._driver if to is None else to.stack)
        assert self.current is mine
        return_to_loop(state)
        self.on_switch(mine)

    def _body(self, fiber: Fiber) -> Any:
        """Run a fiber from its first line to its end; returns the stack that goes on."""
        leave_loop()  # a browser's own loop counts as running on every new stack
        self.on_switch(fiber)
        fiber.started_ns = self.clock.now_ns
        sys.setrecursionlimit(self._recursion_limit)
        fiber.entry()
        sys.setrecursionlimit(self._recursion_limit + HEADROOM)
        fiber.alive = False
        chosen = self._choose()
        self.on_switch(None)
        self.current = chosen
        return self._driver if chosen is None else chosen.stack
