"""What every stack offers: the few verbs on which the `lab` fixture is built.

A *stack* is somewhere an exercise's processes can run against brokers: the simulated world, or
real operating-system processes against real servers. `sandbox.course.fixture.Lab` is written
against these protocols alone, so a check means the same thing on each of them. What checks may ask
of the brokers is in `sandbox.stack.observers`.

One stack object is one run: a world (or a virtual host) of its own, used once and closed. Rerunning
a scenario, as `crash_everywhere` does, asks for another with `fresh`.

Everything that crosses these protocols is plain data: numbers, text, bytes, None, and lists and
dicts of them. Times are seconds as floats, counted from the start of the run.

To add a stack, implement `Stack` in a folder or file beside this one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from sandbox.stack.observers import (
    KafkaMember,
    KafkaObserver,
    KafkaRecord,
    Message,
    MQTTMessage,
    MQTTObserver,
    MQTTSession,
    RabbitMQObserver,
    RedisObserver,
)

__all__ = [
    "BrokerNotNeeded",
    "CrashPoint",
    "ExerciseError",
    "KafkaMember",
    "KafkaObserver",
    "KafkaRecord",
    "MQTTMessage",
    "MQTTObserver",
    "MQTTSession",
    "Message",
    "Process",
    "RabbitMQObserver",
    "RedisObserver",
    "Stack",
    "StackUnavailable",
]


class StackUnavailable(Exception):
    """The stack cannot be used here; the message says why and what to do. Exit status 2."""


class BrokerNotNeeded(Exception):
    """A check asked for a broker that its lab does not need; the message says what to do."""

    def __init__(self, broker: str, brokers: Sequence[str]) -> None:
        has = ", ".join(brokers) or "no broker"
        super().__init__(
            f"This run has {has}, not {broker}. Add {broker!r} to `needs` in the lab's lab.toml."
        )


class ExerciseError(Exception):
    """The exercise raised something that cannot be rebuilt on this side.

    Its text is the original's: type, message and traceback, the learner's lines first.
    """


@dataclass(frozen=True)
class CrashPoint:
    """A moment at which a process can be killed.

    `process` is the name given to `Stack.start_function`; the first process of that name is the
    one that dies. `kind` is what it was about to do ("basic.ack", "record", "sleep" ...; a stack
    chooses its own words) and `nth` counts, from 1, how often it had come to do so.
    """

    process: str
    kind: str
    nth: int

    def __str__(self) -> str:
        return f"{self.process} killed just before {self.kind} number {self.nth}"


class Process(Protocol):
    """One process of the exercise."""

    @property
    def name(self) -> str:
        """The function's name, or the file's for a script."""
        ...

    @property
    def output(self) -> str:
        """What it has printed so far, standard output and error together."""
        ...

    @property
    def alive(self) -> bool:
        """True until it has returned, raised, exited or been killed."""
        ...

    @property
    def exit(self) -> int | None:
        """None while alive; then its exit status, negative for the signal that killed it."""
        ...

    @property
    def result(self) -> Any:
        """What the function returned (plain data), or None."""
        ...

    @property
    def exception(self) -> BaseException | None:
        """What ended it, if something it raised did; else None.

        Of the original's type where that can be rebuilt (built-in exceptions, the client
        libraries'), else an `ExerciseError`.
        """
        ...

    @property
    def traceback(self) -> str:
        """The traceback of `exception` as text, the learner's lines first; "" without one."""
        ...

    def kill(self) -> None:
        """End it at once, as SIGKILL does. Idempotent."""
        ...

    def signal(self, number: int) -> None:
        """Send it a signal (SIGINT and SIGTERM everywhere)."""
        ...

    def wait(self, timeout_s: float) -> bool:
        """Let time pass until it has ended, at most `timeout_s`; say whether it has."""
        ...


class Stack(Protocol):
    """One run of an exercise."""

    @property
    def name(self) -> str:
        """The word for it, "simulated" or "live"; what `@pytest.mark.stack(...)` names."""
        ...

    @property
    def seed(self) -> int:
        """The seed of this run; a stack that cannot repeat a run keeps it for its reports."""
        ...

    @property
    def rabbitmq(self) -> RabbitMQObserver:
        """The run's RabbitMQ. Raises: BrokerNotNeeded, as the three below."""
        ...

    @property
    def kafka(self) -> KafkaObserver:
        """The run's Kafka."""
        ...

    @property
    def redis(self) -> RedisObserver:
        """The run's Redis."""
        ...

    @property
    def mqtt(self) -> MQTTObserver:
        """The run's MQTT server."""
        ...

    @property
    def now_s(self) -> float:
        """Seconds since the run began: virtual or real."""
        ...

    @property
    def last_event_s(self) -> float:
        """When the last thing happened that was not mere waiting; `now_s` where nobody knows."""
        ...

    @property
    def processes(self) -> Sequence[Process]:
        """Every process started so far, in order."""
        ...

    def start_function(
        self, file: Path, function: str, args: Sequence[Any] = (), *, name: str | None = None
    ) -> Process:
        """Start a process that calls one function of a file. It runs once time passes."""
        ...

    def start_script(self, file: Path, *, name: str | None = None) -> Process:
        """Start a process that runs a file as a program."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        ...

    def run_until(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Let time pass until `condition()` is true, at most `timeout_s`; return whether it is."""
        ...

    def run_until_idle(self, timeout_s: float) -> float:
        """Let time pass until every message is handled and every process waits or has ended.

        Returns the time of the last thing that happened, in seconds since the run began.

        Raises:
            TimeoutError: the processes were still at work after `timeout_s`; says which.
        """
        ...

    def slow_link(self, process: str, latency_s: float) -> None:
        """Let everything between processes of that name and the brokers take `latency_s` one way.

        Raises `NotImplementedError` where the network is not ours to slow down.
        """
        ...

    def events(self, kind: str) -> list[Mapping[str, Any]]:
        """Trace events of a kind, of processes and brokers alike, with `id`, `t_s` and `process`.

        Raises `NotImplementedError` where the stack keeps no trace.
        """
        ...

    def recorded(self, name: str) -> list[Any]:
        """Values that the exercise's processes passed to `record(name, value)`, in order."""
        ...

    def crash_points(self, process: str) -> list[CrashPoint]:
        """The moments of this run at which the first process of that name is worth killing.

        Asked after a scenario ran; a stack on which a run takes real time returns a sample.
        """
        ...

    def fresh(self, crash: CrashPoint | None = None) -> Stack:
        """Another run of the same kind and seed, in which the process dies at `crash`."""
        ...

    @property
    def crashed(self) -> bool:
        """Whether the crash this run was made for has happened."""
        ...

    def close(self) -> None:
        """Kill what still runs and remove every trace of the run. Idempotent."""
        ...
