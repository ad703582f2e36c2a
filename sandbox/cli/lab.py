"""`sandbox lab`: for people who write labs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from sandbox.cli.check import StackName

app = typer.Typer(
    help="Write labs: begin one, prove what it claims, refresh its lesson.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

LabNames = Annotated[
    list[str] | None, typer.Argument(metavar="[LAB]...", help="Left out: every lab.")
]


@app.command(epilog="Example: sandbox lab new late-orders --title 'Late orders'")
def new(
    slug: Annotated[str, typer.Argument(help="Small letters, digits and hyphens; never renamed.")],
    title: Annotated[str, typer.Option(help="As people read it.")] = "",
    folder: Annotated[
        Path | None,
        typer.Option("--in", metavar="FOLDER", help="The folder that has, or gets, labs/."),
    ] = None,
) -> None:
    """Begin a lab: a whole small one that passes `sandbox lab check`, to change into yours."""
    from sandbox.course.scaffold import new_lab

    for path in new_lab(slug, title, folder):
        typer.echo(f"  {path}")
    typer.echo(f"Next: sandbox lab check {slug}")


@app.command(epilog="Example: sandbox lab check acks --jobs 2")
def check(
    labs: LabNames = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Processes; left out, one for each core.")
    ] = None,
    stack: Annotated[StackName, typer.Option(help="Where to run the checks.")] = (
        StackName.simulated
    ),
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Prove that starters fail, solutions pass, and mistakes are caught where they say.

    Exit status: 0 every claim holds, 1 some do not, 2 it could not be done.
    """
    from sandbox.cli.proofs import show_proofs
    from sandbox.course.manifest import find_lab, find_labs
    from sandbox.grading.prove import claims, prove_all

    found = [find_lab(slug) for slug in labs] if labs else find_labs()
    wanted = claims(found, stack=stack.value)
    proofs = prove_all(wanted, jobs=jobs)
    if as_json:
        listed = [
            {"claim": str(proof.claim), "holds": proof.holds, "problem": proof.problem}
            for proof in sorted(proofs, key=lambda proof: wanted.index(proof.claim))
        ]
        typer.echo(json.dumps({"claims": listed}, ensure_ascii=False, indent=2))
        broken = sum(not entry["holds"] for entry in listed)
    else:
        broken = show_proofs(proofs, wanted)
    raise typer.Exit(1 if broken else 0)


@app.command(epilog="Example: sandbox lab update acks")
def update(labs: LabNames = None) -> None:
    """Run the lessons' cells and store what they print in lesson.md."""
    from sandbox.course.manifest import find_lab, find_labs
    from sandbox.course.update import update_lesson

    for lab in [find_lab(slug) for slug in labs] if labs else find_labs():
        changed = update_lesson(lab)
        for cell in changed:
            typer.echo(f"  {cell}")
        typer.echo(f"{lab.slug}: {len(changed) or 'no'} cells print something else now")
