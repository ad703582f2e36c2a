"""What a learner does around checking: start, see the labs, ask for a hint, start over."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

ExerciseName = Annotated[
    str | None,
    typer.Argument(
        metavar="[LAB[/EXERCISE]]",
        help="Left out: the next exercise of the lab of this folder, or of the next lab.",
    ),
]


def start(
    folder: Annotated[
        Path, typer.Argument(help="Where your exercises should be; made when it is not there.")
    ] = Path(),
) -> None:
    """Lay out your own folder of exercises. Run it again any time: it never overwrites work."""
    from sandbox.course.manifest import find_labs
    from sandbox.course.workspace import Workspace

    laid = Workspace(folder).start(find_labs())
    for name in laid.added:
        typer.echo(f"  added    {name}")
    for name in laid.renewed:
        typer.echo(f"  renewed  {name}  (the lab changed, and you had not begun)")
    if laid.kept:
        typer.echo(f"  {len(laid.kept)} files that were there are as they were")
    if folder.resolve() != Path.cwd():
        typer.echo(f"Next: cd {folder}, then: sandbox watch")
    else:
        typer.echo("Next: sandbox watch")


def labs(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """List the labs and how far you are."""
    from sandbox.cli.targets import progress_of
    from sandbox.course.manifest import find_labs
    from sandbox.course.progress import Progress
    from sandbox.course.workspace import Workspace

    workspace = Workspace.find()
    progress = progress_of(workspace) if workspace else Progress()
    found = find_labs()
    if as_json:
        listed = [
            {
                "slug": lab.slug,
                "title": lab.title,
                "minutes": lab.minutes,
                "points": progress.points(lab),
                "max_points": lab.points,
                "exercises": [
                    {"id": each.id, "title": each.title, "passed": progress.of(lab, each).passed}
                    for each in lab.exercises
                ],
            }
            for lab in found
        ]
        typer.echo(json.dumps({"labs": listed}, ensure_ascii=False, indent=2))
        return
    from sandbox.cli.lablist import table
    from sandbox.cli.screen import console

    for line in table(found, progress, begun=workspace is not None):
        console().print(line)


def hint(exercise: ExerciseName = None) -> None:
    """Show the next hint for an exercise, one at a time."""
    from sandbox.cli.problems import Refused
    from sandbox.cli.targets import progress_of, target
    from sandbox.course.workspace import Workspace

    workspace = Workspace.find()
    wanted = target(exercise)
    progress = progress_of(workspace) if workspace else None
    chosen = (
        wanted.exercise
        or (progress and progress.next_exercise(wanted.lab))
        or wanted.lab.exercises[0]
    )
    if not chosen.hints:
        raise Refused(f"{wanted.lab.slug}/{chosen.id} has no hints.")
    number = 1
    if progress:
        known = progress.of(wanted.lab, chosen)
        number = min(known.hints + 1, len(chosen.hints))
        known.hints = number
        progress.save()
    last = " That was the last one." if number == len(chosen.hints) else ""
    typer.echo(f"{wanted.lab.slug}/{chosen.id}, hint {number} of {len(chosen.hints)}:{last}")
    typer.echo(f"  {chosen.hints[number - 1]}")


def reset(
    exercise: Annotated[str, typer.Argument(metavar="LAB[/EXERCISE]", help="What to start over.")],
) -> None:
    """Put the starter back. Your file is kept, and you are told where."""
    from sandbox.cli.targets import named
    from sandbox.course.workspace import Workspace

    workspace = Workspace.required()
    wanted = named(exercise)
    for each in [wanted.exercise] if wanted.exercise else wanted.lab.exercises:
        kept = workspace.reset(wanted.lab, each.id)
        name = f"{wanted.lab.slug}/{each.id}.py"
        if kept:
            typer.echo(f"  {name} is the starter again; yours is kept in {kept}")
        else:
            typer.echo(f"  {name} is the starter")


def notebooks(
    folder: Annotated[Path, typer.Argument(help="Where to write them.")] = Path("notebooks"),
    only: Annotated[
        list[str] | None, typer.Option("--lab", metavar="LAB", help="Only this lab.")
    ] = None,
) -> None:
    """Write every lesson as a Jupyter notebook, with what its cells print inside."""
    from sandbox.cli.problems import Refused
    from sandbox.course.manifest import find_lab, find_labs

    try:
        from sandbox.course.notebook import write_notebook
    except ImportError as error:
        raise Refused(
            f"Notebooks need a package that is not installed ({error.name}). "
            "Run: pip install 'queue-sandbox[notebooks]'"
        ) from None
    for lab in [find_lab(slug) for slug in only] if only else find_labs():
        typer.echo(f"  {write_notebook(lab, folder)}")
