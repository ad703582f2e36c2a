"""redis-py, unmodified, as programs of a simulated world."""

from __future__ import annotations

from pathlib import Path

import redis
import redis.asyncio

from sandbox.brokers.redis import Broker
from sandbox.sim import chance
from sandbox.sim.world import World

PRODUCER = """
import time, redis
r = redis.Redis("localhost", decode_responses=True)
print(r.blpop("nothing", timeout=2), time.monotonic() - 1000 < 2.1)
with r.lock("lock", timeout=3):
    print(r.pttl("lock") > 2000)
r.set("k", "v", ex=5)
time.sleep(6)
print(r.get("k"))
r.rpush("jobs", "a", "b")
"""
WORKER = """
import asyncio, redis.asyncio
async def main():
    r = redis.asyncio.Redis(host="localhost", decode_responses=True, socket_timeout=None)
    while True:
        job = await r.blpop("jobs", timeout=1)
        if job:
            print(job[1])
asyncio.run(main())
"""


def _play(folder: Path) -> tuple[list[str], str, list[object]]:
    def make(observe: object) -> Broker:
        return Broker(random=chance.stream(1, "broker redis"), observe=observe)  # type: ignore[arg-type]

    world = World(seed=1)
    world.add_service("redis", 6379, make)
    programs = []
    for name, text in (("producer", PRODUCER), ("worker", WORKER)):
        file = folder / f"{name}.py"
        file.write_text(text)
        programs.append(world.start_script(file))
    ending = world.run()
    return [program.output for program in programs], ending.kind, list(world.trace.events)


def test_clients_wait_lock_and_expire_on_virtual_time_and_a_polling_worker_leaves_the_world_idle(
    tmp_path: Path,
) -> None:
    outputs, kind, events = _play(tmp_path)
    assert outputs == ["None True\nTrue\nNone\n", "a\nb\n"]
    assert kind == "idle"
    assert redis.asyncio.Redis is not None
    assert events == _play(tmp_path)[2]
