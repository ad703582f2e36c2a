"""The list of labs as a table: what there is, how far you are, what comes next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from sandbox.course.model import Lab
from sandbox.course.progress import Progress


def table(labs: Sequence[Lab], progress: Progress, *, begun: bool) -> Iterator[Text]:
    """One line a lab, under a heading.

    Args:
        labs: In the order to do them.
        progress: What has been passed.
        begun: Whether there is a workspace; without one, the last line says how to make it.
    """
    if not labs:
        yield Text("There are no labs here.")
        return
    names = max(len("lab"), *(len(lab.slug) for lab in labs))
    dots = max(len("exercises"), *(2 * len(lab.exercises) for lab in labs))
    yield Text(f"  #  {'lab':<{names}}  min  {'exercises':<{dots}}  points", style="dim")
    following = progress.next_lab(labs) if begun else None
    for lab in labs:
        marks = " ".join("●" if progress.of(lab, each).passed else "○" for each in lab.exercises)
        points = f"{progress.points(lab)} / {lab.points}"
        line = Text(f"{lab.order:>3}  {lab.slug:<{names}}  {lab.minutes:>3}  ")
        line.append(f"{marks:<{dots}}", style="green" if progress.points(lab) else "")
        line.append(f"  {points}")
        if lab is following:
            line.append(f"   ← next: sandbox watch {lab.slug}", style="bold")
        yield line
    if not begun:
        yield Text("Begin with: sandbox start my-queues", style="bold")
