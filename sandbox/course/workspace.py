"""The learner's own folder: `acks/no_loss.py` and so on, and a small memory beside them.

`.sandbox/workspace.json` marks the folder and remembers what each starter looked like when it was
laid out, so that a file nobody has touched can follow a changed lab, and a touched one never is.

To change where files of a learner live, change `Workspace.file`.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sandbox.course.errors import CourseError
from sandbox.course.model import Lab
from sandbox.course.places import checkout

MEMORY = ".sandbox"
MARKER = "workspace.json"
FORMAT = 1


@dataclass
class Laid:
    """What `start` did, as paths relative to the workspace."""

    added: list[str] = field(default_factory=list)
    #: Untouched by the learner, and the lab's starter has changed: now the new one.
    renewed: list[str] = field(default_factory=list)
    #: The learner's; left alone.
    kept: list[str] = field(default_factory=list)


class Workspace:
    """A folder in which somebody does the exercises."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.memory = folder / MEMORY

    @classmethod
    def find(cls, start: Path | None = None) -> Workspace | None:
        """The workspace that `start`, or the current directory, is in."""
        here = (start or Path.cwd()).resolve()
        for folder in (here, *here.parents):
            if (folder / MEMORY / MARKER).is_file():
                return cls(folder)
        return None

    @classmethod
    def required(cls) -> Workspace:
        """The workspace that the current directory is in.

        Raises:
            CourseError: there is none; says how to make one.
        """
        found = cls.find()
        if found is None:
            raise CourseError(
                "You have no exercises here yet. `sandbox start` lays them out in this folder, "
                "`sandbox start FOLDER` in another; or name your files with --from."
            )
        return found

    def file(self, lab: Lab, exercise_id: str) -> Path:
        """Where the learner's answer to an exercise is."""
        return self.folder / lab.slug / f"{exercise_id}.py"

    def start(self, labs: Sequence[Lab]) -> Laid:
        """Lay out every exercise that is not there yet; never touch the learner's work.

        Raises:
            CourseError: the folder is a checkout of the sandbox itself.
        """
        root = checkout()
        if root is not None and self.folder.resolve() == root:
            raise CourseError(
                "This folder is the sandbox's own source. Name a folder for your exercises: "
                "`sandbox start my-queues`."
            )
        starters: dict[str, str] = self._read().get("starters", {})
        laid = Laid()
        for lab in labs:
            for exercise in lab.exercises:
                name = f"{lab.slug}/{exercise.id}.py"
                starter = lab.starter(exercise.id).read_bytes()
                target = self.file(lab, exercise.id)
                if not target.exists():
                    laid.added.append(name)
                elif target.read_bytes() == starter or _digest(target) != starters.get(name):
                    laid.kept.append(name)
                    continue
                else:
                    laid.renewed.append(name)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(starter)
                starters[name] = _digest(target)
        self._write({"format": FORMAT, "starters": starters})
        return laid

    def reset(self, lab: Lab, exercise_id: str) -> Path | None:
        """Put the starter back; return where the learner's file is kept, or None if untouched."""
        target = self.file(lab, exercise_id)
        starter = lab.starter(exercise_id)
        kept: Path | None = None
        if target.exists() and target.read_bytes() != starter.read_bytes():
            stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
            kept = self._unused(self.memory / "old" / lab.slug / f"{exercise_id}-{stamp}.py")
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(target, kept)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(starter, target)
        memory = self._read()
        memory.setdefault("starters", {})[f"{lab.slug}/{exercise_id}.py"] = _digest(target)
        self._write({"format": FORMAT, **memory})
        return kept

    def touched(self, lab: Lab, exercise_id: str) -> bool:
        """Whether the learner's file differs from the starter."""
        target = self.file(lab, exercise_id)
        return target.exists() and target.read_bytes() != lab.starter(exercise_id).read_bytes()

    def lab_here(self, labs: Sequence[Lab], start: Path | None = None) -> Lab | None:
        """The lab whose folder the current directory is in, if it is in one."""
        here = (start or Path.cwd()).resolve()
        return next(
            (lab for lab in labs if here.is_relative_to((self.folder / lab.slug).resolve())), None
        )

    def _read(self) -> dict[str, Any]:
        path = self.memory / MARKER
        if not path.is_file():
            return {}
        try:
            memory = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            return {}  # spoiled: every file that is there counts as the learner's
        return memory if isinstance(memory, dict) else {}

    def _write(self, memory: dict[str, Any]) -> None:
        self.memory.mkdir(parents=True, exist_ok=True)
        path = self.memory / MARKER
        path.write_text(json.dumps(memory, indent=1, sort_keys=True) + "\n", encoding="utf-8")

    @staticmethod
    def _unused(path: Path) -> Path:
        number = 1
        candidate = path
        while candidate.exists():
            number += 1
            candidate = path.with_stem(f"{path.stem}-{number}")
        return candidate


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
