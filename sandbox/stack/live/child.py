"""What runs inside an exercise's process: `python -m sandbox.stack.live.child FILE FUNCTION ARGS`.

ARGS is a JSON list ("-" reads it from standard input). Without FUNCTION and ARGS the file runs as
a program. The file is the learner's own, unchanged; three things around it differ from a plain
`python FILE`:

- connecting to a broker's usual address (localhost:5672 ...) leads to the run's proxy;
- what it passes to `sandbox.record` goes to the stack;
- the stack is told of sleeps and of waits with a time limit, so that it can tell a process at work
  from one that waits for messages.

The stack's address is in the environment. Without it the file runs all the same, against whatever
listens at localhost:5672, and records go to standard error: handy when trying things by hand.
"""

from __future__ import annotations

import importlib.util
import json
import os
import runpy
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from socket import create_connection, socket
from typing import Any

from sandbox import effects
from sandbox.stack.live import control, failures, redirect, waits

#: JSON, from `sandbox.stack.live.hub`: the control port, our token, ports to redirect.
LINK_VARIABLE = "SANDBOX_LIVE_LINK"


class Link:
    """The control connection to the stack. Safe to use from several threads."""

    def __init__(self, connection: socket) -> None:
        self._socket = connection
        self._answers = connection.makefile("rb")
        self._turn = threading.Lock()

    def tell(self, kind: str, **fields: Any) -> None:
        """Send a message and wait until the stack has taken note of it."""
        line = control.encode(kind, **fields)
        with self._turn:
            self._socket.sendall(line)
            if not self._answers.readline():
                # The stack is gone, and so is everybody who wanted to know what we do.
                os._exit(1)


def main(arguments: list[str]) -> int:
    """Run the exercise and return the process's exit status."""
    file = Path(arguments[0]).resolve()
    function = arguments[1] if len(arguments) > 1 else None
    text = arguments[2] if len(arguments) > 2 else "[]"
    call_arguments = control.unpack(json.loads(sys.stdin.read() if text == "-" else text))
    link = _connect()
    sys.path.insert(0, str(file.parent))
    sys.argv = [str(file)]
    try:
        if function is None:
            runpy.run_path(str(file), run_name="__main__")
            result = None
        else:
            result = _function(file, function)(*call_arguments)
        sys.stdout.flush()
        _say(link, "returned", value=control.pack(result))
    except SystemExit as ending:
        return _exit_status(ending)
    except KeyboardInterrupt:
        # As Python itself does: the shell must see that a signal ended it.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
        return 130
    except BaseException as error:
        failure = failures.describe(error, file.parent)
        sys.stdout.flush()
        print(failure["traceback"], end="", file=sys.stderr, flush=True)
        _say(link, "raised", **failure)
        return 1
    return 0


def _connect() -> Link | None:
    address = os.environ.pop(LINK_VARIABLE, None)
    if address is None:
        return None
    told = json.loads(address)
    link = Link(create_connection(("127.0.0.1", told["port"])))
    redirect.install(dict(told["redirects"]))
    waits.report(lambda kind, **fields: link.tell(kind, **fields))
    effects.deliver = lambda name, value: link.tell("record", name=name, value=value)
    # Said last: what it takes to start Python and import pika is no time of the exercise's.
    link.tell("hello", token=told["token"])
    return link


def _function(file: Path, name: str) -> Callable[..., Any]:
    specification = importlib.util.spec_from_file_location(file.stem, file)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[file.stem] = module
    specification.loader.exec_module(module)
    function = getattr(module, name, None)
    if not callable(function):
        raise AttributeError(f"{file.name} has no function {name}(); the exercise asks for one.")
    found: Callable[..., Any] = function
    return found


def _say(link: Link | None, kind: str, **fields: Any) -> None:
    if link is not None:
        link.tell(kind, **fields)


def _exit_status(ending: SystemExit) -> int:
    if ending.code is None or isinstance(ending.code, int):
        return ending.code or 0
    print(ending.code, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
