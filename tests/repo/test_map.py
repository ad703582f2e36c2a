"""Everything is where the map says: labs, docs, modules, public names."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from sandbox.course.manifest import find_labs
from sandbox.course.places import Root

ROOT = Path(__file__).parent.parent.parent
MODULES = sorted(
    path
    for path in (ROOT / "sandbox").rglob("*.py")
    if "node_modules" not in path.parts and "__pycache__" not in path.parts
)
DOCS = [
    ROOT / name
    for name in ("README.md", "CONTRIBUTING.md", "docs/architecture.md", "docs/how-it-works.md")
]


def names(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_every_lab_has_all_its_parts() -> None:
    for lab in find_labs([Root(ROOT / "labs", ROOT / "solutions")]):
        assert lab.lesson_path.is_file(), lab.slug
        assert (lab.solutions / "notes.md").is_file(), lab.slug
        for exercise in lab.exercises:
            assert lab.solution(exercise.id).is_file(), f"{lab.slug}/{exercise.id}"
            assert lab.mistakes(exercise.id), f"{lab.slug}/{exercise.id} has no mistake"


def test_labs_come_after_labs_that_exist_and_are_before_them() -> None:
    labs = find_labs([Root(ROOT / "labs", ROOT / "solutions")])
    orders = {lab.slug: lab.order for lab in labs}
    assert len(set(orders.values())) == len(orders)
    for lab in labs:
        for before in lab.after:
            assert before in orders, f"{lab.slug} comes after {before}, which is not there"
            assert orders[before] < lab.order


@pytest.mark.parametrize("path", MODULES, ids=names)
def test_every_module_says_what_it_is_for(path: Path) -> None:
    text = path.read_text()
    if not text.strip():
        return
    docstring = ast.get_docstring(ast.parse(text))
    assert docstring, f"{names(path)} has no docstring"
    assert docstring.splitlines()[0].rstrip().endswith((".", ":", "!", "`")), names(path)


@pytest.mark.parametrize("path", DOCS, ids=names)
def test_files_that_documents_name_are_there(path: Path) -> None:
    text = path.read_text()
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        if target.startswith(("http", "mailto")):
            continue
        assert (path.parent / target).exists(), f"{names(path)} links to {target}"


def test_modules_that_the_architecture_names_can_be_imported() -> None:
    import importlib

    text = (ROOT / "docs" / "architecture.md").read_text()
    for name in sorted(set(re.findall(r"`(sandbox(?:\.\w+)+)", text))):
        module, _, attribute = name.rpartition(".")
        try:
            importlib.import_module(name)
        except ModuleNotFoundError:
            assert hasattr(importlib.import_module(module), attribute), name


def test_commands_that_the_readme_shows_exist() -> None:
    from typer.main import get_command

    from sandbox.cli.app import app

    commands = set(get_command(app).commands)  # type: ignore[attr-defined]
    for page in ("README.md", "CONTRIBUTING.md"):
        shown = re.findall(r"\bsandbox ([a-z]+)\b", (ROOT / page).read_text())
        assert set(shown) - commands - {"in", "is"} == set(), page


def test_make_help_names_every_target_that_the_readme_uses() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for page in ("README.md", "CONTRIBUTING.md"):
        for target in re.findall(r"`?make ([a-z-]+)\b", (ROOT / page).read_text()):
            assert re.search(rf"^{target}:.*## ", makefile, re.MULTILINE), f"{page}: {target}"
