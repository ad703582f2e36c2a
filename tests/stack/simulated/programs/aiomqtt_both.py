import asyncio

import aiomqtt


async def sensor():
    async with aiomqtt.Client("mqtt", identifier="sensor") as client:
        for number in range(3):
            await client.publish("rooms/kitchen/temperature", 20 + number, qos=2)
            await asyncio.sleep(1)


async def main():
    async with aiomqtt.Client("localhost", identifier="panel") as client:
        await client.subscribe("rooms/#", qos=2)
        task = asyncio.create_task(sensor())
        seen = []
        async for message in client.messages:
            seen.append((str(message.topic), int(message.payload), message.qos))
            if len(seen) == 3:
                break
        print(seen)
        await task


asyncio.run(main())
