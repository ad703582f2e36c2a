"""A process of a simulated world, as checks see it. See `sandbox.stack.base.Process`."""

from __future__ import annotations

from typing import Any

from sandbox.sim.world import ProcessHandle, World
from sandbox.stack.simulated.patience import Patience


class SimulatedProcess:
    """See the module."""

    def __init__(self, world: World, handle: ProcessHandle, patience: Patience) -> None:
        self._world = world
        self._patience = patience
        self.handle = handle

    @property
    def name(self) -> str:
        return self.handle.name

    @property
    def output(self) -> str:
        return self.handle.output

    @property
    def alive(self) -> bool:
        return self.handle.alive

    @property
    def exit(self) -> int | None:
        return self.handle.exit

    @property
    def result(self) -> Any:
        return self.handle.result

    @property
    def exception(self) -> BaseException | None:
        return self.handle.error

    @property
    def traceback(self) -> str:
        reports = self.handle.reports
        return reports[-1]["traceback"] if reports and self.exception is not None else ""

    def kill(self) -> None:
        self.handle.kill()

    def signal(self, number: int) -> None:
        self.handle.signal(number)

    def wait(self, timeout_s: float) -> bool:
        """Let time pass until it has ended; an idle world ends the wait early.

        Raises: TimeoutError, a program loops; says where.
        """
        ending = self._world.run_until_exit(
            self.handle, until_s=self._world.now_s + timeout_s, **self._patience.limits
        )
        self._patience.note(ending)
        if ending is not None and ending.kind not in ("until", "idle"):
            raise TimeoutError(ending.sentence)
        return not self.alive
