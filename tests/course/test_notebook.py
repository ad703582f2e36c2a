"""Lessons as notebooks: what is in them, and that a kernel prints exactly that."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from sandbox.course.ipython import NAME, Notebook, load_ipython_extension
from sandbox.course.manifest import load_lab
from sandbox.course.notebook import make_notebook, write_notebook


def by_nbval(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run notebooks in kernels of their own and compare what they print, strictly."""
    command = [sys.executable, "-m", "pytest", "--nbval", str(folder), "-q"]
    options = ["-p", "no:cacheprovider", "--rootdir", str(folder), "-c", os.devnull]
    return subprocess.run([*command, *options], capture_output=True, text=True, check=False)


def test_a_notebook_holds_the_lesson_with_its_outputs(tiny: Path) -> None:
    notebook = make_notebook(load_lab(tiny))
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == [1, 2, 3]
    assert code[0].source.startswith("%load_ext sandbox")
    assert [[output.text for output in cell.outputs] for cell in code] == [
        [],
        ["hello\n"],
        ["True\n"],
    ]
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert "**Predict first.** How long does a second" in prose
    assert "- One second" in prose
    assert "* One second" not in prose
    assert "Exercise: Add up an order (2 points)" in prose
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)


def test_a_kernel_prints_what_the_notebook_holds_and_nbval_sees_a_difference(
    tiny: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "books"
    path = write_notebook(load_lab(tiny), folder)
    ran = by_nbval(folder)
    assert ran.returncode == 0, ran.stdout
    assert "3 passed" in ran.stdout
    path.write_text(path.read_text().replace("hello\\n", "goodbye\\n"))
    assert by_nbval(folder).returncode == 1


class Shell:
    """As much of IPython as the extension uses."""

    def __init__(self) -> None:
        self.user_ns: dict[str, object] = {}
        self.user_ns_hidden: dict[str, object] = {}
        self.magics: dict[str, object] = {}
        self.cleanup_transforms: list[object] = []
        self.input_transformer_manager = self

    def register_magic_function(self, function: object, kind: str, name: str) -> None:
        self.magics[name] = function


@pytest.fixture
def notebook() -> Notebook:
    shell = Shell()
    load_ipython_extension(shell)
    notebook = shell.user_ns[NAME]
    assert isinstance(notebook, Notebook)
    assert shell.cleanup_transforms == [notebook.transform]
    return notebook


def test_cells_become_calls_and_magics_stay_what_they_are(notebook: Notebook) -> None:
    (line,) = notebook.transform(["x = 'a'\n", "x"])
    assert line == f"{NAME}.run({chr(34)}x = 'a'\\nx{chr(34)})\n"
    for outside in (["%time 1"], ["!ls"], ["?print"], ["\n"]):
        assert notebook.transform(outside) == outside


def test_a_fresh_world_forgets_everything(
    notebook: Notebook, capsys: pytest.CaptureFixture[str]
) -> None:
    notebook.run("x = 1")
    notebook.run("x")
    assert capsys.readouterr().out == "1\n"
    notebook.begin("--seed 7")
    notebook.run("x")
    assert "NameError" in capsys.readouterr().out
    assert notebook.session is not None
    assert notebook.session.world.seed == 7
    notebook.begin("--seed seven")
    assert "whole number" in capsys.readouterr().err


def test_a_world_that_ended_is_followed_by_a_fresh_one(
    notebook: Notebook, capsys: pytest.CaptureFixture[str]
) -> None:
    notebook.run("import os\nos._exit(1)")
    notebook.run("print('again')")
    assert capsys.readouterr().out.endswith("again\n")


def test_a_world_without_named_brokers_has_them_all_and_one_with_names_has_those(
    notebook: Notebook, capsys: pytest.CaptureFixture[str]
) -> None:
    ping = "import redis\nprint(redis.Redis().ping())"
    notebook.run(ping)
    assert capsys.readouterr().out == "True\n"
    notebook.begin("rabbitmq")
    notebook.run(ping)
    assert "ConnectionError" in capsys.readouterr().out
    notebook.begin("redis")
    notebook.run(ping)
    assert capsys.readouterr().out == "True\n"
