"""`sandbox up`: the brokers on real ports of this machine, until Ctrl-C."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import asyncio

    from sandbox.cli.upscreen import Display
    from sandbox.embedded.engine import Engine


def up(
    host: Annotated[
        str, typer.Option(help="The address to listen on; 0.0.0.0 for everybody who can reach you.")
    ] = "127.0.0.1",
    port_offset: Annotated[
        int, typer.Option(help="Add this to every port: 1000 makes RabbitMQ's 5672 a 6672.")
    ] = 0,
    only: Annotated[
        str, typer.Option(metavar="NAMES", help="Some of the brokers: --only rabbitmq,redis")
    ] = "",
    kafka_brokers: Annotated[
        int, typer.Option(min=1, max=9, help="How many brokers Kafka has: 9092, 9093 ...")
    ] = 1,
    bridge: Annotated[
        bool,
        typer.Option("--bridge", help="Join MQTT's topics to RabbitMQ's amq.topic, as its plugin."),
    ] = False,
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Keep durable things there over restarts.")
    ] = None,
    fsync: Annotated[
        bool, typer.Option("--fsync", help="With --data: confirm nothing that losing power loses.")
    ] = False,
    users: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Who may log in, and to what (TOML); else anybody."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="The seed of generated names; another every time without.")
    ] = None,
    trace: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write every event there, as JSON lines.")
    ] = None,
    advertise: Annotated[
        str | None,
        typer.Option(metavar="HOST", help="What Kafka tells clients to connect to, with 0.0.0.0."),
    ] = None,
) -> None:
    """Run the brokers on real ports, for programs in any language: RabbitMQ, Kafka, Redis, MQTT.

    Stops with Ctrl-C. Exit status: 0 stopped, 2 it could not start or go on.
    """
    import asyncio

    from sandbox.cli.problems import Refused
    from sandbox.cli.upscreen import display_for
    from sandbox.embedded.engine import Engine
    from sandbox.embedded.errors import EmbeddedError
    from sandbox.embedded.options import Options

    options = Options(
        only=tuple(name.strip() for name in only.split(",") if name.strip()),
        host=host,
        port_offset=port_offset,
        advertise=advertise,
        bridge=bridge,
        kafka_brokers=kafka_brokers,
        data=data,
        fsync=fsync,
        seed=seed,
        trace=trace,
        users=users,
    )
    display = display_for(options)
    engine = Engine(options, display.log)
    try:
        engine.open()
        asyncio.run(_serve(engine, display))
    except EmbeddedError as problem:
        raise Refused(str(problem)) from None


async def _serve(engine: Engine, display: Display) -> None:
    """Serve until a signal or a failure.

    Raises:
        EmbeddedError: the server could not start, or not go on.
    """
    import asyncio
    import gc

    stopping = asyncio.Event()
    await engine.start()
    # What was made to begin with stays: to look through it for rubbish again and again would only
    # keep clients waiting.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    _on_signals(asyncio.get_running_loop(), stopping, display)
    display.begin(engine)
    failing = asyncio.ensure_future(engine.failed())
    waiting = asyncio.ensure_future(stopping.wait())
    watching = asyncio.ensure_future(_keep_watching(engine, display))
    try:
        await asyncio.wait({failing, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if failing.done():
            failing.result()
    finally:
        for task in (failing, waiting, watching):
            task.cancel()
        await engine.stop()
        display.end()


async def _keep_watching(engine: Engine, display: Display) -> None:
    import asyncio

    while True:
        display.look(engine)
        await asyncio.sleep(display.every_s)


def _on_signals(loop: asyncio.AbstractEventLoop, stopping: asyncio.Event, display: Display) -> None:
    """Stop in good order at the first Ctrl-C or SIGTERM, and at once at the second."""
    import os
    import signal

    def stop() -> None:
        if stopping.is_set():
            display.end()
            os._exit(130)  # What was confirmed is kept all the same.
        display.log("", "stopping; Ctrl-C again stops at once")
        stopping.set()

    def on_signal(number: int, frame: Any) -> None:
        loop.call_soon_threadsafe(stop)

    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stop)
        except NotImplementedError:  # Windows
            signal.signal(number, on_signal)
