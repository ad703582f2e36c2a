"""A wheel in an empty folder is a whole course."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from sandbox.course.manifest import find_labs
from sandbox.course.places import Root

ROOT = Path(__file__).parent.parent.parent

# One worker builds and installs it, once.
pytestmark = pytest.mark.xdist_group("wheel")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT],
        check=True,
        capture_output=True,
    )
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `sandbox` command of a fresh environment that has the wheel and nothing of ours else."""
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, with_pip=True)
    scripts = folder / ("Scripts" if os.name == "nt" else "bin")
    subprocess.run([scripts / "python", "-m", "pip", "install", "--quiet", wheel], check=True)
    return scripts / "sandbox"


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    return tmp_path


def run(command: Path, folder: Path, *arguments: str, status: int = 0) -> str:
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "SANDBOX"))
    }
    ran = subprocess.run(
        [command, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert ran.returncode == status, f"{arguments}: {ran.returncode}\n{ran.stdout}\n{ran.stderr}"
    return ran.stdout


def labs() -> list[str]:
    return [lab.slug for lab in find_labs([Root(ROOT / "labs", ROOT / "solutions")])]


def test_the_wheel_holds_labs_and_solutions_and_no_rubbish(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for slug in labs():
        assert f"sandbox/_labs/{slug}/lab.toml" in names
        assert f"sandbox/_solutions/{slug}/notes.md" in names
    assert "sandbox/py.typed" in names
    assert not [name for name in names if "__pycache__" in name or "node_modules" in name]


def test_labs_start_and_check_work_from_the_wheel(installed: Path, empty: Path) -> None:
    assert [lab["slug"] for lab in json.loads(run(installed, empty, "labs", "--json"))["labs"]] == (
        labs()
    )
    run(installed, empty, "start", "mine")
    home = empty / "mine"
    slug = labs()[0]
    told = json.loads(run(installed, home, "check", slug, "--json", status=1))
    assert told["points"] == 0
    assert {exercise["outcome"] for exercise in told["exercises"]} == {"fail"}
    solutions = ROOT / "solutions" / slug
    told = json.loads(run(installed, home, "check", slug, "--from", str(solutions), "--json"))
    assert told["points"] == told["max_points"] > 0


def test_programs_run_from_the_wheel(installed: Path, empty: Path) -> None:
    (empty / "one.py").write_text("import time\ntime.sleep(60)\nprint('a minute later')\n")
    assert "a minute later" in run(installed, empty, "run", "one.py")


def test_labs_prove_themselves_from_the_wheel(installed: Path, empty: Path) -> None:
    out = run(installed, empty, "lab", "check", labs()[0])
    assert "claims of 1 labs hold." in out


def test_a_new_lab_in_an_empty_folder_is_found_beside_the_wheels(
    installed: Path, empty: Path
) -> None:
    run(installed, empty, "lab", "new", "late-orders")
    run(installed, empty, "lab", "check", "late-orders")
    listed = json.loads(run(installed, empty, "labs", "--json"))["labs"]
    assert [lab["slug"] for lab in listed] == [*labs(), "late-orders"]
