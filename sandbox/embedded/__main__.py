"""`python -m sandbox.embedded OPTIONS`: a server for another program, not for a person.

OPTIONS is a JSON object with the fields of `sandbox.embedded.Options`. One line of JSON says where
it listens, or why it cannot; it serves until its standard input ends, which also happens when the
program that started it is killed, so none is ever left behind.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from pathlib import Path
from typing import Any

from sandbox.embedded.engine import Engine
from sandbox.embedded.errors import EmbeddedError
from sandbox.embedded.options import Options

_PATHS = ("data", "trace", "users")


def main(arguments: str) -> int:
    """Serve; the exit status: 0 stopped, 2 it could not start or go on."""
    given: dict[str, Any] = json.loads(arguments)
    for name in _PATHS:
        if given.get(name) is not None:
            given[name] = Path(given[name])
    given["only"] = tuple(given.get("only", ()))
    engine = Engine(Options(**given), _log)
    try:
        engine.open()
        asyncio.run(_serve(engine))
    except EmbeddedError as problem:
        _say({"problem": str(problem)})
        return 2
    return 0


async def _serve(engine: Engine) -> None:
    await engine.start()
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()

    def read() -> None:
        sys.stdin.buffer.read()
        loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=read, daemon=True).start()
    _say({"ports": engine.ports})
    failing = asyncio.ensure_future(engine.failed())
    waiting = asyncio.ensure_future(ended.wait())
    try:
        await asyncio.wait({failing, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if failing.done():
            failing.result()
    finally:
        failing.cancel()
        waiting.cancel()
        await engine.stop()


def _say(what: dict[str, Any]) -> None:
    print(json.dumps(what), flush=True)


def _log(service: str, text: str) -> None:
    print(f"{service or 'sandbox'} {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "{}"))
