"""What learners' programs import from `sandbox`: reporting effects, starting processes.

Both work by asking the world the program runs in. Outside a world, `record` goes to whatever has
been put in its place (`deliver`), and by default to standard error, so that a program run with
plain `python` still shows what it did.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any


def _to_stderr(name: str, value: Any) -> None:
    print(f"record {name}: {value!r}", file=sys.stderr)


#: Where records go outside a world. Called with the name and the value.
deliver: Callable[[str, Any], None] = _to_stderr


def record(name: str, value: Any = None) -> None:
    """Report an effect to whoever watches this program: `record("shipped", "order-1")`.

    `value` is plain data: text, numbers, True, False, None, and lists and dicts of them; bytes are
    reported as text.

    Raises:
        TypeError: `value` is something else.
    """
    try:
        text = json.dumps(value, default=_as_text)
    except TypeError as error:
        message = f"record() takes plain data (text, numbers, lists, dicts): {error}"
        raise TypeError(message) from None
    process = _process()
    if process is None:
        deliver(name, json.loads(text))
    else:
        process.syscalls.record(name, text)


class Handle:
    """A process that was started with `start`."""

    def __init__(self, process: Any, pid: int, name: str) -> None:
        self._process = process
        self.pid = pid
        self.name = name

    def kill(self) -> None:
        """End it at once, wherever it is, as a power cut would."""
        self._process.syscalls.kill(self.pid, 9)

    def signal(self, signum: int) -> None:
        """Send it a signal, such as `signal.SIGTERM`."""
        self._process.syscalls.kill(self.pid, int(signum))

    def wait(self, timeout_s: float | None = None) -> int | None:
        """Wait until it has ended: its exit status, or None when the time-out came first."""
        timeout_ns = None if timeout_s is None else round(timeout_s * 1e9)
        status: int | None = self._process.syscalls.wait_process(self.pid, timeout_ns)
        return status

    def __repr__(self) -> str:
        return f"<process {self.name} pid={self.pid}>"


def start(function: Callable[..., Any], *args: Any, name: str | None = None) -> Handle:
    """Run `function(*args)` as a process of its own, beside this one.

    It shares no connection with this program and can be killed: `start(worker).kill()`. When an
    exception ends it, it says so on its standard error, as any program does.

    Raises:
        RuntimeError: outside a world, where `subprocess` or `multiprocessing` is the way.
    """
    process = _process()
    if process is None:
        raise RuntimeError(
            "sandbox.start() works inside the simulated world only (sandbox run FILE). In real "
            "life, start a second program: python worker.py"
        )
    title = name or str(getattr(function, "__name__", "process"))
    process.flush()
    entry = process.enter(lambda: _tell_if_it_breaks(function, args))
    return Handle(process, process.syscalls.spawn(entry, title, True), title)


def _tell_if_it_breaks(function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """The whole life of a started process: its exception is printed, then ends it."""
    try:
        return function(*args)
    except Exception as error:
        from sandbox.course.explain import explain

        process = _process()
        own = {os.path.basename(path) for path in process.own_files}
        told = "".join(traceback.format_exception(error))
        print(f"`{process.name}` has ended:", explain(error, told, own), file=sys.stderr)
        raise


def _process() -> Any:
    """The running process of a world, without importing worlds where there are none."""
    context = sys.modules.get("sandbox.sim.standins.context")
    return None if context is None else context.current()


def _as_text(value: Any) -> str:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).decode("utf-8", "backslashreplace")
    raise TypeError(f"{type(value).__name__} is not")
