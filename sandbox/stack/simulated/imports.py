"""Importing the libraries that a program will want, before it runs.

A world's programs share the libraries' modules. Whoever imports one first would pay for it: with
real seconds, and with virtual microseconds and random numbers where the library asks for some while
it is imported, so that a second run would differ from the first. Therefore what a program names in
its import statements is imported here, outside the world.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import sys
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from sandbox.sim import standins

#: What libraries import by themselves only once they are used.
LATER: Mapping[str, tuple[str, ...]] = {
    "celery": (
        "celery.app.trace",
        "celery.backends.redis",
        "celery.backends.rpc",
        "celery.concurrency.solo",
        "celery.concurrency.thread",
        "celery.contrib.testing.worker",
        "celery.fixups.django",
        "celery.loaders.app",
        "celery.worker.autoscale",
        "celery.worker.consumer",
        "celery.worker.strategy",
        "kombu.transport.pyamqp",
        "kombu.transport.redis",
    ),
    "kombu": ("kombu.transport.pyamqp", "kombu.transport.redis"),
    "redis": ("redis.asyncio",),
}


def import_before(source: str, folder: Path | None) -> None:
    """Import the libraries that a program names, unless its own folder has files called so."""
    named = _named(source)
    wanted = [name for name in named if not _is_own(name, folder)]
    if not wanted:
        return
    with standins.importing():
        for name in wanted:
            for module in (name, *LATER.get(name, ())):
                try:
                    importlib.import_module(module)
                except Exception:  # the program will meet it itself, and say so
                    break


@lru_cache(maxsize=64)
def _named(source: str) -> tuple[str, ...]:
    """The libraries that a program's text imports, by their first name."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return ()
    found = dict.fromkeys(
        name.partition(".")[0]
        for node in ast.walk(tree)
        for name in _modules(node)
        if name.partition(".")[0] not in sys.stdlib_module_names
    )
    found.pop("sandbox", None)
    return tuple(found)


def _modules(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
        yield node.module


def _is_own(name: str, folder: Path | None) -> bool:
    return folder is not None and (
        (folder / f"{name}.py").is_file() or (folder / name / "__init__.py").is_file()
    )
