import asyncio

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

TOPICS = ("orders", "mails", "audit", "billing")


async def main():
    async with AIOKafkaProducer(bootstrap_servers="localhost:9092") as producer:
        for topic in TOPICS:
            for number in range(4):
                await producer.send(topic, b"%d" % number, key=b"customer-%d" % number)
        await producer.flush()
    consumer = AIOKafkaConsumer(
        *TOPICS,
        bootstrap_servers="localhost:9092",
        group_id="async workers",
        auto_offset_reset="earliest",
    )
    async with consumer:
        for _ in range(16):
            record = await consumer.getone()
            print(record.topic, record.partition, record.value.decode())


asyncio.run(main())
