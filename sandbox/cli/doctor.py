"""`sandbox doctor`: what is here, what is missing, and how to get it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sandbox.native.checkup import Finding

_STYLES = {"ok": "green", "note": "yellow", "missing": "red"}
_MARKS = {"ok": "✓", "note": "•", "missing": "✗"}


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Look at this machine: Python, memory, browsers, Docker, real servers, ports.

    Nothing of it is needed for the simulated world; it says what else would work here.
    Exit status: 0 nothing is missing, 1 something is.
    """
    import json
    from dataclasses import asdict

    from sandbox.native.checkup import examine

    findings = examine()
    missing = [each for each in findings if each.state == "missing"]
    if as_json:
        typer.echo(json.dumps({"findings": [asdict(each) for each in findings]}, indent=2))
    else:
        _show(findings)
        if missing:
            typer.echo(f"Missing: {', '.join(each.what for each in missing)}.")
        else:
            typer.echo("Nothing is missing.")
    raise typer.Exit(1 if missing else 0)


def _show(findings: Sequence[Finding]) -> None:
    """A table on a terminal, plain lines elsewhere."""
    from rich.table import Table
    from rich.text import Text

    from sandbox.cli.screen import console

    if not console().is_terminal:
        for each in findings:
            typer.echo(f"{each.state:<8} {each.what:<17} {each.found}")
            if each.fix:
                typer.echo(f"{'':8} {'':17} {each.fix}")
        return
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column()
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for each in findings:
        said = Text(each.found)
        if each.fix:
            said.append(f"\n{each.fix}", style="dim" if each.state == "note" else "bold")
        mark = Text(_MARKS[each.state], style=_STYLES[each.state])
        table.add_row(mark, Text(each.what), said)
    console().print(table)
