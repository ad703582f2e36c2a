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
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from sandbox.sim import standins

#: What libraries import by themselves only once they are used.
LATER: Mapping[str, tuple[str, ...]] = {
    "celery": (
        "celery.app.control",
        "celery.app.events",
        "celery.app.log",
        "celery.app.trace",
        "celery.apps.worker",
        "celery.backends.redis",
        "celery.backends.rpc",
        "celery.bin.celery",
        "celery.concurrency.solo",
        "celery.concurrency.thread",
        "celery.contrib.testing.worker",
        "celery.fixups.django",
        "celery.loaders.app",
        "celery.utils.static",
        "celery.worker.autoscale",
        "celery.worker.consumer",
        "celery.worker.consumer.delayed_delivery",
        "celery.worker.strategy",
        "kombu.transport.pyamqp",
        "kombu.transport.redis",
    ),
    "kombu": ("kombu.transport.pyamqp", "kombu.transport.redis"),
    "redis": ("redis.asyncio",),
}


def import_before(source: str, folder: Path | None) -> None:
    """Import the libraries that a program names, and those its own modules name."""
    wanted = _wanted(source, folder)
    if wanted:
        with standins.importing():
            for name in wanted:
                for module in (name, *LATER.get(name, ())):
                    # What goes wrong the program will meet itself, and say so.
                    with suppress(Exception):
                        importlib.import_module(module)


def _wanted(source: str, folder: Path | None) -> list[str]:
    """Libraries in the order in which they are named; files of the program's folder are its own."""
    wanted: dict[str, None] = {}
    sources, own = [source], set()
    for text in sources:
        for name in _named(text):
            file = _own_file(name, folder)
            if file is None:
                wanted[name] = None
            elif name not in own:
                own.add(name)
                with suppress(OSError, UnicodeDecodeError):
                    sources.append(file.read_text(encoding="utf-8"))
    return list(wanted)


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


def _own_file(name: str, folder: Path | None) -> Path | None:
    if folder is None:
        return None
    files = (folder / f"{name}.py", folder / name / "__init__.py")
    return next((file for file in files if file.is_file()), None)
