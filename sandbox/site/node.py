"""Run Python in the page's Pyodide without a browser: the same snapshot, under Node with JSPI.

    python -m sandbox.site.node script.py [ARGUMENT...]
    echo 'print(1)' | python -m sandbox.site.node

Tests use `run_in_pyodide(code)`. Whatever our own sources are at that moment is what runs: the
snapshot is made again when they changed, which takes a few seconds, and kept when they did not.

The JavaScript side is `web/node/run.ts`.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox.site.bundle.build import build_runtime
from sandbox.site.bundle.errors import BundleError
from sandbox.site.bundle.nodejs import find_node
from sandbox.site.bundle.npm import web_folder


@dataclass(frozen=True)
class Finished:
    """What a program in Pyodide printed, and how it ended."""

    output: str
    errors: str
    exit: int


class PyodideProgramError(Exception):
    """A program that should have ended well did not; the text is what it printed."""


def run_in_pyodide(code: str, *arguments: str) -> str:
    """Run `code` as a program in the page's Pyodide and return what it printed.

    Top-level `await` is allowed. Standard error is not part of what is returned.

    Raises:
        PyodideProgramError: the program ended with an exception or an exit status other than 0.
        BundleError: Pyodide or its snapshot could not be made.
    """
    finished = run_program(code, arguments)
    if finished.exit != 0:
        raise PyodideProgramError(
            f"The program ended with exit status {finished.exit}.\n"
            f"{finished.output}{finished.errors}"
        )
    return finished.output


def run_program(code: str, arguments: Sequence[str] = ()) -> Finished:
    """As `run_in_pyodide`, and return how it ended, well or not."""
    done = find_node().run(*_command(None), *arguments, stdin=code)
    return Finished(done.stdout, done.stderr, done.returncode)


def _command(file: Path | None) -> list[str | Path]:
    runtime = build_runtime(lambda text: print(f"  {text}", file=sys.stderr, flush=True))
    return [web_folder() / "node" / "run.ts", runtime, "-" if file is None else file]


def main(arguments: list[str] | None = None) -> int:
    """Run the file named first, or standard input, and return its exit status."""
    words = sys.argv[1:] if arguments is None else arguments
    node = find_node()
    try:
        command = _command(Path(words[0]) if words else None)
    except BundleError as error:
        print(error, file=sys.stderr)
        return 1
    return subprocess.run(
        [node.path, *node.options, *command, *words[1:]], env=node.environment(), check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
