"""Which brokers a world can hold, how each is made, and who talks to it.

To add a broker, add a function that makes it and an entry to `KINDS`. A Kafka of several brokers is
not one of them, because it is several services: `KAFKA_CLUSTER`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from sandbox.sim import chance
from sandbox.sim.clock import WALL_EPOCH_NS
from sandbox.sim.services import Service
from sandbox.sim.world import World
from sandbox.stack.base import StackUnavailable
from sandbox.stack.simulated.late import LateBroker, broker_of

if TYPE_CHECKING:
    from random import Random

    from sandbox.brokers.base import Observer


def _rabbitmq(random: Random, observe: Observer) -> Any:
    from sandbox.brokers import amqp

    return amqp.Broker(random=random, observe=observe, epoch_ns=WALL_EPOCH_NS)


def _kafka(random: Random, observe: Observer) -> Any:
    from sandbox.brokers import kafka

    return kafka.Broker(random=random, observe=observe, wall_epoch_ns=WALL_EPOCH_NS)


def _redis(random: Random, observe: Observer) -> Any:
    from sandbox.brokers import redis

    return redis.Broker(random=random, observe=observe, epoch_ns=WALL_EPOCH_NS)


def _mqtt(random: Random, observe: Observer) -> Any:
    from sandbox.brokers import mqtt

    return mqtt.Broker(random=random, observe=observe, epoch_ns=WALL_EPOCH_NS)


@dataclass(frozen=True)
class Kind:
    """A broker that worlds can hold; its host is called as it is."""

    port: int
    make: Callable[[Random, Observer], Any]
    #: Client libraries, imported (where they are installed) before a world with it begins.
    clients: tuple[str, ...]


#: What a lab's `needs` may name.
KINDS: Mapping[str, Kind] = {
    "rabbitmq": Kind(5672, _rabbitmq, ("pika",)),
    "kafka": Kind(9092, _kafka, ("kafka",)),
    "redis": Kind(6379, _redis, ("redis", "redis.asyncio")),
    "mqtt": Kind(1883, _mqtt, ("paho.mqtt.client", "aiomqtt")),
}


#: What `needs` names for three Kafka brokers: hosts kafka-1 to kafka-3, ports 9092 to 9094, all of
#: them at localhost too.
KAFKA_CLUSTER = "kafka-cluster"
KAFKA_NODES = (1, 2, 3)

#: What comes with a RabbitMQ.
MANAGEMENT, MANAGEMENT_PORT = "management", 15672


def add_brokers(
    world: World, names: Sequence[str], *, late: Sequence[str] = ()
) -> dict[str, Service]:
    """Put brokers into a world; those in `late` are made when somebody first connects.

    Raises:
        StackUnavailable: there is no such broker here.
    """
    services: dict[str, Service] = {}
    for name in [*names, *(name for name in late if name not in names)]:
        if name == KAFKA_CLUSTER:
            services |= _add_kafka_cluster(world)
            continue
        if name not in KINDS:
            has = ", ".join(sorted([*KINDS, KAFKA_CLUSTER]))
            raise StackUnavailable(f"The sandbox has no broker called {name!r}; it has {has}.")
        kind = KINDS[name]
        make = _late(world.seed, name, kind) if name not in names else _now(world.seed, name, kind)
        services[name] = world.add_service(name, kind.port, make)
        if name == "rabbitmq":
            services[MANAGEMENT] = _add_management(world, services[name])
    return services


def clients(names: Sequence[str]) -> list[str]:
    """The modules to import for programs that talk to these brokers, of those installed."""
    kinds = ["kafka" if name == KAFKA_CLUSTER else name for name in names]
    return [
        module
        for name in kinds
        if name in KINDS
        for module in KINDS[name].clients
        if find_spec(module.partition(".")[0]) is not None
    ]


def _add_kafka_cluster(world: World) -> dict[str, Service]:
    from sandbox.brokers.kafka import Broker
    from sandbox.brokers.kafka.cluster import Cluster

    cluster = Cluster(random=chance.stream(world.seed, "broker kafka"), wall_epoch_ns=WALL_EPOCH_NS)
    services = {}
    for node in KAFKA_NODES:
        name, port = f"kafka-{node}", KINDS["kafka"].port - 1 + node

        def make(observe: Observer, node: int = node, port: int = port) -> Any:
            return Broker(
                cluster=cluster, node_id=node, host="localhost", port=port, observe=observe
            )

        services[name] = world.add_service(name, port, make)
    return services


def _add_management(world: World, rabbitmq: Service) -> Service:
    """RabbitMQ's HTTP API, on the same host; made when somebody first asks it."""

    def make() -> Any:
        from sandbox.brokers.amqp.management import Server

        broker: Any = broker_of(rabbitmq)
        return Server(broker, changed=rabbitmq.settle)

    return world.add_service(
        MANAGEMENT, MANAGEMENT_PORT, lambda _: LateBroker(make), host=rabbitmq.host
    )


def _now(seed: int, name: str, kind: Kind) -> Callable[[Observer], Any]:
    return lambda observe: kind.make(chance.stream(seed, f"broker {name}"), observe)


def _late(seed: int, name: str, kind: Kind) -> Callable[[Observer], Any]:
    make = _now(seed, name, kind)
    return lambda observe: LateBroker(lambda: make(observe))
