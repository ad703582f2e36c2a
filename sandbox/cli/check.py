"""`sandbox check`: what holds, what does not, and why."""

from __future__ import annotations

import enum
import json
from pathlib import Path
from typing import Annotated

import typer


class StackName(enum.StrEnum):
    """Where checks can run."""

    simulated = "simulated"
    embedded = "embedded"
    live = "live"


def check(
    target: Annotated[
        str | None,
        typer.Argument(
            metavar="[LAB[/EXERCISE]]",
            help="What to check. Left out: the lab of this folder, or the next one to do.",
        ),
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="PATH",
            help="A folder of exercise files, or one file for one exercise, instead of your own.",
        ),
    ] = None,
    stack: Annotated[
        StackName,
        typer.Option(help="The simulated world, brokers of our own on ports, or AMQP_URL's."),
    ] = StackName.simulated,
    seed: Annotated[
        int | None, typer.Option(help="Run with this seed only, instead of each of the lab's.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object and nothing else.")
    ] = False,
) -> None:
    """Check your exercises: is what must be true of the system true.

    Exit status: 0 all pass, 1 some fail, 2 something could not be checked.
    """
    import gc

    from sandbox.cli import screen, targets
    from sandbox.course.workspace import Workspace
    from sandbox.grading.check import check_lab
    from sandbox.grading.submitted import files_for

    wanted = targets.target(target)
    files = files_for(wanted.lab, wanted.exercise.id if wanted.exercise else None, source)
    seeds = None if seed is None else [seed]
    # A check makes hundreds of small worlds in a second; looking for rubbish after every 700
    # objects, as Python does, would be a tenth of its time.
    gc.set_threshold(10_000)
    meanwhile = screen.Meanwhile()
    try:
        result = check_lab(
            wanted.lab, files, stack=stack.value, seeds=seeds, progress=meanwhile.checked
        )
    finally:
        meanwhile.over()

    workspace = Workspace.find() if source is None else None
    if workspace is not None:
        progress = targets.progress_of(workspace)
        for exercise in result.exercises:
            if exercise.outcome != "error" and not exercise.untried:
                progress.checked(
                    wanted.lab, wanted.lab.exercise(exercise.id), passed=exercise.outcome == "pass"
                )
        progress.save()

    if as_json:
        typer.echo(json.dumps(result.as_dict(), ensure_ascii=False, indent=2))
    else:
        screen.show_result(result)
        if len(result.exercises) > 1:
            total = f"{result.points} of {result.max_points}"
            screen.console().print(total.rjust(screen.width()), style="bold")
    raise typer.Exit(result.exit_status)
