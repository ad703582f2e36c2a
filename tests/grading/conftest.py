"""A lab folder to spoil."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

DATA = Path(__file__).parent.parent / "data" / "course"


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A copy of the tiny course: `labs/tiny` and `solutions/tiny`."""
    folder = tmp_path / "course"
    shutil.copytree(DATA, folder)
    return folder


@pytest.fixture
def tiny(course: Path) -> Path:
    """A copy of the tiny lab's folder."""
    return course / "labs" / "tiny"
