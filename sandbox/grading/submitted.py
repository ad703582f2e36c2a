"""Which file answers which exercise: the learner's folder, or whatever `--from` names.

A folder may hold the files themselves (`no_loss.py`) or folders of labs (`acks/no_loss.py`). A
file answers the exercise that was asked for, or the one it is called after.

To accept another layout, add it to `_in_folder`.
"""

from __future__ import annotations

from pathlib import Path

from sandbox.course.errors import CourseError
from sandbox.course.manifest import find_exercise
from sandbox.course.model import Lab
from sandbox.course.workspace import Workspace


def files_for(lab: Lab, exercise_id: str | None, source: Path | None) -> dict[str, Path]:
    """Exercise id -> file; a file that is not there is named all the same.

    Args:
        lab: The lab.
        exercise_id: One exercise; None: all of the lab.
        source: What `--from` names; None: the workspace around the current directory.

    Raises:
        CourseError: no workspace, nothing at `source`, or a file that could answer several.
    """
    if exercise_id is not None:
        find_exercise(lab, exercise_id)
    wanted = [exercise_id] if exercise_id else [exercise.id for exercise in lab.exercises]
    if source is None:
        workspace = Workspace.required()
        return {each: workspace.file(lab, lab.exercise(each).id) for each in wanted}
    if source.is_dir():
        return {each: _in_folder(source, lab, each) for each in wanted}
    if not source.exists():
        raise CourseError("There is no such file or folder.", path=source)
    if exercise_id is not None:
        return {exercise_id: source}
    if source.stem in wanted:
        return {source.stem: source}
    if len(wanted) == 1:
        return {wanted[0]: source}
    raise CourseError(
        f"Which exercise does it answer? Name one: {', '.join(f'{lab.slug}/{e}' for e in wanted)}.",
        path=source,
    )


def _in_folder(folder: Path, lab: Lab, exercise_id: str) -> Path:
    inner = folder / lab.slug / f"{exercise_id}.py"
    return inner if inner.is_file() else folder / f"{exercise_id}.py"
