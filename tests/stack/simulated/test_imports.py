"""What a program will import is imported before its world begins."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.stack.simulated.imports import import_before


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of libraries, with one that tells when it is imported."""
    folder = tmp_path / "libraries"
    folder.mkdir()
    (folder / "lib_of_a_test.py").write_text("value = 1\n", encoding="utf-8")
    (folder / "lib_that_breaks.py").write_text("raise RuntimeError('no')\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(folder))
    yield folder
    sys.modules.pop("lib_of_a_test", None)


@pytest.mark.parametrize(
    "source",
    [
        "import lib_of_a_test",
        "import os, lib_of_a_test as l",
        "from lib_of_a_test import value",
        "def main():\n    import lib_of_a_test",
        "import lib_that_breaks\nimport there_is_none\nimport lib_of_a_test",
        "import helper",
    ],
)
def test_libraries_are_found_wherever_a_program_names_them(
    source: str, library: Path, tmp_path: Path
) -> None:
    (tmp_path / "helper.py").write_text("import other_helper\n", encoding="utf-8")
    (tmp_path / "other_helper.py").write_text(
        "import helper, lib_of_a_test\nraise SystemExit\n", encoding="utf-8"
    )
    import_before(source, tmp_path)
    assert "lib_of_a_test" in sys.modules
    assert "helper" not in sys.modules


@pytest.mark.parametrize(
    "source", ["def broken(:", "print('import lib_of_a_test')", "from . import lib_of_a_test"]
)
def test_nothing_is_imported_that_the_program_does_not_name(source: str, library: Path) -> None:
    import_before(source, library.parent)
    assert "lib_of_a_test" not in sys.modules


def test_a_programs_own_file_is_left_to_it(library: Path, tmp_path: Path) -> None:
    (tmp_path / "lib_of_a_test.py").write_text("raise RuntimeError\n", encoding="utf-8")
    import_before("import lib_of_a_test", tmp_path)
    assert "lib_of_a_test" not in sys.modules
