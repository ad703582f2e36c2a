"""`sandbox check --stack live`: one run of an exercise, as real processes on real brokers."""

from __future__ import annotations

import atexit
import json
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from socket import socket
from typing import TYPE_CHECKING, Any, NoReturn

from sandbox.stack.base import BrokerNotNeeded, CrashPoint, StackUnavailable
from sandbox.stack.live import control, crash
from sandbox.stack.live.hub import Hub, Route
from sandbox.stack.live.idle import wait_until_idle
from sandbox.stack.live.ledger import ConnectionLedger, Ledger
from sandbox.stack.live.management import Management
from sandbox.stack.live.observer import LiveRabbitMQ, check_login, parameters
from sandbox.stack.live.places import Place, open_place
from sandbox.stack.live.process import LiveProcess
from sandbox.stack.live.proxy import Carried, ProxiedConnection
from sandbox.stack.live.rewrite import Rewriter
from sandbox.stack.live.settings import Settings
from sandbox.stack.live.tapped import TappedConnection
from sandbox.stack.live.taps import KafkaTap, MQTTTap, RedisTap, Tap
from sandbox.stack.live.vhost import VirtualHost, delete_forgotten

if TYPE_CHECKING:
    from sandbox.stack.live.kafka import LiveKafka
    from sandbox.stack.live.mqtt import LiveMQTT
    from sandbox.stack.live.redis import LiveRedis

#: How long a process may take to start before that counts as its own time.
_START_S = 30.0
#: How much longer a wait may last while processes are at something that costs the simulated world
#: no time. A machine with much to do must not make a check fail.
_GRACE_S = 2.0

#: Where programs look for RabbitMQ.
_RABBITMQ_PORT = 5672


@dataclass(frozen=True)
class _Kind:
    """A broker beside RabbitMQ: where programs look for it, and who tells and observes it.

    The observer is named, not imported: a run imports the client library that it needs alone.
    """

    port: int
    tap: Callable[[], Tap]
    observer: str

    def observe(
        self, place: Place, changed: threading.Condition, processes: Sequence[LiveProcess]
    ) -> Any:
        """An observer of that place."""
        module, _, name = self.observer.partition(":")
        return getattr(import_module(module), name)(place, changed, processes)


_KINDS = {
    "kafka": _Kind(9092, KafkaTap, "sandbox.stack.live.kafka:LiveKafka"),
    "redis": _Kind(6379, RedisTap, "sandbox.stack.live.redis:LiveRedis"),
    "mqtt": _Kind(1883, MQTTTap, "sandbox.stack.live.mqtt:LiveMQTT"),
}

_open_stacks: weakref.WeakSet[LiveStack] = weakref.WeakSet()
_checked: set[Settings] = set()


class LiveStack:
    """A run of its own: a virtual host, a Redis ...; see `sandbox.stack.base.Stack`.

    Raises:
        StackUnavailable: a broker that is needed cannot be used; says what to do.
    """

    name = "live"

    def __init__(
        self,
        seed: int = 1,
        *,
        brokers: Sequence[str] = ("rabbitmq",),
        settings: Settings | None = None,
        crash_point: CrashPoint | None = None,
    ) -> None:
        self.seed = seed
        self._brokers = tuple(brokers)
        self._settings = settings
        self._crash_point = crash_point
        self._processes: list[LiveProcess] = []
        self._closed = False
        self._vhost: VirtualHost | None = None
        self._rabbitmq: LiveRabbitMQ | None = None
        self._places: list[Place] = []
        self._observers: dict[str, Any] = {}
        self._hub = Hub()
        _open_stacks.add(self)
        try:
            for name in self._brokers:
                if name == "rabbitmq":
                    self._add_rabbitmq(settings or Settings.from_environment())
                else:
                    self._add(name)
            self._hub.start()
        except BaseException:
            self.close()
            raise

    def _open_place(self, kind: str) -> Place:
        """A Kafka, Redis or MQTT server for this run."""
        return open_place(kind)

    def _add_rabbitmq(self, settings: Settings) -> None:
        management = Management(settings)
        _check_once(settings, management)
        self._vhost = VirtualHost(management)
        ledger = Ledger()
        rewriter = Rewriter(self._vhost.name, settings.user, settings.password)
        self._vhost.create()
        self._rabbitmq = LiveRabbitMQ(
            _parameters(settings, self._vhost.name),
            management,
            ledger,
            self._hub.changed,
            self._processes,
        )

        def carry(client: socket, broker: socket, process: LiveProcess) -> Carried:
            return ProxiedConnection(
                client,
                broker,
                owner=process,
                rewriter=rewriter,
                ledger=ConnectionLedger(ledger),
            )

        self._hub.routes.append(Route((settings.host, settings.port), (_RABBITMQ_PORT,), carry))

    def _add(self, name: str) -> None:
        if name not in _KINDS:
            raise StackUnavailable(
                f"The {self.name} stack has no broker called {name!r}; it has rabbitmq, "
                f"{', '.join(_KINDS)}."
            )
        kind = _KINDS[name]
        place = self._open_place(name)
        self._places.append(place)

        def carry(client: socket, broker: socket, process: LiveProcess) -> Carried:
            return TappedConnection(client, broker, owner=process, tap=kind.tap())

        for number, address in enumerate(place.addresses):
            # Kafka tells its clients where its nodes really are, so that leads to us as well.
            seen_at = dict.fromkeys([kind.port + number, address[1]])
            self._hub.routes.append(Route(address, tuple(seen_at), carry))
        self._observers[name] = kind.observe(place, self._hub.changed, self._processes)

    @property
    def rabbitmq(self) -> LiveRabbitMQ:
        """The run's RabbitMQ. Raises: BrokerNotNeeded, as the three below."""
        if self._rabbitmq is None:
            raise BrokerNotNeeded("rabbitmq", self._brokers)
        return self._rabbitmq

    @property
    def kafka(self) -> LiveKafka:
        """The run's Kafka."""
        found: LiveKafka = self._observer("kafka")
        return found

    @property
    def redis(self) -> LiveRedis:
        """The run's Redis."""
        found: LiveRedis = self._observer("redis")
        return found

    @property
    def mqtt(self) -> LiveMQTT:
        """The run's MQTT server."""
        found: LiveMQTT = self._observer("mqtt")
        return found

    def _observer(self, name: str) -> Any:
        if name not in self._observers:
            raise BrokerNotNeeded(name, self._brokers)
        return self._observers[name]

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
            could_deliver = self._rabbitmq.could_deliver if self._rabbitmq else lambda: False
            last = wait_until_idle(self._processes, self._hub.changed, could_deliver, timeout_s)
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
        raise NotImplementedError(
            'Real brokers keep no trace. Mark the check with @pytest.mark.stack("simulated").'
        )

    def recorded(self, name: str) -> list[Any]:
        """Values passed to `record(name, value)`, in order; a kill loses none."""
        with self._hub.changed:
            return [value for recorded, value in self._hub.recorded if recorded == name]

    def crash_points(self, process: str) -> list[CrashPoint]:
        """A sample of a few moments at which the first process of that name may die."""
        first = next((each for each in self._processes if each.name == process), None)
        return crash.sample(process, first.moments) if first is not None else []

    def fresh(self, crash: CrashPoint | None = None) -> LiveStack:
        """Another run of the same kind, with brokers or a virtual host of its own."""
        return type(self)(
            self.seed, brokers=self._brokers, settings=self._settings, crash_point=crash
        )

    @property
    def crashed(self) -> bool:
        """Whether the crash this run was made for has happened."""
        return any(process.crashed for process in self._processes)

    def close(self) -> None:
        """Kill what still runs and remove all that the run has left. Idempotent."""
        if self._closed:
            return
        self._closed = True
        for process in self._processes:
            process.close()
        self._hub.close()
        with ExitStack() as ending:  # the last one first, each of them whatever befalls another
            ending.callback(_open_stacks.discard, self)
            if self._vhost is not None:
                ending.callback(self._vhost.delete)
            if self._rabbitmq is not None:
                ending.callback(self._rabbitmq.close)
            for place in self._places:
                ending.callback(place.close)
            for observer in self._observers.values():
                ending.callback(observer.close)

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
