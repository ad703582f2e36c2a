"""Two unmodified kafka-python consumers in a world, of which one is killed. Prints what happened.

A program of its own: the stand-ins must be in place before kafka-python is imported.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from sandbox.sim import standins

standins.install()

from sandbox.brokers.kafka import Broker  # noqa: E402
from sandbox.sim import chance  # noqa: E402
from sandbox.sim.clock import WALL_EPOCH_NS  # noqa: E402
from sandbox.sim.world import World  # noqa: E402

CONSUMER = """
from kafka import KafkaConsumer

consumer = KafkaConsumer(
    "orders",
    bootstrap_servers="localhost:9092",
    group_id="billing",
    auto_offset_reset="earliest",
    enable_auto_commit=False,
)
for record in consumer:
    print(record.value.decode())
    consumer.commit()
"""
PRODUCER = """
from kafka import KafkaProducer

# Without a name of its own it would count on from the producers of the world before.
producer = KafkaProducer(bootstrap_servers="localhost:9092", client_id="shop")
for n in range(4):
    producer.send("orders", b"%s-%d" % (b"{name}", n), partition=n % 2)
producer.close()
"""


def play() -> tuple[list[str], str]:
    world = World(seed=1)
    service = world.add_service(
        "kafka",
        9092,
        lambda observe: Broker(
            random=chance.stream(1, "kafka"), observe=observe, wall_epoch_ns=WALL_EPOCH_NS
        ),
    )
    service.act(lambda now_ns: service.broker.admin_create_topic("orders", 2))
    consumers = [
        world.start_script(Path("consumer.py"), name=name, source=CONSUMER)
        for name in ("one", "two")
    ]
    world.run(until_s=5)
    world.start_script(Path("p1.py"), source=PRODUCER.format(name="early"))
    endings = [world.run().kind]
    consumers[0].kill()
    world.start_script(Path("p2.py"), source=PRODUCER.format(name="late"))
    endings.append(world.run().kind)
    printed = [line for each in consumers for line in each.output.split()]
    return [*endings, *sorted(printed)], "\n".join(map(repr, world.trace.events))


first, trace = play()
again, trace_again = play()
json.dump({"result": first, "same": trace == trace_again and first == again}, sys.stdout)
