"""`sandbox run`: your programs in a world with every broker, each at its own port of localhost."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

#: A colour for each program, in turn; the world's own lines are dim.
COLOURS = (36, 35, 33, 32, 34, 31)


def run(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Python programs.")],
    seed: Annotated[int, typer.Option(help="What everything random comes from.")] = 1,
    until: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS", help="Go on to this virtual time, also when all is handled."
        ),
    ] = None,
    trace: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write everything that happened there.")
    ] = None,
    kafka_brokers: Annotated[
        int, typer.Option(help="1 or 3; the second and third are at localhost:9093 and 9094.")
    ] = 1,
    full: Annotated[bool, typer.Option("--traceback", help="Print whole tracebacks.")] = False,
) -> None:
    """Run programs together, each its own process, in a simulated world.

    In it are RabbitMQ (localhost:5672), Kafka (9092), Redis (6379) and MQTT (1883).

    Exit status: 0 all is well, 1 a program failed or the world had to stop it, 2 nothing could be
    run, 130 Ctrl-C.
    """
    from sandbox.cli.problems import Refused
    from sandbox.course.programs import Programs

    for file in files:
        if not file.is_file():
            raise Refused(f"There is no program {file}.")
    if kafka_brokers not in (1, 3):
        raise Refused("A world has one Kafka broker, or three: --kafka-brokers 3.")
    # The world's programs have a sys.stdout of their own while they run; these are the terminal's.
    out, err = sys.stdout, sys.stderr
    colour = out.isatty() and not os.environ.get("NO_COLOR")
    width = max(len("world"), *(len(file.name) for file in files))
    seen: dict[str, int] = {}

    def line(now_s: float, program: str, text: str, stream: int) -> None:
        name = program.ljust(width)
        if colour:
            code = 2 if not stream else COLOURS[seen.setdefault(program, len(seen)) % len(COLOURS)]
            name = f"\033[{code}m{name}\033[0m"
        out.write(f"{now_s:7.3f}  {name}  {text}\n")
        out.flush()

    brokers = ("kafka-cluster",) if kafka_brokers == 3 else ()
    programs = Programs(files, seed=seed, brokers=brokers, on_line=line)
    pressed = 0

    def interrupted(signum: int, frame: object) -> None:
        nonlocal pressed
        pressed += 1
        if pressed > 1:
            os._exit(130)
        programs.interrupt()
        err.write("\n(Ctrl-C once more ends everything at once.)\n")

    before = signal.signal(signal.SIGINT, interrupted)
    try:
        ending = programs.run(until_s=until)
    finally:
        signal.signal(signal.SIGINT, before)
        if trace is not None:
            programs.write_trace(trace)
    now_s = programs.world.now_s
    for broken in programs.broken:
        for text in (broken.traceback if full else broken.explained).splitlines():
            line(now_s, broken.program, text, 2)
    said = "stopped by you" if pressed else ending.sentence
    said = said.removesuffix(f" (t = {ending.at_s:.3f} s)")  # the line begins with it
    if ending.kind == "idle" and until is None:
        said += ". Stopped (--until SECONDS to go on)"
    line(ending.at_s, "world", said, 0)
    if pressed:
        raise typer.Exit(130)
    stopped = ending.kind not in ("finished", "idle", "until")
    raise typer.Exit(1 if stopped or programs.failed else 0)
