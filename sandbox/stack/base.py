"""What every stack offers: the few verbs on which the `lab` fixture is built.

A *stack* is somewhere an exercise's processes can run against brokers: the simulated world, or
real operating-system processes against a real RabbitMQ. `sandbox.course.fixture.Lab` is written
against these protocols alone, so a check means the same thing on each of them.

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


class StackUnavailable(Exception):
    """The stack cannot be used here; the message says why and what to do. Exit status 2."""


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


@dataclass(frozen=True)
class Message:
    """A message as an observer sees it."""

    body: bytes
    properties: Mapping[str, Any]
    redelivered: bool = False


class RabbitMQObserver(Protocol):
    """The checks' own administrator of the run's RabbitMQ (its virtual host "/")."""

    def declare(
        self,
        queue: str,
        *,
        durable: bool = False,
        exclusive: bool = False,
        auto_delete: bool = False,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        """Declare a queue as the administrator."""
        ...

    def publish(
        self, queue: str, bodies: Sequence[bytes], properties: Mapping[str, Any] | None = None
    ) -> None:
        """Publish to `queue` through the default exchange; return when the broker has them all.

        Declares the queue, not durable, if nobody has. `properties` are named as pika names them
        (`delivery_mode`, `headers`, `message_id` ...).
        """
        ...

    def published(self, queue: str) -> list[bytes]:
        """Bodies that were routed to the queue, by anyone, in order."""
        ...

    def delivered(self, queue: str) -> list[bytes]:
        """Bodies handed to the exercise's processes (redeliveries again), in order."""
        ...

    def acked(self, queue: str) -> list[bytes]:
        """Bodies the exercise's processes settled with an ack, or took without needing one."""
        ...

    def ready(self, queue: str) -> int:
        """How many messages wait for a consumer; 0 when there is no such queue."""
        ...

    def unacked(self, queue: str) -> int:
        """How many deliveries are not settled; 0 when there is no such queue."""
        ...

    def consumers(self, queue: str) -> int:
        """How many consumers the queue has; 0 when there is no such queue."""
        ...

    def exists(self, queue: str) -> bool:
        """Whether there is such a queue."""
        ...

    def durable(self, queue: str) -> bool:
        """Whether the queue would survive a restart of the broker; False when there is none."""
        ...

    def messages(self, queue: str) -> list[Message]:
        """The ready messages, oldest first; the queue keeps them."""
        ...

    def connections(self) -> list[str]:
        """The names of the exercise's processes that are connected, one per connection."""
        ...

    def events(self, kind: str) -> list[Mapping[str, Any]]:
        """Trace events of a kind.

        Raises `NotImplementedError` where the stack keeps no trace.
        """
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
        """The run's RabbitMQ."""
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
