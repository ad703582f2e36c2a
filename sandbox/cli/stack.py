"""`sandbox stack`: real servers for people without Docker."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(
    help="Real RabbitMQ, Kafka, Redis and Mosquitto on this machine, without Docker.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Only = Annotated[
    str | None,
    typer.Option(
        "--with", metavar="NAME,...", help="rabbitmq, kafka, redis, mosquitto. Left out: all."
    ),
]


@app.command(epilog="Example: sandbox stack up --with rabbitmq,redis")
def up(
    only: Only = None,
    kafka_brokers: Annotated[
        int | None,
        typer.Option(min=1, max=3, help="One, or up to three that replicate. Left out: as before."),
    ] = None,
    port_offset: Annotated[
        int, typer.Option(help="Move every port: 100 puts RabbitMQ at 5772.")
    ] = 0,
) -> None:
    """Start the servers that do not run yet, and leave them running.

    They listen on 127.0.0.1: RabbitMQ 5672 and 15672, Kafka 9092, Redis 6379, Mosquitto 1883.
    """
    from sandbox.cli.stackscreen import show_settings
    from sandbox.native import catalogue
    from sandbox.native.standing import Standing

    names = catalogue.names(only)
    running = Standing().up(names, offset=port_offset, kafka_brokers=kafka_brokers, say=typer.echo)
    show_settings(running)


@app.command(epilog="Example: sandbox stack down")
def down(
    only: Only = None,
    forget: Annotated[bool, typer.Option("--forget", help="Remove their data as well.")] = False,
) -> None:
    """Stop the servers. Their data stays for the next time."""
    from sandbox.native import catalogue
    from sandbox.native.standing import Standing

    names = catalogue.names(only) if only is not None else None
    stopped = Standing().down(names, forget=forget)
    for each in stopped:
        typer.echo(f"{each.title} is stopped")
    if not stopped:
        typer.echo("Nothing was running.")


@app.command(epilog="Example: sandbox stack status")
def status(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say what runs, and where.

    Exit status: 0 all that was started serves, 1 something does not, or nothing runs.
    """
    import json
    from dataclasses import asdict

    from sandbox.cli.stackscreen import show_running
    from sandbox.native.standing import Standing

    running = Standing().running()
    serving = {each.name: each.serves for each in running}
    if as_json:
        listed = [asdict(each) | {"serves": serving[each.name]} for each in running]
        typer.echo(json.dumps({"servers": listed}, indent=2))
    else:
        show_running(running, serving)
    raise typer.Exit(0 if running and all(serving.values()) else 1)


@app.command(epilog="Example: sandbox stack logs kafka -f")
def logs(
    name: Annotated[str | None, typer.Argument(help="Left out: every server's.")] = None,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on until Ctrl-C.")] = False,
    lines: Annotated[
        int, typer.Option("-n", "--lines", min=0, help="How many to begin with.")
    ] = 20,
) -> None:
    """Show what the servers have written about themselves."""
    from sandbox.cli.following import follow_files
    from sandbox.cli.problems import Refused
    from sandbox.native import catalogue
    from sandbox.native.standing import Standing

    standing = Standing()
    files = [log for each in catalogue.names(name) for log in standing.logs(each)]
    if not files:
        raise Refused("There are no logs yet. Start the servers with: sandbox stack up")
    for line in follow_files(files, lines=lines, follow=follow):
        typer.echo(line)
