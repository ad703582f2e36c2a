"""Worlds for tests, and a way to run a function inside one.

What a test asserts inside a world fails the test: `inside` re-raises what the function raised.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.sim.world import ProcessHandle, World

#: Real seconds after which a test that should take milliseconds has gone astray.
PATIENCE_S = 20.0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In a browser there is no operating system to compare with."""
    if sys.platform == "emscripten":
        for item in items:
            if item.get_closest_marker("needs_os") is not None:
                item.add_marker(pytest.mark.skip(reason="needs an operating system"))


@pytest.fixture
def world() -> Iterator[World]:
    """An empty world."""
    made = World(seed=1)
    yield made
    made.close()


@pytest.fixture
def inside(world: World) -> Callable[..., Any]:
    """Run a function as a process of `world` and return what it returned."""

    def run(function: Callable[..., Any], *args: Any) -> Any:
        process = world.start_function(function, *args, name="main")
        ending = world.run(real_s=PATIENCE_S)
        if process.error is not None:
            raise process.error
        assert process.exit == 0, f"{ending.sentence}\n{process.output}"
        return process.result

    return run


@pytest.fixture
def script(world: World, tmp_path: Path) -> Callable[..., ProcessHandle]:
    """Start a program, given as text."""

    def start(source: str, name: str = "main.py", **options: Any) -> ProcessHandle:
        file = tmp_path / name
        file.write_text(source, encoding="utf-8")
        return world.start_script(file, **options)

    return start


@pytest.fixture
def run_script(world: World, script: Callable[..., ProcessHandle]) -> Callable[..., str]:
    """Run a program, given as text, to its end and return what it printed."""

    def run(source: str, **options: Any) -> str:
        process = script(source, **options)
        ending = world.run(real_s=PATIENCE_S)
        assert process.exit == 0, f"{ending.sentence}\n{process.output}\n{process.reports}"
        return process.output

    return run


def digest(world: World) -> str:
    """A fingerprint of a whole trace."""
    text = "\n".join(world.trace.lines())
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture(name="digest")
def _digest() -> Callable[[World], str]:
    """A fingerprint of a world's whole trace."""
    return digest
