"""The `lab` fixture: what checks are written against.

A check says what must be true of the system, not of the code's text. It starts the exercise's
functions as processes, lets time pass, and looks at what was recorded and what the broker saw. The
same check means the same on every stack; see `sandbox.stack.base` for what a stack is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sandbox.course.administrators.kafka import Kafka
from sandbox.course.administrators.mqtt import MQTT
from sandbox.course.administrators.rabbitmq import RabbitMQ
from sandbox.course.administrators.redis import Redis
from sandbox.course.administrators.values import Values
from sandbox.stack.base import Process, Stack

__all__ = ["MQTT", "Kafka", "Lab", "RabbitMQ", "Redis", "Values"]

#: How long a check waits, in seconds, unless it says otherwise: virtual ones, or real ones on a
#: stack of real processes.
PATIENCE_S = 600.0
REAL_PATIENCE_S = 30.0


class Lab:
    """An exercise in a fresh run."""

    def __init__(self, stack: Stack, file: Path) -> None:
        self._stack = stack
        self._file = file
        #: What was tried beyond a single run, for the report: "37 crash points".
        self.tried = ""
        #: Processes of the rerun that failed, whose own troubles explain it.
        self._rerun: Sequence[Process] = ()

    @property
    def stack(self) -> str:
        """The stack's name."""
        return self._stack.name

    @property
    def seed(self) -> int:
        """The run's seed."""
        return self._stack.seed

    @property
    def rabbitmq(self) -> RabbitMQ:
        """The run's RabbitMQ, to act on and observe."""
        return RabbitMQ(self._stack.rabbitmq, self._file)

    @property
    def kafka(self) -> Kafka:
        """The run's Kafka."""
        return Kafka(self._stack.kafka)

    @property
    def redis(self) -> Redis:
        """The run's Redis."""
        return Redis(self._stack.redis)

    @property
    def mqtt(self) -> MQTT:
        """The run's MQTT server."""
        return MQTT(self._stack.mqtt)

    @property
    def now(self) -> float:
        """Seconds since the run began."""
        return self._stack.now_s

    @property
    def lasted_s(self) -> float:
        """How long the run took, without the quiet at its end that shows it is over."""
        return self._stack.last_event_s

    @property
    def processes(self) -> Sequence[Process]:
        """Every process started so far, those of a crash run that failed last."""
        return [*self._stack.processes, *self._rerun]

    def start(self, function: str, *args: Any, name: str | None = None) -> Process:
        """Start one function of the exercise as a process."""
        return self._stack.start_function(self._file, function, args, name=name)

    def run(self, *, timeout_s: float | None = None) -> Process:
        """Run the whole file as a program, to its end.

        Raises: TimeoutError, with the sentence why it has not ended.
        """
        process = self._stack.start_script(self._file)
        self._finish(process, self._patience(timeout_s))
        return process

    def call(self, function: str, *args: Any, timeout_s: float | None = None) -> Any:
        """Call a function of the exercise in a process of its own and return what it returns.

        Re-raises what it raised. Raises: TimeoutError, it did not return.
        """
        process = self.start(function, *args)
        self._finish(process, self._patience(timeout_s))
        if process.exception is not None:
            raise process.exception
        return process.result

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self._stack.sleep(seconds)

    def slow_link(self, name: str, *, latency_s: float) -> None:
        """Put processes of that name far from the brokers: `latency_s` each way. Simulated only."""
        self._stack.slow_link(name, latency_s)

    def wait_until(self, condition: Callable[[], bool], *, timeout_s: float | None = None) -> bool:
        """Let time pass until `condition()`; whether it came true in time."""
        return self._stack.run_until(condition, self._patience(timeout_s))

    def run_until_idle(self, *, timeout_s: float | None = None) -> float:
        """Let time pass until every message is handled and everybody waits or has ended.

        Returns the time of the last thing that happened. Raises: TimeoutError, they never rested.
        """
        return self._stack.run_until_idle(self._patience(timeout_s))

    def recorded(self, name: str) -> Values:
        """What the exercise passed to `record(name, value)`, in order."""
        return Values(self._stack.recorded(name))

    def events(self, kind: str) -> list[Mapping[str, Any]]:
        """Trace events of a kind, of processes and brokers alike. Simulated only."""
        return self._stack.events(kind)

    def crash_everywhere(self, name: str, scenario: Callable[[Lab], None]) -> None:
        """Run a scenario once in peace, then once for each moment worth crashing at.

        In each rerun the first process called `name` dies at that moment. A scenario gets a fresh
        `Lab` and fails by raising; the failure then says where the process died.
        """
        scenario(self)
        points = self._stack.crash_points(name)
        if not points:
            raise AssertionError(
                f"`{name}` never did anything that can be interrupted, so nothing was tried."
            )
        for point in points:
            stack = self._stack.fresh(point)
            try:
                scenario(Lab(stack, self._file))
            except AssertionError as error:
                self._rerun = stack.processes
                raise AssertionError(f"{error}\n({point}{_time_of_death(stack)})") from error
            except TimeoutError as error:
                self._rerun = stack.processes
                raise TimeoutError(f"{error}\n({point}{_time_of_death(stack)})") from error
            except BaseException:
                self._rerun = stack.processes
                raise
            finally:
                stack.close()
        self.tried = f"{len(points)} crash points"

    def close(self) -> None:
        """End the run."""
        self._stack.close()

    def _patience(self, timeout_s: float | None) -> float:
        if timeout_s is not None:
            return timeout_s
        return PATIENCE_S if self.stack == "simulated" else REAL_PATIENCE_S

    def _finish(self, process: Process, timeout_s: float) -> None:
        if not process.wait(timeout_s):
            process.kill()
            raise TimeoutError(f"`{process.name}` had not ended after {timeout_s:g} s.")


def _time_of_death(stack: Stack) -> str:
    """When the crash of this run happened, where the stack knows."""
    try:
        kills = stack.events("process.kill")
    except NotImplementedError:
        return ""
    return f", t = {kills[0]['t_s']:.3f} s" if kills else ""
