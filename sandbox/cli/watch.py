"""`sandbox watch`: the first exercise that does not pass, checked again on every save."""

from __future__ import annotations

from typing import Annotated

import typer

from sandbox.cli.check import StackName


def watch(
    lab: Annotated[
        str | None,
        typer.Argument(
            metavar="[LAB]", help="Left out: the lab of this folder, or the next one to do."
        ),
    ] = None,
    stack: Annotated[
        StackName,
        typer.Option(help="The simulated world, brokers of our own on ports, or AMQP_URL's."),
    ] = StackName.simulated,
) -> None:
    """Check the first exercise that does not pass again whenever you save it.

    Keys: h a hint, n next, p previous, r again, q quit.
    """
    from sandbox.cli.keys import keys
    from sandbox.cli.targets import progress_of, target
    from sandbox.cli.watching import Terminal
    from sandbox.course.model import Exercise
    from sandbox.course.workspace import Workspace
    from sandbox.grading.check import check_lab
    from sandbox.grading.result import ExerciseResult
    from sandbox.grading.watch import Watch

    workspace = Workspace.required()
    wanted = target(lab)
    progress = progress_of(workspace)

    def check(exercise: Exercise) -> ExerciseResult:
        files = {exercise.id: workspace.file(wanted.lab, exercise.id)}
        result = check_lab(wanted.lab, files, stack=stack.value).exercises[0]
        if result.outcome != "error" and not result.untried:
            progress.checked(wanted.lab, exercise, passed=result.outcome == "pass")
            progress.save()
        return result

    def hinted(exercise: Exercise, number: int) -> None:
        known = progress.of(wanted.lab, exercise)
        known.hints = max(known.hints, number)
        progress.save()

    exercises = wanted.lab.exercises
    session = Watch(
        wanted.lab,
        file=lambda exercise: workspace.file(wanted.lab, exercise.id),
        check=check,
        screen=Terminal(wanted.lab, workspace),
        passed={each.id for each in exercises if progress.of(wanted.lab, each).passed},
        hints={each.id: progress.of(wanted.lab, each).hints for each in exercises},
        hinted=hinted,
    )
    if wanted.exercise is not None:
        session.passed = {each.id for each in exercises if each.id != wanted.exercise.id}
    with keys() as pressed:
        session.run(pressed)
