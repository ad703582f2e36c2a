"""Every broker, embedded and simulated, against the real server: messages a second and ratios.

The same programs (`bench/workloads.py`) with the same client libraries run against all three. What
counts is real time between a program's two marks; each figure is the best of a few runs, taken in
turns. Also: how long `sandbox up` takes to listen, and what it holds in memory when idle.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter

from bench.workloads import WORKLOADS, Workload

RUNS = 3
TIMEOUT_S = 300
IDLE_LIMIT_MB = 100
START_LIMIT_S = 1.0


def main() -> None:
    """Measure and print."""
    start_and_idle()
    with ExitStack() as cleanup:
        places = {"real": real_servers(cleanup), "embedded": embedded_server(cleanup)}
        print(f"  {'messages a second':<28}{'real':>9}{'embedded':>10}{'ratio':>7}", end="")
        print(f"{'simulated':>11}{'ratio':>7}")
        for workload in WORKLOADS:
            row = compare(workload, places)
            real, embedded, simulated = row["real"], row["embedded"], row["simulated"]
            print(
                f"  {workload.name:<28}{real:9,.0f}{embedded:10,.0f}{embedded / real:7.2f}"
                f"{simulated:11,.0f}{simulated / real:7.2f}",
                flush=True,
            )


def compare(workload: Workload, places: dict[str, dict[str, str]]) -> dict[str, float]:
    """Messages a second in every place, the best of a few runs in turns."""
    ways: dict[str, Callable[[], float]] = {
        name: lambda environment=environment: as_process(workload, environment)
        for name, environment in places.items()
    }
    ways["simulated"] = lambda: in_world(workload)
    best = dict.fromkeys(ways, 0.0)
    for _ in range(RUNS):
        for name, measure in ways.items():
            best[name] = max(best[name], workload.messages / measure())
    return best


def as_process(workload: Workload, environment: dict[str, str]) -> float:
    """Seconds between the marks of a process of its own."""
    ran = subprocess.run(
        [sys.executable, "-c", workload.program],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    marks = [float(at) for at in re.findall(r"^mark (\S+)$", ran.stdout, re.MULTILINE)]
    if ran.returncode or len(marks) != 2:
        raise RuntimeError(f"{workload.name} failed.\n{ran.stdout}{ran.stderr[-2000:]}")
    return marks[1] - marks[0]


def in_world(workload: Workload) -> float:
    """Real seconds between the marks in a simulated world."""
    from sandbox.stack.simulated import SimulatedStack

    stack = SimulatedStack(seed=1, brokers=[workload.broker])
    marks = []

    def on_output(process: object, stream: int, text: str) -> None:
        # Called while the program runs, when `time` shows the world's clock.
        if text.startswith("mark"):
            marks.append(os.times().elapsed)

    stack.world.kernel.on_output = on_output
    program = stack.world.start_script(Path("workload.py"), source=workload.program)
    ending = stack.world.run(real_s=TIMEOUT_S)
    if len(marks) != 2:
        raise RuntimeError(f"{workload.name} failed. {ending.sentence}\n{program.output[-2000:]}")
    stack.close()
    return marks[1] - marks[0]


def real_servers(cleanup: ExitStack) -> dict[str, str]:
    """Start one of each; the environment that leads there."""
    from sandbox.native.kafka import Kafka
    from sandbox.native.mosquitto import Mosquitto
    from sandbox.native.rabbitmq import RabbitMQ
    from sandbox.native.redis import Redis

    rabbitmq = cleanup.enter_context(RabbitMQ())
    kafka = cleanup.enter_context(Kafka())
    redis = cleanup.enter_context(Redis())
    mosquitto = cleanup.enter_context(Mosquitto())
    for server in (rabbitmq, kafka, redis, mosquitto):
        print(f"  {server.title} {server.version()}")
    return {
        "BENCH_AMQP": rabbitmq.amqp_url,
        "BENCH_KAFKA": kafka.bootstrap,
        "BENCH_REDIS": f"redis://{redis.address}/0",
        "BENCH_MQTT": str(mosquitto.port),
    }


def embedded_server(cleanup: ExitStack) -> dict[str, str]:
    """Start `sandbox up`; the environment that leads there."""
    from sandbox.embedded import ServerProcess

    server = cleanup.enter_context(ServerProcess())
    return {
        "BENCH_AMQP": server.url("rabbitmq"),
        "BENCH_KAFKA": server.url("kafka"),
        "BENCH_REDIS": server.url("redis"),
        "BENCH_MQTT": server.url("mqtt").rpartition(":")[2].strip("/"),
    }


def start_and_idle() -> None:
    """How long `sandbox up` takes until it says it is ready, and what it then holds in memory."""
    times = []
    for _ in range(RUNS):
        with tempfile.TemporaryFile() as errors:
            command = [sys.executable, "-m", "sandbox", "up", "--port-offset", "21000"]
            began = perf_counter()
            server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
            assert server.stdout is not None
            try:
                for line in server.stdout:
                    if line.startswith("Ready"):
                        break
                times.append(perf_counter() - began)
                memory_mb = resident_mb(server.pid)
            finally:
                server.terminate()
                server.wait()
    started = min(times)
    print(f"  sandbox up: {started:.2f} s to listen  {verdict(started, START_LIMIT_S)}", end="")
    if memory_mb is not None:
        print(f", {memory_mb:.0f} MB when idle  {verdict(memory_mb, IDLE_LIMIT_MB)}", end="")
    print()


def resident_mb(pid: int) -> float | None:
    """A process's resident memory, where the system tells."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    found = re.search(r"^VmRSS:\s+(\d+) kB", status, re.MULTILINE)
    return int(found[1]) / 1024 if found else None


def verdict(value: float, limit: float) -> str:
    """Whether a promise is kept."""
    return "ok" if value <= limit else "MISSED"


if __name__ == "__main__":
    main()
