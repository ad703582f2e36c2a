"""The leader dies in a world of three brokers: what do unmodified clients lose? Prints it as JSON.

A program of its own: the stand-ins must be in place before the libraries are imported. Arguments:
the client library and its acks.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from sandbox.sim import standins

standins.install()

from sandbox.brokers.kafka import Broker  # noqa: E402
from sandbox.brokers.kafka.cluster import Cluster  # noqa: E402
from sandbox.sim import chance  # noqa: E402
from sandbox.sim.clock import WALL_EPOCH_NS  # noqa: E402
from sandbox.sim.world import World  # noqa: E402

SERVERS = ["kafka-1:9092", "kafka-2:9092", "kafka-3:9092"]
KAFKA_PYTHON = {
    "producer": """
import time
from kafka import KafkaProducer

producer = KafkaProducer(bootstrap_servers=SERVERS, acks=ACKS, client_id="shop", linger_ms=0,
                         enable_idempotence=False)
for n in range(40):
    future = producer.send("orders", b"%d" % n, partition=0)
    try:
        future.get(timeout=60)
        print(n)
    except Exception as error:
        print("refused", n, repr(error))
    time.sleep(0.25)
producer.close()
""",
    "consumer": """
from kafka import KafkaConsumer

consumer = KafkaConsumer("orders", bootstrap_servers=SERVERS, group_id="billing",
                         auto_offset_reset="earliest", client_id="billing")
for record in consumer:
    print(record.value.decode())
""",
}
AIOKAFKA = {
    "producer": """
import asyncio
from aiokafka import AIOKafkaProducer

async def main():
    producer = AIOKafkaProducer(bootstrap_servers=SERVERS, acks=ACKS, client_id="shop")
    await producer.start()
    for n in range(40):
        try:
            await asyncio.wait_for(producer.send_and_wait("orders", b"%d" % n, partition=0), 60)
            print(n)
        except Exception as error:
            print("refused", n, repr(error))
        await asyncio.sleep(0.25)
    await producer.stop()

asyncio.run(main())
""",
    "consumer": """
import asyncio
from aiokafka import AIOKafkaConsumer

async def main():
    consumer = AIOKafkaConsumer("orders", bootstrap_servers=SERVERS, group_id="billing",
                                auto_offset_reset="earliest", client_id="billing")
    await consumer.start()
    async for record in consumer:
        print(record.value.decode())

asyncio.run(main())
""",
}


def play(library: str, acks: Any) -> dict[str, Any]:
    sources = {"kafka-python": KAFKA_PYTHON, "aiokafka": AIOKAFKA}[library]
    head = f"SERVERS = {SERVERS!r}\nACKS = {acks!r}\n"
    world = World(seed=1)
    # So long that the leader's death falls between its answer and the first copy.
    cluster = Cluster(
        random=chance.stream(1, "kafka"), wall_epoch_ns=WALL_EPOCH_NS, replication_delay_ms=100
    )
    services = {}
    for number in (1, 2, 3):

        def make(observe: Any, number: int = number) -> Broker:
            return Broker(cluster=cluster, node_id=number, host=f"kafka-{number}", observe=observe)

        services[number] = world.add_service(f"kafka-{number}", 9092, make)
    services[1].act(lambda now_ns: cluster.brokers[1].admin_create_topic("orders", 1, 3))
    consumer = world.start_script(
        Path("consumer.py"), name="consumer", source=head + sources["consumer"]
    )
    producer = world.start_script(
        Path("producer.py"), name="producer", source=head + sources["producer"]
    )
    partition = cluster.topics["orders"].partitions[0]
    while len(producer.output.split()) < 10 and producer.exit is None:
        world.run(until_s=world.kernel.clock.now_ns / 1e9 + 0.001)
    services[partition.leader].stop(crash=True)
    died = world.kernel.clock.now_ns
    ending = world.run()
    return {
        "ending": ending.kind,
        "leaders": [
            event.fields["leader"]
            for event in world.trace.events
            if event.kind == "partition.leader"
        ],
        "died_s": died / 1e9,
        "sent": [line for line in producer.output.splitlines() if line.isdigit()],
        # aiokafka also tells the terminal what it thinks of dead brokers.
        "received": [line for line in consumer.output.splitlines() if line.isdigit()],
        "exits": [producer.exit, consumer.exit],
    }


library, acks = sys.argv[1:]
json.dump(play(library, acks if acks == "all" else int(acks)), sys.stdout)
