"""How `sandbox stack` shows what runs: a table on a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import typer
from rich.table import Table

from sandbox.cli.screen import console
from sandbox.native import catalogue
from sandbox.native.standing import Running

_MB = 1 << 20


def show_running(running: Sequence[Running], serving: Mapping[str, bool]) -> None:
    """One line a server."""
    if not running:
        typer.echo("Nothing runs. Start the servers with: sandbox stack up")
        return
    if not console().is_terminal:
        for each in running:
            state = _state(each, serving[each.name])
            typer.echo(f"{each.name}\t{each.version}\t{state}\t{each.address}")
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("", "version", "", "address", "memory"):
        table.add_column(heading, justify="right" if heading == "memory" else "left")
    for each in running:
        good = serving[each.name]
        table.add_row(
            f"[bold]{each.title}[/bold]",
            each.version,
            f"[{'green' if good else 'red'}]{_state(each, good)}[/]",
            each.address,
            f"{each.memory_bytes // _MB} MB",
        )
    console().print(table)


def show_settings(running: Sequence[Running]) -> None:
    """What to tell programs and checks where ports are not the usual ones."""
    lines = [line for each in running for line in _settings(each)]
    for line in lines:
        typer.echo(line)
    if any(each.name == "rabbitmq" and not each.offset for each in running):
        typer.echo("Try: sandbox check --stack live")


def _state(running: Running, serves: bool) -> str:
    if serves:
        return "serves"
    if running.missing:
        return f"{running.missing} of {len(running.children)} processes ended: sandbox stack logs"
    return "does not answer: sandbox stack logs"


def _settings(running: Running) -> list[str]:
    if not running.offset:
        return []
    if running.name == "rabbitmq":
        http = running.ports["http"]
        return [
            f"export AMQP_URL=amqp://guest:guest@{running.address}/",
            f"export RABBITMQ_MANAGEMENT_URL=http://127.0.0.1:{http}",
        ]
    variable = {"kafka": "KAFKA_BOOTSTRAP_SERVERS", "redis": "REDIS_URL", "mosquitto": "MQTT_URL"}
    scheme = {"redis": "redis://", "mosquitto": "mqtt://"}.get(running.name, "")
    assert set(variable) | {"rabbitmq"} == set(catalogue.SERVERS)
    return [f"export {variable[running.name]}={scheme}{running.address}"]
