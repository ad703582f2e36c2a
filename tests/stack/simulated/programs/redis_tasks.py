import asyncio

import redis.asyncio as redis


async def worker(name, r):
    while item := await r.brpop("queue", timeout=2):
        print(name, item[1])


async def main():
    r = redis.Redis(decode_responses=True)
    async with asyncio.TaskGroup() as group:
        for name in ("one", "two", "three"):
            group.create_task(worker(name, r))
        for number in range(6):
            await r.lpush("queue", number)
    await r.aclose()


asyncio.run(main())
