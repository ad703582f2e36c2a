"""The table of commands.

Commands import what they need when they run, so `sandbox --help` and `sandbox check` stay quick.
"""

from __future__ import annotations

from typing import Annotated

import typer

from sandbox import __version__
from sandbox.cli import check, course, doctor, lab, run, serve, stack, up, watch

app = typer.Typer(
    name="sandbox",
    help="Learn message queues by doing: real client libraries in a simulated world.",
    epilog="Begin with: sandbox start my-queues",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"sandbox {__version__}")
        raise typer.Exit


@app.callback()
def sandbox(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Learn message queues by doing: real client libraries in a simulated world."""


app.command(epilog="Example: sandbox start my-queues")(course.start)
app.command(epilog="Example: sandbox labs --json")(course.labs)
app.command(epilog="Example: sandbox check acks/no_loss --from no_loss.py")(check.check)
app.command(epilog="Example: sandbox watch acks")(watch.watch)
app.command(epilog="Example: sandbox hint acks/no_loss")(course.hint)
app.command(epilog="Example: sandbox reset acks/no_loss")(course.reset)
app.command(
    epilog="Example: sandbox run receive.py send.py",
    context_settings={"ignore_unknown_options": False},
)(run.run)
app.command(epilog="Example: sandbox up --data ~/brokers")(up.up)
app.command(epilog="Example: sandbox serve --port 8000")(serve.serve)
app.command(epilog="Example: sandbox notebooks notebooks/")(course.notebooks)
app.command(epilog="Example: sandbox doctor --json")(doctor.doctor)
app.add_typer(lab.app, name="lab")
app.add_typer(stack.app, name="stack")
