"""The kernel: answers the system calls, and decides when a run is over.

It owns the process table and charges every call a little virtual time, so that a program which only
polls still sees the clock move. Learners' code never reaches it but through `Syscalls`; what a call
does to the network is in `sandbox.sim.sockets`, who runs next in `sandbox.sim.scheduler`.
"""

from __future__ import annotations

import errno
import json
import signal
from collections.abc import Callable
from typing import NoReturn

from sandbox.sim import chance, collecting, endings
from sandbox.sim.clock import MICROSECOND, SECOND, Clock
from sandbox.sim.network import Network
from sandbox.sim.processes import Process, Runtime
from sandbox.sim.scheduler import QUANTUM_NS, Fiber, Scheduler
from sandbox.sim.services import Service
from sandbox.sim.sockets import CALL_NS, LOOK_NS, SLEEP, Sockets
from sandbox.sim.stacks import Stacks, best_stacks
from sandbox.sim.syscalls import REPORT, SIGNAL_DEFAULT, SIGNAL_HANDLED, SIGNAL_IGNORED
from sandbox.sim.trace import Trace

#: A world in which only housekeeping happened for so long is idle. Longer when a program sleeps,
#: which it may do in many short steps.
QUIET_S = 60.0
QUIET_ASLEEP_S = 3600.0
#: A program that has begun to wait so often since anything happened only asks for news.
ROUNDS_OF_A_POLLER = 20
FIRST_PID = 100

#: How many system calls pass between two looks at limits that need not be exact.
REVIEW_STEPS = 20

#: How long what is due may wait while a program does not look at what has arrived.
SLACK_NS = 100 * MICROSECOND


class Kernel(Sockets):
    """Answers `Syscalls` for the fiber that runs."""

    def __init__(self, seed: int, stacks: Stacks | None = None) -> None:
        self.seed = seed
        self.clock = Clock()
        self.trace = Trace(seed)
        self.network = Network(self.clock)
        self.scheduler = Scheduler(self.clock, stacks or best_stacks())
        self.scheduler.on_switch = self._on_switch
        self.scheduler.judge = self._judge
        self.processes: dict[int, Process] = {}
        self.services: dict[str, Service] = {}
        self.recorded: list[tuple[int, Process, str, str]] = []
        self.quiet_ns = int(QUIET_S * SECOND)
        self.limit_ns: int | None = None
        #: Whether the current run ends when the world is idle.
        self.until_idle = True
        #: Timers that a person set (faults to come); while any is left, a world is not idle.
        self.appointments = 0
        self.watched: set[int] = set()
        #: Ends the run when it comes true; asked whenever time is about to jump.
        self.condition: Callable[[], bool] | None = None
        self.on_output: Callable[[Process, int, str], None] | None = None
        #: Called when a process starts; may set `crash_at`.
        self.on_start: Callable[[Process], None] | None = None
        self._waiters: dict[int, list[Fiber]] = {}
        self._live: dict[int, Process] = {}
        self._idents = 0
        self._review_at = 0
        self._collect_at = collecting.EVERY_STEPS
        #: A run that outlives its real time is stopped at the next call (see `watchdog`).
        self.out_of_time: Callable[[], None] | None = None

    # processes, for the world

    def start_process(self, name: str, host: str, runtime: Runtime, entry: int) -> Process:
        """Make a process ready to run; it starts with the next run of the world."""
        pid = FIRST_PID + len(self.processes)
        process = Process(
            pid,
            name,
            host,
            runtime,
            chance.stream(self.seed, f"process {pid}"),
            self.scheduler.wake,
        )
        if host != "localhost":
            self.network.add_host(host)
        self.processes[pid] = process
        self._live[pid] = process
        self._note(process.name, "process.start", pid=pid, host=host)
        if self.on_start is not None:
            self.on_start(process)

        def main() -> None:
            status = runtime.main(entry)
            self.end_process(process, status)

        process.main = self._start_fiber(process, name, main)
        return process

    def end_process(self, process: Process, status: int, reason: str = "") -> None:
        """End a process: close what it had open, drop its fibers. Does not return to them."""
        if not process.alive:
            return
        process.exit = status
        process.killed = bool(reason)
        process.runtime.over()
        del self._live[process.pid]
        for socket in list(process.sockets.values()):
            self._close(process, socket)
        process.sockets.clear()
        if reason:
            self._note(process.name, "process.kill", pid=process.pid, reason=reason)
        else:
            self._note(process.name, "process.exit", pid=process.pid, status=status)
        for fiber in process.waiting_for_exit:
            self.scheduler.wake(fiber)
        if process.pid in self.watched:
            self.scheduler.stop(endings.until(self.clock.now_ns / SECOND))
        running = self.scheduler.current
        for fiber in process.fibers:
            if fiber is not running:
                self.scheduler.drop(fiber)
        if running is not None and running.process is process:
            self.scheduler.drop(running)

    def signal_process(self, process: Process, signum: int) -> None:
        """Deliver a signal, as `kill` does."""
        if not process.alive:
            return
        # Python handles SIGINT from the start, by raising KeyboardInterrupt.
        initial = SIGNAL_HANDLED if signum == signal.SIGINT else SIGNAL_DEFAULT
        action = process.signal_actions.get(signum, initial)
        if action == SIGNAL_IGNORED and signum != _SIGKILL:
            return
        self._note(process.name, "signal", signum=int(signum))
        if signum == _SIGKILL or action == SIGNAL_DEFAULT:
            self.end_process(process, -int(signum), f"signal {int(signum)}")
            return
        process.signals.append(signum)
        main = process.main
        if main is not None and main.waiting:
            main.interrupted = True
            self.scheduler.wake(main)

    def appoint(self, delay_ns: int, action: Callable[[], None]) -> None:
        """Do something to the world later; until then it is not idle."""
        self.appointments += 1

        def arrive() -> None:
            self.appointments -= 1
            action()

        self.clock.after(delay_ns, arrive)

    # time and chance

    def now(self) -> int:
        self._enter(LOOK_NS)
        return self.clock.now_ns

    def sleep(self, duration_ns: int) -> None:
        fiber = self._enter(CALL_NS)
        self._crash_point(fiber.process, "sleep")
        if duration_ns <= 0:
            self.scheduler.give_way()
            return
        deadline_ns = self.clock.now_ns + duration_ns
        while self._wait(SLEEP, deadline_ns):
            pass

    def random_bytes(self, size: int) -> bytes:
        fiber = self._enter(LOOK_NS)
        return fiber.process.chance.randbytes(size)

    # threads and processes

    def spawn(self, entry: int, name: str, separate: bool) -> int:
        fiber = self._enter(CALL_NS)
        process = fiber.process
        self.scheduler.eventful()
        if separate:
            runtime = process.runtime.fork(entry, name)
            return self.start_process(name, process.host, runtime, entry).pid
        runtime = process.runtime

        def body() -> None:
            runtime.thread(entry)
            process.fibers.remove(started)
            self._note(process.name, "thread.end", ident=started.ident)

        started = self._start_fiber(process, name, body)
        self._note(process.name, "thread.start", ident=started.ident, name=name)
        return started.ident

    def wait(self, key: int, timeout_ns: int | None) -> bool:
        fiber = self._enter(CALL_NS)
        if timeout_ns == 0:
            self.scheduler.give_way()
            return False
        waiters = self._waiters.setdefault(key, [])
        waiters.append(fiber)
        deadline_ns = None if timeout_ns is None else self.clock.now_ns + timeout_ns
        try:
            while fiber in waiters:
                if not self._wait("another thread", deadline_ns):
                    return fiber not in waiters
            return True
        finally:
            if fiber in waiters:
                waiters.remove(fiber)
            if not waiters and self._waiters.get(key) is waiters:
                del self._waiters[key]

    def wake(self, key: int, count: int) -> int:
        self._enter(LOOK_NS)
        waiters = self._waiters.get(key, [])
        chosen = waiters[:count]
        del waiters[:count]
        for fiber in chosen:
            self.scheduler.wake(fiber)
        return len(chosen)

    def notify(self, key: int) -> None:
        """Wake whoever waits on `key`, on behalf of whoever drives the world (no system call)."""
        waiters = self._waiters.pop(key, [])
        for fiber in waiters:
            self.scheduler.wake(fiber)
        waiters.clear()

    def wait_process(self, pid: int, timeout_ns: int | None) -> int | None:
        fiber = self._enter(CALL_NS)
        process = self._process(pid)
        deadline_ns = None if timeout_ns is None else self.clock.now_ns + timeout_ns
        process.waiting_for_exit.append(fiber)
        try:
            while process.exit is None:
                if not self._wait(f"`{process.name}` to end", deadline_ns):
                    break
        finally:
            process.waiting_for_exit.remove(fiber)
        return process.exit

    def kill(self, pid: int, signum: int) -> None:
        fiber = self._enter(CALL_NS)
        self.signal_process(self._process(pid), signum)
        self._handle_signals(fiber)

    def on_signal(self, signum: int, action: int) -> None:
        fiber = self._enter(LOOK_NS)
        fiber.process.signal_actions[signum] = action

    def exit(self, status: int) -> NoReturn:
        fiber = self._enter(LOOK_NS)
        self.end_process(fiber.process, status)
        raise AssertionError("an ended process was resumed")

    # effects that people read

    def write(self, stream: int, text: str) -> None:
        fiber = self._enter(LOOK_NS)
        process = fiber.process
        if stream == REPORT:
            process.reports.append(text)
            # A traceback names files and lines of this interpreter's libraries.
            report = {key: value for key, value in json.loads(text).items() if key != "traceback"}
            self._note(process.name, "error", report=json.dumps(report))
            return
        process.printed.append((self.clock.now_ns, stream, text))
        self._note(process.name, "output", stream=stream, text=text)
        if self.on_output is not None:
            self.on_output(process, stream, text)

    def record(self, name: str, value_json: str) -> None:
        fiber = self._enter(LOOK_NS)
        process = fiber.process
        where = self._crash_point(process, "record")
        self.recorded.append((self.clock.now_ns, process, name, value_json))
        self._note(process.name, "record", name=name, value=value_json, where=where)

    # inside

    def _enter(self, cost_ns: int) -> Fiber:
        """Begin a system call: charge it, let happen what is due, be fair."""
        scheduler, clock = self.scheduler, self.clock
        fiber = scheduler.current
        assert fiber is not None, "a system call from outside the world"
        clock.now_ns = now_ns = clock.now_ns + cost_ns
        scheduler.steps = steps = scheduler.steps + 1
        if steps >= self._review_at:
            self._review(fiber)
        if now_ns >= clock.next_ns + SLACK_NS:
            scheduler.run_due()
        if fiber.process.signals:
            self._handle_signals(fiber)
        if scheduler.ready and now_ns - fiber.started_ns > QUANTUM_NS:
            scheduler.give_way()
        if self.limit_ns is not None and clock.now_ns > self.limit_ns:
            self._stop(endings.virtual_time(clock.now_ns / SECOND, self.limit_ns / SECOND))
        return fiber

    def _review(self, fiber: Fiber) -> None:
        """What need not be looked at in every system call: limits, and garbage."""
        scheduler, limit = self.scheduler, self.scheduler.step_limit
        self._review_at = scheduler.steps + REVIEW_STEPS
        if limit is not None:
            self._review_at = min(self._review_at, limit + 1)
        if self.out_of_time is not None:
            self.out_of_time()
        if limit is not None and scheduler.steps > limit:
            process = fiber.process
            at_s = self.clock.now_ns / SECOND
            self._stop(endings.steps(at_s, limit, process.name, process.runtime.where()))
            return
        if scheduler.steps >= self._collect_at:
            self._collect_at = scheduler.steps + collecting.EVERY_STEPS
            scheduler.stacks.collect()

    def _wait(self, waiting: str, deadline_ns: int | None) -> bool:
        """Block the running fiber; False when the deadline came. Handles signals."""
        fiber = self.scheduler.current
        assert fiber is not None
        timeout_ns = None
        if deadline_ns is not None:
            timeout_ns = deadline_ns - self.clock.now_ns
            if timeout_ns <= 0:
                return False
        woken = self.scheduler.park(waiting, timeout_ns)
        if fiber.process.signals:
            self._handle_signals(fiber)
        return woken

    def _handle_signals(self, fiber: Fiber) -> None:
        fiber.interrupted = False
        process = fiber.process
        while process.signals and fiber is process.main:
            process.runtime.handle_signal(process.signals.popleft())

    def _crash_point(self, process: Process, before: str) -> str:
        """Count a moment at which a crash would leave the world in a state of its own.

        Returns the learner's own line.
        """
        where = process.runtime.where()
        process.crash_points.append((self.clock.now_ns, before, where))
        if len(process.crash_points) == process.crash_at and not collecting.under_way():
            self.end_process(process, -_SIGKILL, f"crash point {process.crash_at}")
        return where

    def _stop(self, ending: endings.Ending) -> None:
        """End the run from inside a system call; the caller goes on when the next run begins."""
        self.scheduler.stop(ending)
        self.scheduler.give_way_to_driver()

    def _start_fiber(self, process: Process, name: str, entry: Callable[[], None]) -> Fiber:
        self._idents += 1
        fiber = Fiber(process, self._idents, name, entry)
        process.fibers.append(fiber)
        self.scheduler.start(fiber)
        return fiber

    def _process(self, pid: int) -> Process:
        if pid not in self.processes:
            raise OSError(errno.ESRCH, "No such process")
        return self.processes[pid]

    def _note(self, process: str, kind: str, **fields: object) -> int:
        self.scheduler.eventful()
        return self.trace.add(self.clock.now_ns, process, kind, fields)

    def _on_switch(self, fiber: Fiber | None) -> None:
        running = fiber or self.scheduler.current
        if running is not None:
            running.process.runtime.resumed(fiber)

    # when a run is over

    def _judge(self, due_ns: int | None) -> endings.Ending | None:
        """Decide whether to go on, when nothing is ready and time would jump to `due_ns`."""
        if self.condition is not None and self.condition():
            return endings.until(self.clock.now_ns / SECOND)
        if not self.until_idle:
            return None
        last_ns = self.scheduler.last_event_ns
        quiet = due_ns is None or due_ns - last_ns >= self.quiet_ns
        if self._live and not quiet and self.scheduler.timed_waits:
            return None
        if not self._is_quiescent():
            return self._past_limit(due_ns)
        if due_ns is not None and due_ns - last_ns < QUIET_ASLEEP_S * SECOND and self._sleeps():
            return None
        at_s = last_ns / SECOND
        if not self._live:
            return endings.finished(at_s)
        waiting, stuck, timed = [], [], False
        for process in self._live.values():
            if self._waits_for_more(process):
                waiting.append(process.name)
            else:
                stuck.append((process.name, self._wait_of(process), self._place_of(process)))
                timed = timed or any(fiber.timer is not None for fiber in process.fibers)
        if timed and due_ns is not None and due_ns - last_ns < QUIET_ASLEEP_S * SECOND:
            return None  # among its heartbeats a program may wait for a time of its own
        if stuck:
            return endings.deadlock(self.clock.now_ns / SECOND, stuck)
        return endings.idle(at_s, waiting)

    def _past_limit(self, due_ns: int | None) -> endings.Ending | None:
        if self.limit_ns is not None and due_ns is not None and due_ns > self.limit_ns:
            self.clock.advance(self.limit_ns)
            return endings.virtual_time(self.limit_ns / SECOND, self.limit_ns / SECOND)
        if due_ns is None:  # bytes held by a partition that nobody will heal
            return endings.idle(
                self.clock.now_ns / SECOND, [process.name for process in self._live.values()]
            )
        return None

    def _is_quiescent(self) -> bool:
        """Whether only housekeeping and uneventful time-outs are left."""
        if self.network.in_flight or self.appointments:
            return False
        if any(service.broker.next_event_timer() is not None for service in self.services.values()):
            return False
        return all(
            fiber.timer is None or self._repeats(fiber)
            for process in self._live.values()
            for fiber in process.fibers
        )

    def _repeats(self, fiber: Fiber) -> bool:
        """Whether a wait with a time-out is one more of the same.

        It ran out before, with nothing having happened since; or it was answered with "nothing new"
        again and again, as a blocking command of Redis is before a socket's longer time-out.
        """
        epoch = self.scheduler.epoch
        return fiber.lapses == epoch or (
            fiber.round_epoch == epoch and fiber.rounds > ROUNDS_OF_A_POLLER
        )

    def _sleeps(self) -> bool:
        return any(
            fiber.waiting == SLEEP for process in self._live.values() for fiber in process.fibers
        )

    def _waits_for_more(self, process: Process) -> bool:
        if process.paused or any(socket.listening for socket in process.sockets.values()):
            return True
        if any(fiber.waiting == SLEEP for fiber in process.fibers):
            return True
        return any(service.is_subscribed(process.names) for service in self.services.values())

    def _wait_of(self, process: Process) -> str:
        assert process.main is not None
        return process.main.waiting or "something"

    def _place_of(self, process: Process) -> str:
        main = process.main
        if main is None or main.frame is None:
            return ""
        return process.runtime.place(main.frame)


_SIGKILL = 9
