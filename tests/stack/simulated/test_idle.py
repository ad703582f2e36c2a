"""When a world with clients that ask again and again is at rest."""

from pathlib import Path

import pytest

from sandbox.stack.simulated import SimulatedStack

BLOCKING = """
import redis
client = redis.Redis(socket_timeout=5)
while True:
    client.blpop("orders", timeout=1)
"""

BLOCKING_ON_A_LOOP = """
import asyncio
import redis.asyncio as redis

async def main():
    client = redis.Redis(socket_timeout=5)
    while True:
        await client.blpop("orders", timeout=1)

asyncio.run(main())
"""

PATIENT = """
import redis
client = redis.Redis()
for _ in range(30):
    client.blpop("orders", timeout=1)
print("gave up")
"""


@pytest.mark.parametrize("source", [BLOCKING, BLOCKING_ON_A_LOOP], ids=["threads", "asyncio"])
def test_a_client_whose_blocking_commands_end_before_its_socket_time_out_is_idle(source: str):
    stack = SimulatedStack(seed=1, brokers=("redis",))
    stack.world.start_script(Path("worker.py"), source=source)
    ending = stack.world.run(real_s=30)
    assert ending.kind == "idle", ending.sentence
    stack.close()


def test_a_client_that_gives_up_within_a_minute_is_waited_for():
    stack = SimulatedStack(seed=1, brokers=("redis",))
    program = stack.world.start_script(Path("worker.py"), source=PATIENT)
    ending = stack.world.run(real_s=30)
    assert (ending.kind, program.output) == ("finished", "gave up\n")
    stack.close()
