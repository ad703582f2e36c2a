"""`sandbox lab check`: what a lab claims about itself, proved.

A lab claims that its starters fail, that its solutions and alternatives pass, that every known
mistake fails exactly the checks it names and asks its author its question, on every seed; and
that its lesson prints what is stored in it. On a real broker, where nobody decides who is first, a
mistake must fail at least one of the checks it names, and no other. Every claim is small plain data
and is proved in a process of its own, so a whole course takes all the cores there are.

To claim something else of labs, add a `Kind` and a row to `PROOFS`.
"""

from __future__ import annotations

import ast
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sandbox.course.errors import CourseError
from sandbox.course.lesson import ExerciseCard, read_lesson
from sandbox.course.manifest import load_lab, read_mistake
from sandbox.course.model import Lab
from sandbox.grading.result import ExerciseResult

Kind = Literal["files", "lesson", "starter", "solution", "alternative", "mistake"]


@dataclass(frozen=True)
class Claim:
    """One thing a lab says about itself."""

    kind: Kind
    lab: str
    folder: Path
    solutions: Path
    #: "" for claims about the lab as a whole.
    exercise: str
    path: Path
    stack: str = "simulated"

    def __str__(self) -> str:
        where = f"{self.lab}/{self.exercise}" if self.exercise else self.lab
        name = f" {self.path.stem}" if self.kind in ("alternative", "mistake") else ""
        return f"{where} {self.kind}{name}"


@dataclass(frozen=True)
class Proof:
    """Whether a claim holds; `problem` is "" or says what is wrong and where."""

    claim: Claim
    problem: str

    @property
    def holds(self) -> bool:
        """Whether the claim is true."""
        return not self.problem


def claims(labs: Sequence[Lab], *, stack: str = "simulated") -> list[Claim]:
    """Everything the labs claim, the quick claims of each lab first."""
    found: list[Claim] = []
    for lab in labs:

        def add(kind: Kind, exercise: str, path: Path, lab: Lab = lab) -> None:
            found.append(Claim(kind, lab.slug, lab.folder, lab.solutions, exercise, path, stack))

        add("files", "", lab.folder)
        if stack == "simulated":
            add("lesson", "", lab.lesson_path)
        for exercise in lab.exercises:
            add("starter", exercise.id, lab.starter(exercise.id))
            add("solution", exercise.id, lab.solution(exercise.id))
            for path in lab.alternatives(exercise.id):
                add("alternative", exercise.id, path)
            for path in lab.mistakes(exercise.id):
                add("mistake", exercise.id, path)
    return found


def prove_all(wanted: Sequence[Claim], *, jobs: int | None = None) -> Iterator[Proof]:
    """Prove claims in parallel processes; each proof as soon as it is there."""
    jobs = min(jobs or os.cpu_count() or 1, len(wanted))
    if jobs <= 1:
        yield from map(prove, wanted)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        try:
            for future in as_completed([pool.submit(prove, claim) for claim in wanted]):
                yield future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def prove(claim: Claim) -> Proof:
    """Prove one claim, in this process."""
    try:
        lab = load_lab(claim.folder, claim.solutions)
        return Proof(claim, PROOFS[claim.kind](claim, lab))
    except CourseError as error:
        return Proof(claim, str(error))


def _files(_: Claim, lab: Lab) -> str:
    for exercise in lab.exercises:
        if not exercise.hints:
            return f"lab.toml: exercise {exercise.id!r} has no hints."
        if not exercise.goal:
            return f"lab.toml: exercise {exercise.id!r} has no goal: what must be true when done?"
        if not lab.mistakes(exercise.id):
            return f"mistakes/{exercise.id}/ is empty: which wrong answer do the checks catch?"
        imported = _imports(lab.checks(exercise.id)) & {each.id for each in lab.exercises}
        if imported:
            return (
                f"checks/{lab.checks(exercise.id).name} imports {', '.join(sorted(imported))}. "
                "Checks reach the exercise through `lab` only."
            )
    for folder, known in (
        (lab.folder / "mistakes", "mistakes"),
        (lab.solutions / "alternatives", "alternatives"),
    ):
        for path in sorted(folder.iterdir()) if folder.is_dir() else []:
            if path.is_dir() and path.name not in {each.id for each in lab.exercises}:
                return f"{known}/{path.name}/ belongs to no exercise of lab.toml."
    if not (lab.solutions / "notes.md").is_file():
        return f"There is no {lab.solutions.name}/notes.md beside the solutions."
    return ""


def _lesson(_: Claim, lab: Lab) -> str:
    from sandbox.course.update import stale_cells

    blocks = read_lesson(lab.lesson_path, exercises=[each.id for each in lab.exercises])
    placed = {block.id for block in blocks if isinstance(block, ExerciseCard)}
    for exercise in lab.exercises:
        if exercise.id not in placed:
            return f"lesson.md never places exercise {exercise.id!r}: ```exercise {exercise.id}."
    stale = stale_cells(lab)
    if stale:
        listed = "\n".join(str(cell) for cell in stale)
        return f"lesson.md stores other output than its cells print.\n{listed}\n" + (
            f"`sandbox lab update {lab.slug}` writes the new output."
        )
    return ""


def _starter(claim: Claim, lab: Lab) -> str:
    for seed, result in _results(claim, lab):
        if result.outcome != "fail":
            return f"With seed {seed} the starter should fail, and it is: {_told(result)}"
    return ""


def _right(claim: Claim, lab: Lab) -> str:
    if not claim.path.is_file():
        return f"There is no {claim.path}."
    for seed, result in _results(claim, lab):
        if result.outcome != "pass":
            return f"With seed {seed} it should pass, and it does not: {_told(result)}"
    return ""


def _mistake(claim: Claim, lab: Lab) -> str:
    mistake = read_mistake(lab, claim.exercise, claim.path)
    for seed, result in _results(claim, lab):
        if result.outcome == "error":
            return f"With seed {seed} the checks broke on it: {_told(result)}"
        failed = {check.name for check in result.checks if check.outcome == "fail"}
        # A check that this stack cannot run cannot catch anything here.
        skipped = {check.name for check in result.checks if check.outcome == "skip"}
        wanted = set(mistake.caught_by) - skipped
        missed, others = sorted(wanted - failed), sorted(failed - wanted)
        certain = claim.stack == "simulated"
        if missed if certain else wanted and missed == sorted(wanted):
            return f"With seed {seed} it is not caught by {', '.join(missed)}."
        if others:
            return (
                f"With seed {seed} it is also caught by {', '.join(others)}, which its "
                f"`# caught-by:` does not name: {_told(result)}"
            )
        told = "\n".join(check.message for check in result.checks)
        if certain and mistake.hint not in told:
            return (
                f"With seed {seed} its author is not asked {mistake.hint!r}: another mistake that "
                "the same checks catch looks more like it than it does itself."
            )
    return ""


PROOFS: dict[Kind, Callable[[Claim, Lab], str]] = {
    "files": _files,
    "lesson": _lesson,
    "starter": _starter,
    "solution": _right,
    "alternative": _right,
    "mistake": _mistake,
}


def _results(claim: Claim, lab: Lab) -> Iterator[tuple[int, ExerciseResult]]:
    """The exercise's result with each seed, one at a time."""
    from sandbox.grading.check import check_lab

    seeds = lab.seeds if claim.stack == "simulated" else lab.seeds[:1]
    for seed in seeds:
        result = check_lab(lab, {claim.exercise: claim.path}, stack=claim.stack, seeds=[seed])
        yield seed, result.exercises[0]


def _told(result: ExerciseResult) -> str:
    lines = [f"outcome {result.outcome}"]
    for check in result.checks:
        if check.outcome != "pass":
            message = check.message.replace("\n", "\n      ")
            lines.append(f"  {check.outcome}  {check.name}\n      {message}")
    return "\n".join(lines)


def _imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names
