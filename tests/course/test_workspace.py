"""The learner's folder: laid out once, never overwritten."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.course.errors import CourseError
from sandbox.course.manifest import load_lab
from sandbox.course.model import Lab
from sandbox.course.places import checkout
from sandbox.course.progress import Progress
from sandbox.course.workspace import Workspace


@pytest.fixture
def lab(tiny: Path) -> Lab:
    return load_lab(tiny)


@pytest.fixture
def workspace(tmp_path: Path, lab: Lab) -> Workspace:
    workspace = Workspace(tmp_path / "mine")
    workspace.start([lab])
    return workspace


def test_every_exercise_is_laid_out(workspace: Workspace, lab: Lab) -> None:
    for exercise in lab.exercises:
        file = workspace.folder / "tiny" / f"{exercise.id}.py"
        assert file.read_bytes() == lab.starter(exercise.id).read_bytes()
        assert not workspace.touched(lab, exercise.id)


def test_starting_again_never_overwrites_work(workspace: Workspace, lab: Lab) -> None:
    file = workspace.file(lab, "total")
    file.write_text("mine")
    laid = workspace.start([lab])
    assert file.read_text() == "mine"
    assert laid.kept == ["tiny/total.py", "tiny/relay.py"]
    assert workspace.touched(lab, "total")


def test_a_file_nobody_touched_follows_a_changed_lab(workspace: Workspace, lab: Lab) -> None:
    workspace.file(lab, "relay").write_text("mine")
    for exercise in lab.exercises:
        lab.starter(exercise.id).write_text("new starter")
    laid = workspace.start([lab])
    assert laid.renewed == ["tiny/total.py"]
    assert workspace.file(lab, "total").read_text() == "new starter"
    assert workspace.file(lab, "relay").read_text() == "mine"


def test_files_are_the_learners_when_the_memory_is_spoiled(workspace: Workspace, lab: Lab) -> None:
    (workspace.memory / "workspace.json").write_text("{")
    lab.starter("total").write_text("new starter")
    before = workspace.file(lab, "total").read_text()
    assert "tiny/total.py" in workspace.start([lab]).kept
    assert workspace.file(lab, "total").read_text() == before


def test_resetting_keeps_the_learners_file_each_time(workspace: Workspace, lab: Lab) -> None:
    file = workspace.file(lab, "total")
    kept = []
    for text in ("first", "second"):
        file.write_text(text)
        kept.append(workspace.reset(lab, "total"))
        assert file.read_bytes() == lab.starter("total").read_bytes()
    assert [path.read_text() for path in kept if path] == ["first", "second"]
    assert workspace.reset(lab, "total") is None


def test_the_workspace_is_found_from_any_folder_inside(
    workspace: Workspace, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workspace.folder / "tiny")
    found = Workspace.required()
    assert found.folder == workspace.folder.resolve()
    assert found.lab_here([lab]) == lab
    monkeypatch.chdir(workspace.folder)
    assert found.lab_here([lab]) is None


def test_without_a_workspace_the_sentence_says_how_to_make_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CourseError, match="sandbox start"):
        Workspace.required()


def test_the_sandboxes_own_checkout_is_no_place_for_exercises(lab: Lab) -> None:
    root = checkout()
    assert root is not None
    with pytest.raises(CourseError, match="sandbox start my-queues"):
        Workspace(root).start([lab])


def test_progress_comes_back_as_it_was_kept(tmp_path: Path, lab: Lab) -> None:
    path = tmp_path / ".sandbox" / "progress.json"
    progress = Progress(path)
    total, relay = lab.exercises
    progress.checked(lab, total, passed=False)
    progress.checked(lab, total, passed=True)
    progress.checked(lab, total, passed=False)
    progress.of(lab, relay).hints = 2
    progress.save()
    again = Progress(path)
    assert (again.of(lab, total).passed, again.of(lab, total).attempts) == (True, 3)
    assert again.of(lab, relay).hints == 2
    assert again.points(lab) == 2
    assert again.next_exercise(lab) == relay
    again.checked(lab, relay, passed=True)
    assert again.next_lab([lab]) is None


def test_progress_that_cannot_be_read_is_put_aside_and_not_lost(tmp_path: Path, lab: Lab) -> None:
    path = tmp_path / "progress.json"
    path.write_text('{"labs": [')
    progress = Progress(path)
    assert progress.points(lab) == 0
    progress.save()
    assert path.with_suffix(".unreadable").read_text() == '{"labs": ['
