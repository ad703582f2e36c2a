"""What `sandbox lab check` shows: a bar while it works, then what does not hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from sandbox.cli.screen import console
from sandbox.grading.prove import Claim, Proof


def show_proofs(proofs: Iterator[Proof], wanted: Sequence[Claim]) -> int:
    """Show proofs as they come, return how many claims do not hold."""
    done: list[Proof] = []
    if console().is_terminal:
        columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, TextColumn("{task.description}"), console=console()) as bar:
            task = bar.add_task("", total=len(wanted))
            for proof in proofs:
                done.append(proof)
                bar.update(task, advance=1, description=str(proof.claim))
    else:  # a log: one line each, so that a long run is not silent
        for proof in proofs:
            done.append(proof)
            mark = "✓" if proof.holds else "✗"
            console().print(f"{mark} {len(done)}/{len(wanted)} {proof.claim}", markup=False)
    broken = sorted(
        (proof for proof in done if not proof.holds), key=lambda proof: wanted.index(proof.claim)
    )
    for proof in broken:
        console().print(f"\n✗ {proof.claim}", style="bold red", markup=False)
        console().print(f"  {proof.claim.path}", style="dim", markup=False)
        for line in proof.problem.splitlines():
            console().print(f"  {line}", markup=False)
    labs = {claim.lab for claim in wanted}
    holding = len(done) - len(broken)
    console().print(f"{holding} of {len(wanted)} claims of {len(labs)} labs hold.", markup=False)
    return len(broken)
