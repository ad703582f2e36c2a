"""20,000 messages published, consumed and acknowledged by pika: the world against a RabbitMQ.

The same script runs in a simulated world and, as an ordinary process, against a real RabbitMQ (the
one at AMQP_URL, or one started for this). What counts is real time: pika's own work is in both.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from urllib.parse import quote

MESSAGES = 20_000
RUNS = 3

SCRIPT = f"""
import os
import pika

url = os.environ.get("BENCH_AMQP_URL", "amqp://guest:guest@localhost:5672/")
connection = pika.BlockingConnection(pika.URLParameters(url))
channel = connection.channel()
channel.queue_declare("bench", auto_delete=True)
for number in range({MESSAGES}):
    channel.basic_publish("", "bench", b"order-%d" % number)
channel.basic_qos(prefetch_count=100)
done = 0
for method, _, _ in channel.consume("bench"):
    channel.basic_ack(method.delivery_tag)
    done += 1
    if done == {MESSAGES}:
        break
channel.cancel()
connection.close()
"""


def in_world(script: Path) -> float:
    """Real seconds of the script in a simulated world."""
    from sandbox.stack.simulated import SimulatedStack

    stack = SimulatedStack(seed=1)
    began = perf_counter()
    process = stack.start_script(script)
    ending = stack.world.run(real_s=600)
    taken = perf_counter() - began
    if process.exit != 0:
        raise RuntimeError(f"The script failed: {ending.sentence}\n{process.output}")
    stack.close()
    return taken


def on_rabbitmq(script: Path, url: str) -> float:
    """Real seconds of the script as a process, without Python's own start."""
    timed = (
        "import pika, runpy, sys, time; began = time.perf_counter(); "
        "runpy.run_path(sys.argv[1]); print(time.perf_counter() - began)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", timed, script],
        env={"BENCH_AMQP_URL": url},
        check=True,
        capture_output=True,
        text=True,
    )
    return float(ran.stdout)


def main() -> None:
    """Measure both, in turn, and print the ratio of the medians."""
    from sandbox.native.ports import answers
    from sandbox.native.rabbitmq import RabbitMQ
    from sandbox.stack.live.settings import Settings

    settings = Settings.from_environment()
    server = None
    if not answers(settings.port, settings.host):
        server = RabbitMQ()
        server.start()
        settings = Settings.of(server)
    try:
        with tempfile.TemporaryDirectory() as folder:
            user, password = quote(settings.user, ""), quote(settings.password, "")
            url = f"amqp://{user}:{password}@{settings.address}/"
            script = Path(folder) / "bench_script.py"
            script.write_text(SCRIPT)
            world, rabbitmq = [], []
            for _ in range(RUNS):
                world.append(in_world(script))
                rabbitmq.append(on_rabbitmq(script, url))
    finally:
        if server is not None:
            server.stop()
    ours, theirs = statistics.median(world), statistics.median(rabbitmq)
    print(f"  simulated world  {ours:6.2f} s   {MESSAGES / ours:8.0f} messages/s")
    print(f"  real RabbitMQ    {theirs:6.2f} s   {MESSAGES / theirs:8.0f} messages/s")
    print(f"  ratio            {ours / theirs:6.2f}     (at most 1)")
