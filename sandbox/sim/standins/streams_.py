"""What a process prints to and reads from: its `sys.stdout`, `sys.stderr`, `sys.stdin`, `input`.

`sys` is the interpreter's, so another operating-system thread that prints while a world runs finds
a process's stream there. What it writes goes where it would have gone.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from sandbox.sim.standins import context
from sandbox.sim.syscalls import STDERR, STDOUT

if TYPE_CHECKING:
    from sandbox.sim.standins.process import InProcess

NO_KEYBOARD = (
    "input() has nobody to ask: programs in the simulated world have no keyboard. Put the value "
    "into the program instead."
)


class ProcessStream(io.TextIOBase):
    """Standard output or error of a process: whole lines reach the world at once."""

    encoding = "utf-8"
    errors = "backslashreplace"
    line_buffering = True

    def __init__(self, process: InProcess, stream: int) -> None:
        super().__init__()
        self._process = process
        self._stream = stream
        #: What was written since the last whole line.
        self.line = ""
        self.name = "<stdout>" if stream == STDOUT else "<stderr>"
        self.mode = "w"

    @property
    def buffer(self) -> Any:
        """A binary stream on top of this one."""
        return _Bytes(self)

    def reconfigure(self, **_: Any) -> None:
        """Accept what `sys.stdout.reconfigure(...)` asks for; text here has no encoding."""

    def writable(self) -> bool:
        return True

    def write(self, text: str, /) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if context.current() is not self._process:
            return self._written_elsewhere(text)
        self.line += text
        if "\n" in text:
            whole, _, self.line = self.line.rpartition("\n")
            self._process.syscalls.write(self._stream, whole + "\n")
        return len(text)

    def flush(self) -> None:
        if self.line and context.current() is self._process:
            text, self.line = self.line, ""
            self._process.syscalls.write(self._stream, text)

    def _written_elsewhere(self, text: str) -> int:
        """Somebody else holds this stream: another process, or a thread beside the world."""
        other = context.current()
        if other is not None:
            target: Any = other.stderr if self._stream == STDERR else other.stdout
        else:
            target = self._process.outside_stream(self._stream)
        if target is not None:
            target.write(text)
        return len(text)


class _Bytes(io.RawIOBase):
    """What `sys.stdout.buffer` is."""

    def __init__(self, stream: ProcessStream) -> None:
        super().__init__()
        self._text = stream

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self._text.write(bytes(data).decode("utf-8", "backslashreplace"))
        return len(data)

    def flush(self) -> None:
        if not self.closed:
            self._text.flush()


def ask(process: InProcess, prompt: object) -> str:
    """`input` in a world."""
    process.stdout.write(str(prompt))
    process.flush()
    raise EOFError(NO_KEYBOARD)
