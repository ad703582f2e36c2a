"""The kernel extension: `%load_ext sandbox` puts every following cell inside a world.

Cells are handed to a `Session` as text, so they run exactly as on the page. `%sandbox_world` begins
a fresh world, with a seed if one is given. Cells that begin with a magic (`%` or `!`) stay outside.
"""

from __future__ import annotations

import sys
from typing import Any

from sandbox.course.cells import Session
from sandbox.stack.simulated.brokers import KINDS

#: The name under which a notebook reaches its worlds.
NAME = "_sandbox_notebook"


class Notebook:
    """The world of one kernel."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.number = 0
        self.session: Session | None = None

    def begin(self, line: str = "") -> None:
        """`%sandbox_world [--seed N] [BROKER]...`: forget everything, begin a fresh world.

        Without brokers it has them all.
        """
        words = line.split()
        seed = 1
        if "--seed" in words:
            position = words.index("--seed")
            try:
                seed = int(words[position + 1])
            except (IndexError, ValueError):
                print("--seed is followed by a whole number.", file=sys.stderr)
                return
            del words[position : position + 2]
        if self.session is not None:
            self.session.close()
        self.number = 0
        self.session = Session(seed, words, late=() if words else tuple(KINDS))

    def run(self, source: str) -> None:
        """Run a cell in the world."""
        if self.session is None:
            self.begin()
        assert self.session is not None
        self.number += 1
        result = self.session.run(self.number, source)
        # Not while it runs: standard output then belongs to the world's programs.
        print(result.shown, end="")
        if not self.session.alive:
            self.session = None  # the next cell begins a fresh one

    def transform(self, lines: list[str]) -> list[str]:
        """Turn a cell's text into a call that runs it in the world."""
        text = "".join(lines)
        if not text.strip() or text.lstrip().startswith(("%", "!", "?")) or NAME in text:
            return lines
        return [f"{NAME}.run({text!r})\n"]


def load_ipython_extension(shell: Any) -> None:
    """Called by `%load_ext sandbox`."""
    notebook = Notebook(shell)
    shell.user_ns[NAME] = notebook
    shell.user_ns_hidden[NAME] = notebook
    shell.input_transformer_manager.cleanup_transforms.insert(0, notebook.transform)
    shell.register_magic_function(notebook.begin, "line", "sandbox_world")


def unload_ipython_extension(shell: Any) -> None:
    """Called by `%unload_ext sandbox`: cells are ordinary again."""
    notebook = shell.user_ns.pop(NAME, None)
    if notebook is not None:
        shell.input_transformer_manager.cleanup_transforms.remove(notebook.transform)
        if notebook.session is not None:
            notebook.session.close()
