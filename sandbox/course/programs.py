"""`sandbox run`: ordinary scripts, each a process of its own, in one world.

What they print is handed on line by line, with the virtual time and the program that printed it.
When the world stops, the learner's lines of whatever broke come first.

To change how a line looks, see `sandbox.cli.run`; to change when a run ends, `sandbox.sim.endings`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox.course.explain import explain
from sandbox.sim.clock import SECOND
from sandbox.sim.endings import Ending
from sandbox.sim.world import ProcessHandle
from sandbox.stack.simulated import SimulatedStack
from sandbox.stack.simulated.brokers import KAFKA_CLUSTER, KINDS

#: Real seconds without a system call before a program counts as looping endlessly.
STALL_LIMIT_S = 10.0

#: Programs start one after another, as a person starts them: late enough for the one before to have
#: connected, declared and subscribed.
APART_S = 0.01

#: Told (virtual seconds, program, a line it printed, stream: 1 output, 2 error).
OnLine = Callable[[float, str, str, int], None]


@dataclass(frozen=True)
class Broken:
    """A program that an exception ended."""

    program: str
    #: The exception, the learner's lines, one sentence.
    explained: str
    traceback: str


class Programs:
    """Scripts in a world, ready to run."""

    def __init__(
        self,
        files: Sequence[Path],
        *,
        seed: int = 1,
        brokers: Sequence[str] = (),
        late: Sequence[str] = tuple(KINDS),
        on_line: OnLine,
    ) -> None:
        """Get ready to run `files`, with brokers that are there from the start, or once wanted."""
        if KAFKA_CLUSTER in brokers:
            late = [name for name in late if name != "kafka"]
        self.stack = SimulatedStack(seed=seed, brokers=brokers, late=late)
        self.world = self.stack.world
        self._on_line = on_line
        self._halves: dict[tuple[str, int], str] = {}
        self.world.kernel.on_output = lambda process, stream, text: self._text(
            process.name, stream, text
        )
        self._files = list(zip(files, _names(files), strict=True))
        self.handles: list[ProcessHandle] = []

    def run(self, *, until_s: float | None = None, real_s: float | None = None) -> Ending:
        """Run until everything is handled, or until virtual time `until_s`.

        `real_s` limits the real seconds of each stretch; a program that computes for
        `STALL_LIMIT_S` without a system call is stopped in any case.
        """
        ending: Ending | None = None
        for number, (file, name) in enumerate(self._files):
            if number:
                ending = self.world.run(
                    until_s=number * APART_S, real_s=real_s, stall_s=STALL_LIMIT_S, to_idle=False
                )
                if ending.kind != "until":
                    break
            self.handles.append(self.stack.start_script(file, name=name).handle)
        else:
            ending = self.world.run(
                until_s=until_s, real_s=real_s, stall_s=STALL_LIMIT_S, to_idle=until_s is None
            )
        assert ending is not None
        for (program, stream), text in self._halves.items():
            if text:
                self._on_line(self.world.now_s, program, text, stream)
        self._halves.clear()
        return ending

    def interrupt(self) -> None:
        """Ctrl-C: every program gets a SIGINT, as from a terminal."""
        import signal

        for handle in self.handles:
            if handle.alive:
                handle.signal(signal.SIGINT)

    @property
    def broken(self) -> list[Broken]:
        """The programs that an exception ended, in the order they were named."""
        found = []
        for handle in self.handles:
            reports = handle.reports
            if handle.error is None or not reports or isinstance(handle.error, KeyboardInterrupt):
                continue
            traceback = reports[-1]["traceback"]
            own = {Path(path).name for path in handle.own_files}
            found.append(Broken(handle.name, explain(handle.error, traceback, own), traceback))
        return found

    @property
    def failed(self) -> list[str]:
        """Programs that ended with a status other than 0."""
        return [handle.name for handle in self.handles if handle.exit not in (None, 0)]

    def write_trace(self, path: Path) -> None:
        """Write everything that happened, as JSON lines."""
        with path.open("w", encoding="utf-8", newline="\n") as file:
            self.world.trace.write_jsonl(file)

    def _text(self, program: str, stream: int, text: str) -> None:
        whole, newline, half = (self._halves.pop((program, stream), "") + text).rpartition("\n")
        if newline:
            now_s = self.world.kernel.clock.now_ns / SECOND
            for line in whole.split("\n"):
                self._on_line(now_s, program, line, stream)
        if half:
            self._halves[program, stream] = half


def _names(files: Sequence[Path]) -> list[str]:
    """What each program is called: its file's name, numbered when it runs more than once."""
    names: list[str] = []
    for file in files:
        name, number = file.name, 1
        while name in names:
            number += 1
            name = f"{file.name}#{number}"
        names.append(name)
    return names
