"""`sandbox lab`: for people who write labs."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Command


def test_a_lab_that_is_what_it_claims_is_status_0(sandbox: Command) -> None:
    ran = sandbox("lab", "check", "tiny", "--jobs", "1")
    assert ran.status == 0
    assert ran.out.splitlines()[-1] == "11 of 11 claims of 1 labs hold."


def test_what_does_not_hold_is_status_1_and_is_explained(sandbox: Command, course: Path) -> None:
    (course / "solutions" / "tiny" / "total.py").write_text("def total(amounts): return 1")
    ran = sandbox("lab", "check", "tiny", "--jobs", "1")
    assert ran.status == 1
    assert "✗ tiny/total solution" in ran.out
    assert "With seed 1 it should pass" in ran.out
    told = json.loads(sandbox("lab", "check", "--jobs", "1", "--json").out)
    assert [each["claim"] for each in told["claims"] if not each["holds"]] == [
        "tiny/total solution"
    ]


def test_update_writes_what_cells_print(sandbox: Command, course: Path) -> None:
    path = course / "labs" / "tiny" / "lesson.md"
    right = path.read_text()
    path.write_text(right.replace("```output\nhello", "```output\ngoodbye"))
    assert sandbox("lab", "check", "tiny", "--jobs", "1").status == 1
    ran = sandbox("lab", "update", "tiny")
    assert ran.status == 0
    assert "1 cells print something else now" in ran.out
    assert path.read_text() == right


def test_a_new_lab_is_written_where_asked(sandbox: Command, home: Path) -> None:
    ran = sandbox("lab", "new", "late-orders", "--title", "Late orders", "--in", str(home))
    assert ran.status == 0
    assert 'title = "Late orders"' in (home / "labs" / "late-orders" / "lab.toml").read_text()


def test_notebooks_are_written_the_same_twice(sandbox: Command, home: Path) -> None:
    assert sandbox("notebooks", "books").status == 0
    first = (home / "books" / "tiny.ipynb").read_bytes()
    sandbox("notebooks", "books")
    assert (home / "books" / "tiny.ipynb").read_bytes() == first
    sources = [
        "".join(cell["source"])
        for cell in json.loads(first)["cells"]
        if cell["cell_type"] == "code"
    ]
    assert sources[0] == "%load_ext sandbox\n%sandbox_world --seed 1 rabbitmq"
    assert "started = time.time()" in sources[1]
