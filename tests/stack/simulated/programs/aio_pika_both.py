import asyncio

import aio_pika


async def main():
    connection = await aio_pika.connect_robust("amqp://guest:guest@localhost/")
    async with connection:
        channel = await connection.channel()
        queue = await channel.declare_queue("orders")
        for number in range(3):
            message = aio_pika.Message(b"%d" % number)
            await channel.default_exchange.publish(message, routing_key="orders")
        async with queue.iterator() as messages:
            async for message in messages:
                async with message.process():
                    print(message.body.decode())
                if message.body == b"2":
                    break


asyncio.run(main())
