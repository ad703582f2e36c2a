"""`LAB[/EXERCISE]` on the command line: what it names, and what is meant when it is left out."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.course.errors import CourseError
from sandbox.course.manifest import find_exercise, find_lab, find_labs
from sandbox.course.model import Exercise, Lab
from sandbox.course.progress import Progress
from sandbox.course.workspace import MEMORY, Workspace


@dataclass(frozen=True)
class Target:
    """A lab, and one exercise of it if one was named."""

    lab: Lab
    exercise: Exercise | None = None


def named(target: str) -> Target:
    """What `acks` or `acks/no_loss` names.

    `acks/no_loss.py` is understood too: shells complete it.

    Raises:
        CourseError: no such lab or exercise; the sentence names the nearest.
    """
    slug, _, exercise_id = target.strip("/").partition("/")
    lab = find_lab(slug)
    if not exercise_id:
        return Target(lab)
    return Target(lab, find_exercise(lab, exercise_id.removesuffix(".py")))


def target(text: str | None) -> Target:
    """What was named, or else the lab of the current folder, or else the next one to do."""
    if text is not None:
        return named(text)
    workspace = Workspace.required()
    labs = find_labs()
    lab = workspace.lab_here(labs) or progress_of(workspace).next_lab(labs)
    if lab is None:
        if not labs:
            raise CourseError("There are no labs here.")
        raise CourseError("Every exercise passes. Name a lab to look at it again: sandbox labs")
    return Target(lab)


def progress_of(workspace: Workspace) -> Progress:
    """The progress kept in a workspace."""
    return Progress(workspace.memory / "progress.json")


__all__ = ["MEMORY", "Target", "named", "progress_of", "target"]
