"""The command, run in this process, on a course of one tiny lab."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandbox.cli import main, screen
from sandbox.course.places import Root

DATA = Path(__file__).parent.parent / "data" / "course"


@dataclass(frozen=True)
class Ran:
    """What a command did."""

    status: int
    out: str
    err: str


Command = Callable[..., Ran]


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the tiny course, the only one that commands find."""
    folder = tmp_path / "course"
    shutil.copytree(DATA, folder)
    root = Root(folder / "labs", folder / "solutions")
    monkeypatch.setattr("sandbox.course.manifest.course_roots", lambda: [root])
    return folder


@pytest.fixture
def home(tmp_path: Path, course: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, the current one."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def sandbox(home: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run a command: `sandbox("check", "tiny")`."""

    def run(*arguments: str) -> Ran:
        screen.console.cache_clear()
        status = main(list(arguments))
        captured = capsys.readouterr()
        return Ran(status, captured.out, captured.err)

    return run
