"""`sandbox check --stack live`: one run of an exercise, as real processes on a real RabbitMQ."""

from __future__ import annotations

import atexit
import json
import time
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from sandbox.stack.base import CrashPoint
from sandbox.stack.live import control, crash
from sandbox.stack.live.hub import Hub
from sandbox.stack.live.idle import wait_until_idle
from sandbox.stack.live.ledger import Ledger
from sandbox.stack.live.management import Management
from sandbox.stack.live.observer import LiveRabbitMQ, check_login, parameters
from sandbox.stack.live.process import LiveProcess
from sandbox.stack.live.rewrite import Rewriter
from sandbox.stack.live.settings import Settings
from sandbox.stack.live.vhost import VirtualHost, delete_forgotten

#: How long a process may take to start before that counts as its own time.
_START_S = 30.0
#: How much longer a wait may last while processes are at something that costs the simulated world
#: no time. A machine with much to do must not make a check fail.
_GRACE_S = 2.0

_ONLY_RABBITMQ = (
    'The live stack has no {} yet: mark the check with @pytest.mark.stack("simulated").'
)

_open_stacks: weakref.WeakSet[LiveStack] = weakref.WeakSet()
_checked: set[Settings] = set()


class LiveStack:
    """A run in a virtual host of its own; see `sandbox.stack.base.Stack`.

    Raises:
        StackUnavailable: the broker or its management plugin cannot be used; says what to do.
    """

    name = "live"

    def __init__(
        self,
        seed: int = 1,
        *,
        settings: Settings | None = None,
        crash_point: CrashPoint | None = None,
    ) -> None:
        self.seed = seed
        self._settings = settings or Settings.from_environment()
        self._crash_point = crash_point
        self._processes: list[LiveProcess] = []
        self._closed = False
        management = Management(self._settings)
        _check_once(self._settings, management)
        self._vhost = VirtualHost(management)
        ledger = Ledger()
        rewriter = Rewriter(self._vhost.name, self._settings.user, self._settings.password)
        self._hub = Hub((self._settings.host, self._settings.port), rewriter, ledger)
        self._rabbitmq: LiveRabbitMQ | None = None
        _open_stacks.add(self)
        try:
            self._vhost.create()
            self._hub.start()
            self._rabbitmq = LiveRabbitMQ(
                _parameters(self._settings, self._vhost.name),
                management,
                ledger,
                self._hub.changed,
                self._processes,
            )
        except BaseException:
            self.close()
            raise

    @property
    def rabbitmq(self) -> LiveRabbitMQ:
        """The run's RabbitMQ."""
        assert self._rabbitmq is not None
        return self._rabbitmq

    @property
    def kafka(self) -> NoReturn:
        """Raise: a live run has a RabbitMQ only. Raises: NotImplementedError."""
        raise NotImplementedError(_ONLY_RABBITMQ.format("Kafka"))

    @property
    def redis(self) -> NoReturn:
        """Raise: a live run has a RabbitMQ only. Raises: NotImplementedError."""
        raise NotImplementedError(_ONLY_RABBITMQ.format("Redis"))

    @property
    def mqtt(self) -> NoReturn:
        """Raise: a live run has a RabbitMQ only. Raises: NotImplementedError."""
        raise NotImplementedError(_ONLY_RABBITMQ.format("MQTT"))

    @property
    def now_s(self) -> float:
        """Real seconds that have passed for the run's processes."""
        return self._hub.flow.passed_s()

    @property
    def last_event_s(self) -> float:
        """As `now_s`: a live run waits for little."""
        return self.now_s

    @property
    def processes(self) -> Sequence[LiveProcess]:
        """Every process started so far, in order."""
        return tuple(self._processes)

    def start_function(
        self, file: Path, function: str, args: Sequence[Any] = (), *, name: str | None = None
    ) -> LiveProcess:
        """Start a process that calls one function of a file."""
        return self._start(file, function, args, name or function)

    def start_script(self, file: Path, *, name: str | None = None) -> LiveProcess:
        """Start a process that runs a file as a program."""
        return self._start(file, None, (), name or file.name)

    def sleep(self, seconds: float) -> None:
        """Let real time pass, and whatever was begun before its end be done."""
        self._until_started()
        with self._hub.flow.passing(time.monotonic() + seconds):
            time.sleep(seconds)
            self._wait(lambda: not self._busy(), _GRACE_S)

    def run_until(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Wait until `condition()` is true, at most `timeout_s`, not counting work under way."""
        self._until_started()
        with self._hub.flow.counting():
            if self._wait(condition, timeout_s, stepping=True):
                return True
        with self._hub.flow.passing():
            self._wait(lambda: condition() or not self._busy(), _GRACE_S)
        return condition()

    def run_until_idle(self, timeout_s: float) -> float:
        """Wait until every message is handled and every process waits or has ended.

        Raises:
            TimeoutError: they were still at work after `timeout_s`; says which.
        """
        with self._hub.flow.passing():
            last = wait_until_idle(
                self._processes, self._hub.changed, self.rabbitmq.could_deliver, timeout_s
            )
            quiet_s = time.monotonic() - last
        self._hub.check()
        return max(0.0, self.now_s - quiet_s)

    def slow_link(self, process: str, latency_s: float) -> NoReturn:
        """Raise: the network is not ours.

        Raises:
            NotImplementedError: always, with what to write instead.
        """
        raise NotImplementedError(
            f"The link of `{process}` to a real broker is as slow as it is. Mark the check with "
            '@pytest.mark.stack("simulated").'
        )

    def events(self, kind: str) -> NoReturn:
        """Raise: a real broker keeps no trace. Raises: NotImplementedError."""
        self.rabbitmq.events(kind)

    def recorded(self, name: str) -> list[Any]:
        """Values passed to `record(name, value)`, in order; a kill loses none."""
        with self._hub.changed:
            return [value for recorded, value in self._hub.recorded if recorded == name]

    def crash_points(self, process: str) -> list[CrashPoint]:
        """A sample of a few moments at which the first process of that name may die."""
        first = next((each for each in self._processes if each.name == process), None)
        return crash.sample(process, first.moments) if first is not None else []

    def fresh(self, crash: CrashPoint | None = None) -> LiveStack:
        """Another run on the same server, in a virtual host of its own."""
        return type(self)(self.seed, settings=self._settings, crash_point=crash)

    @property
    def crashed(self) -> bool:
        """Whether the crash this run was made for has happened."""
        return any(process.crashed for process in self._processes)

    def close(self) -> None:
        """Kill what still runs and delete the virtual host. Idempotent."""
        if self._closed:
            return
        self._closed = True
        for process in self._processes:
            process.close()
        self._hub.close()
        try:
            if self._rabbitmq is not None:
                self._rabbitmq.close()
        finally:
            self._vhost.delete()
            _open_stacks.discard(self)

    def _start(
        self, file: Path, function: str | None, args: Sequence[Any], name: str
    ) -> LiveProcess:
        taken = any(process.name == name for process in self._processes)
        point = self._crash_point
        mine = point if point is not None and point.process == name and not taken else None
        arguments = json.dumps(control.pack(list(args)))
        process = LiveProcess(name, self._hub.changed, self._hub.flow, mine)
        link = self._hub.admit(process)
        process.start(file.resolve(), function, arguments, link)
        self._processes.append(process)
        return process

    def _until_started(self) -> None:
        """Time passes for a process once its code runs; starting Python takes none of it."""
        self._wait(lambda: all(p.started or not p.alive for p in self._processes), _START_S)

    def _wait(
        self, condition: Callable[[], bool], timeout_s: float, *, stepping: bool = False
    ) -> bool:
        """Wait for a condition; `stepping`, let nothing happen between two looks at it."""
        deadline = time.monotonic() + timeout_s
        while True:
            told = self._hub.flow.held()
            if condition():
                return True
            if stepping:
                self._hub.flow.step(told)
            self._hub.check()
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            with self._hub.changed:
                if not stepping or not self._hub.flow.held():
                    self._hub.changed.wait(min(left, 0.02))

    def _busy(self) -> bool:
        with self._hub.changed:
            return any(process.busy for process in self._processes)


def _check_once(settings: Settings, management: Management) -> None:
    """Ask the first time, so that every way of being unavailable is told in a sentence."""
    if settings in _checked:
        return
    check_login(_parameters(settings, "/"), settings.address)
    management.check()
    delete_forgotten(management)
    _checked.add(settings)


def _parameters(settings: Settings, vhost: str) -> Any:
    return parameters(settings.host, settings.port, settings.user, settings.password, vhost)


@atexit.register
def _close_the_open_ones() -> None:
    for stack in list(_open_stacks):
        stack.close()
