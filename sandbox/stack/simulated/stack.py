"""`SimulatedStack`: one run of programs in a world with brokers. See `sandbox.stack.base.Stack`."""

from __future__ import annotations

import linecache
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sandbox.sim.endings import Ending
from sandbox.sim.services import Service
from sandbox.sim.world import World
from sandbox.stack.base import (
    BrokerNotNeeded,
    CrashPoint,
    KafkaObserver,
    MQTTObserver,
    RabbitMQObserver,
    RedisObserver,
)
from sandbox.stack.simulated import crashes
from sandbox.stack.simulated.brokers import KAFKA_NODES, add_brokers, clients
from sandbox.stack.simulated.events import as_dict
from sandbox.stack.simulated.imports import import_before
from sandbox.stack.simulated.patience import Patience
from sandbox.stack.simulated.process import SimulatedProcess
from sandbox.stack.simulated.rabbitmq import SimulatedRabbitMQ

#: Virtual seconds that checks wait for a Kafka without a leader to elect one.
ELECTION_S = 60.0


class SimulatedStack:
    """See the module. `world` is there for those who want more than a stack offers."""

    name = "simulated"

    def __init__(
        self,
        seed: int = 1,
        brokers: Sequence[str] = ("rabbitmq",),
        *,
        late: Sequence[str] = (),
        crash: CrashPoint | None = None,
        crash_number: int = 0,
    ) -> None:
        """Begin a run with these brokers; those in `late` are made when somebody connects."""
        self.seed = seed
        self._brokers = tuple(brokers)
        self._late = tuple(name for name in late if name not in self._brokers)
        self.world = World(seed, preload=clients(self._brokers))
        self._services = add_brokers(self.world, self._brokers, late=self._late)
        self._processes: list[SimulatedProcess] = []
        self._patience = Patience()
        self._crash = crash
        self._crash_number = crash_number
        self._numbers: dict[CrashPoint, int] = {}

    @property
    def rabbitmq(self) -> RabbitMQObserver:
        """The run's RabbitMQ."""
        others = self._services.keys() - {"rabbitmq"}
        return SimulatedRabbitMQ(self._service("rabbitmq"), self.world.trace, others)

    @property
    def kafka(self) -> KafkaObserver:
        """The run's Kafka."""
        from sandbox.stack.simulated.kafka import SimulatedKafka

        nodes = {n: self._services.get(f"kafka-{n}") for n in KAFKA_NODES}
        cluster = {number: service for number, service in nodes.items() if service is not None}
        return SimulatedKafka(
            cluster or {1: self._service("kafka")},
            self.world.trace,
            lambda condition: self.run_until(condition, ELECTION_S),
        )

    @property
    def redis(self) -> RedisObserver:
        """The run's Redis."""
        from sandbox.stack.simulated.redis import SimulatedRedis

        return SimulatedRedis(self._service("redis"), self.world.trace)

    @property
    def mqtt(self) -> MQTTObserver:
        """The run's MQTT server."""
        from sandbox.stack.simulated.mqtt import SimulatedMQTT

        return SimulatedMQTT(self._service("mqtt"), self.world.trace)

    @property
    def now_s(self) -> float:
        """Virtual seconds since the run began."""
        return self.world.now_s

    @property
    def last_event_s(self) -> float:
        """When the last thing happened that was not mere waiting."""
        return self.world.last_event_s

    @property
    def processes(self) -> Sequence[SimulatedProcess]:
        """Every process started so far, in order."""
        return self._processes

    def start_function(
        self, file: Path, function: str, args: Sequence[Any] = (), *, name: str | None = None
    ) -> SimulatedProcess:
        """Start a process that calls one function of a file."""
        source = file.read_text(encoding="utf-8")
        folder = file.resolve().parent
        import_before(source, folder)
        self._patience.begin(source)
        handle = self.world.start_source(
            source, str(file), function, args, name=name, folder=folder
        )
        return self._admit(SimulatedProcess(self.world, handle, self._patience))

    def start_script(self, file: Path, *, name: str | None = None) -> SimulatedProcess:
        """Start a process that runs a file as a program."""
        source = file.read_text(encoding="utf-8")
        import_before(source, file.resolve().parent)
        self._patience.begin(source)
        handle = self.world.start_script(file, name=name, source=source)
        return self._admit(SimulatedProcess(self.world, handle, self._patience))

    def sleep(self, seconds: float) -> None:
        """Let virtual time pass.

        Raises: TimeoutError, a program loops; says where.
        """
        ending = self._run(seconds, to_idle=False)
        if ending.kind != "until":
            raise TimeoutError(ending.sentence)

    def run_until(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Let time pass until `condition()`, at most `timeout_s`; an idle world ends the wait."""
        if not condition():
            self.world.kernel.condition = condition
            try:
                self._run(timeout_s)
            finally:
                self.world.kernel.condition = None
        return condition()

    def run_until_idle(self, timeout_s: float) -> float:
        """Let time pass until every message is handled and everybody waits or has ended."""
        ending = self._run(timeout_s)
        if ending.kind in ("idle", "finished"):
            return ending.at_s
        if ending.kind == "until":
            names = [process.name for process in self._processes if process.alive]
            raise TimeoutError(
                f"After {timeout_s:g} s the work was still not done: {', '.join(names)} kept going."
            )
        raise TimeoutError(ending.sentence)

    def _run(self, seconds: float, *, to_idle: bool = True) -> Ending:
        """Let the world run for at most so many virtual seconds more."""
        limits = self._patience.limits
        ending = self.world.run(until_s=self.now_s + seconds, to_idle=to_idle, **limits)
        self._patience.note(ending)
        return ending

    def slow_link(self, process: str, latency_s: float) -> None:
        """Put processes of that name far away from the brokers."""
        for broker in self._services:
            self.world.faults.slow(process, broker, latency_s=latency_s)

    def events(self, kind: str) -> list[Mapping[str, Any]]:
        """Trace events of a kind."""
        return [as_dict(event) for event in self.world.trace.of_kind(kind)]

    def recorded(self, name: str) -> list[Any]:
        """Values recorded under a name, in order."""
        return self.world.recorded(name)

    def crash_points(self, process: str) -> list[CrashPoint]:
        """The moments of this run at which the first process of that name could die.

        Of moments that leave the same world behind, the first stands for all; see `crashes`.
        """
        first = next((each for each in self._processes if each.name == process), None)
        if first is None:
            return []
        self._numbers.clear()
        counts: dict[str, int] = {}
        points = first.handle.crash_points
        times_ns = [time_ns for time_ns, _, _ in points]
        in_flight = bool(self.world.kernel.network.in_flight)
        events, brokers = self.world.trace.events, set(self._services)
        kept = set(crashes.distinct(times_ns, events, brokers, in_flight=in_flight))
        for position, (_, call, where) in enumerate(points):
            kind = _describe(call, where, self._processes)
            counts[kind] = counts.get(kind, 0) + 1
            if position in kept:
                self._numbers[CrashPoint(process, kind, counts[kind])] = position + 1
        return list(self._numbers)

    def fresh(self, crash: CrashPoint | None = None) -> SimulatedStack:
        """Another run with this seed, in which the process dies at `crash`."""
        number = 0 if crash is None else self._numbers[crash]
        return SimulatedStack(
            self.seed, self._brokers, late=self._late, crash=crash, crash_number=number
        )

    @property
    def crashed(self) -> bool:
        """Whether the crash this run was made for has happened."""
        return self._crash is not None and any(
            process.name == self._crash.process and process.handle.killed
            for process in self._processes
        )

    def close(self) -> None:
        """Kill what still runs. Idempotent."""
        self.world.close()

    def _service(self, broker: str) -> Service:
        if broker not in self._services:
            raise BrokerNotNeeded(broker, list(self._services))
        return self._services[broker]

    def _admit(self, process: SimulatedProcess) -> SimulatedProcess:
        crash = self._crash
        if (
            crash is not None
            and process.name == crash.process
            and not any(other.name == process.name for other in self._processes)
        ):
            process.handle.crash_at(self._crash_number)
        self._processes.append(process)
        return process


#: What a process is about to do, where no line of the learner's own says it better.
_CALLS = {
    "connect": "connecting",
    "send": "a message of its connection",
    "record": "record",
    "sleep": "sleeping",
    "wait": "waiting",
}


def _describe(call: str, where: str, processes: Sequence[SimulatedProcess]) -> str:
    """A crash point in words: the learner's own line where there is one."""
    if not where:
        return _CALLS.get(call, call)
    file, _, line = where.rpartition(":")
    for process in processes:
        for path in process.handle.own_files:
            if Path(path).name == file:
                code = linecache.getline(path, int(line)).strip()
                line = f"`{code}` ({where})" if code else where
                return f"the answer to {line}" if call == "wait" else line
    return where
