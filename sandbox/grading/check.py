"""Checking: files in, a `Result` out.

pytest runs in this process, quietly, with one plugin and nothing else: no configuration files, no
conftest of the learner's, no plugins that happen to be installed, no cache folder. It runs on the
command line, in notebooks and in a browser alike, so nothing is imported here that a browser lacks.

To change what is collected or how a verdict is made, see `plugin`; to change the object that comes
out, see `result`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.course.model import Exercise, Lab
from sandbox.grading.plugin import OpenLab, Verdicts
from sandbox.grading.questions import question_for
from sandbox.grading.result import CannotCheck, CheckResult, ExerciseResult, Result

#: pytest's own plugins that a check never needs; fewer of them start faster.
UNUSED_PLUGINS = (
    "cacheprovider",
    "debugging",
    "doctest",
    "faulthandler",
    "junitxml",
    "legacypath",
    "logging",
    "nose",
    "pastebin",
    "pytester",
    "setuponly",
    "setupplan",
    "stepwise",
    "terminal",
    "threadexception",
    "unittest",
    "unraisableexception",
    "warnings",
)


def check_lab(
    lab: Lab,
    files: Mapping[str, Path],
    *,
    stack: str = "simulated",
    seeds: Sequence[int] | None = None,
    progress: Callable[[str, CheckResult], None] | None = None,
    open_lab: OpenLab | None = None,
) -> Result:
    """Run the checks of the exercises that `files` answers.

    Args:
        lab: The lab.
        files: Exercise id -> the file that answers it. Exercises not named are not checked.
        stack: Where to run: "simulated" or "live".
        seeds: Instead of the lab's own.
        progress: Told (exercise id, result) after each check.
        open_lab: Makes the `lab` of one check from a seed and a file, instead of `stack`.

    Raises:
        StackUnavailable: the stack cannot be used here.
        CannotCheck: pytest itself could not run.
    """
    # Real processes and brokers know nothing of seeds: there one run says as much as three.
    seeds = tuple(seeds or (lab.seeds if stack == "simulated" else lab.seeds[:1]))
    wanted = [exercise for exercise in lab.exercises if exercise.id in files]
    there = [exercise for exercise in wanted if files[exercise.id].is_file()]
    answers = {lab.checks(each.id).resolve(): files[each.id].resolve() for each in there}
    ids = {lab.checks(each.id).resolve(): each.id for each in there}
    verdicts = Verdicts(
        files=answers,
        stack_name=stack,
        seeds=seeds,
        open_lab=open_lab or _opener(lab, stack),
        progress=(lambda path, check: progress(ids[path], check)) if progress else None,
    )
    if answers:
        _run_pytest(verdicts, list(answers))
    results = [_exercise_result(lab, each, files[each.id], verdicts) for each in wanted]
    return Result(lab.slug, stack, seeds[0], tuple(results))


def _exercise_result(
    lab: Lab, exercise: Exercise, file: Path, verdicts: Verdicts
) -> ExerciseResult:
    if not file.is_file():
        absent = CheckResult("test_the_file_is_there", "error", f"There is no file {file}.")
        return ExerciseResult(exercise.id, exercise.title, exercise.points, (absent,))
    checks = lab.checks(exercise.id).resolve()
    found = verdicts.results(checks)
    untried = verdicts.untried(checks)
    failed = [check.name for check in found if check.outcome == "fail"]
    if failed and not untried:
        question = question_for(lab, exercise.id, file, failed)
        if question:
            found = [
                replace(check, message=f"{check.message}\nThink about: {question}")
                if check.name == failed[-1]
                else check
                for check in found
            ]
    return ExerciseResult(exercise.id, exercise.title, exercise.points, tuple(found), untried)


def _opener(lab: Lab, stack: str) -> OpenLab:
    """Worlds are imported only once there is something to check in one."""
    from sandbox.course.fixture import Lab as Fixture
    from sandbox.stack import open_stack

    def open_lab(seed: int, file: Path) -> Fixture:
        return Fixture(open_stack(stack, seed=seed, brokers=lab.needs), file)

    return open_lab


def _run_pytest(verdicts: Verdicts, checks: list[Path]) -> None:
    arguments = [
        *(str(path) for path in checks),
        f"--rootdir={checks[0].parent}",
        f"--config-file={os.devnull}",
        "--noconftest",
        "--disable-plugin-autoload",
        "--import-mode=importlib",
        "--assert=plain",
        "--capture=sys",
        *(part for name in UNUSED_PLUGINS for part in ("-p", f"no:{name}")),
    ]
    with _undisturbed(checks):
        status = pytest.ExitCode(pytest.main(arguments, plugins=[verdicts]))
    if verdicts.unavailable is not None:
        raise verdicts.unavailable
    if status == pytest.ExitCode.INTERRUPTED and not verdicts.broken:
        raise KeyboardInterrupt
    if status in (pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR):
        raise CannotCheck(f"pytest could not run the checks in {checks[0].parent} ({status.name}).")


@contextmanager
def _undisturbed(checks: Collection[Path]) -> Iterator[None]:
    """Neither the caller's pytest options, nor bytecode files, nor earlier modules take part."""
    names = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS")
    options = {name: os.environ.pop(name) for name in names if name in os.environ}
    bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    finders = list(sys.meta_path)  # a pytest around this one would rewrite our assertions
    sys.meta_path[:] = [each for each in finders if type(each).__name__ != "AssertionRewritingHook"]
    try:
        yield
    finally:
        sys.meta_path[:] = finders
        sys.dont_write_bytecode = bytecode
        os.environ.update(options)
        # Two labs may each have a test_relay.py, and a watched one may change.
        files = {str(path) for path in checks}
        for name, module in list(sys.modules.items()):
            if getattr(module, "__file__", None) in files:
                del sys.modules[name]
