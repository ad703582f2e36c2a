"""What of ours goes into the page."""

from __future__ import annotations

from pathlib import Path

from sandbox.site.bundle import own


def test_the_page_gets_the_runtime_the_world_and_every_labs_checks() -> None:
    files = own.own_files()
    assert "sandbox/site/runtime.py" in files
    assert "sandbox/sim/world.py" in files
    labs = {path.parent.name for path in own.labs_folder().glob("*/lab.toml")}
    assert labs
    for lab in labs:
        assert f"labs/{lab}/lab.toml.txt" in files
        assert any(name.startswith(f"labs/{lab}/checks/test_") for name in files)


def test_the_page_gets_no_solution_no_command_line_and_no_builder() -> None:
    files = own.own_files()
    solutions = {
        path.read_bytes() for path in (own.labs_folder().parent / "solutions").glob("*/*.py")
    }
    assert solutions
    assert not solutions & set(files.values())
    assert not [name for name in files if name.startswith(("sandbox/cli/", "sandbox/site/bundle"))]


def test_the_same_files_make_the_same_archive(tmp_path: Path) -> None:
    own.write_zip(tmp_path / "one.zip", {"b": b"2", "a": b"1"}, compress=True)
    own.write_zip(tmp_path / "two.zip", {"a": b"1", "b": b"2"}, compress=True)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
