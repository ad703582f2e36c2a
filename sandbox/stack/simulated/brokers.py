"""Which brokers a world can hold, how each is made, and who talks to it.

To add a broker, add a function that makes it and an entry to `KINDS`.
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
from sandbox.stack.simulated.late import LateBroker

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


def add_brokers(
    world: World, names: Sequence[str], *, late: Sequence[str] = ()
) -> dict[str, Service]:
    """Put brokers into a world; those in `late` are made when somebody first connects.

    Raises:
        StackUnavailable: there is no such broker here.
    """
    services = {}
    for name in [*names, *(name for name in late if name not in names)]:
        if name not in KINDS:
            raise StackUnavailable(
                f"The sandbox has no broker called {name!r}; it has {', '.join(sorted(KINDS))}."
            )
        kind = KINDS[name]
        make = _late(world.seed, name, kind) if name not in names else _now(world.seed, name, kind)
        services[name] = world.add_service(name, kind.port, make)
    return services


def clients(names: Sequence[str]) -> list[str]:
    """The modules to import for programs that talk to these brokers, of those installed."""
    return [
        module
        for name in names
        if name in KINDS
        for module in KINDS[name].clients
        if find_spec(module.partition(".")[0]) is not None
    ]


def _now(seed: int, name: str, kind: Kind) -> Callable[[Observer], Any]:
    return lambda observe: kind.make(chance.stream(seed, f"broker {name}"), observe)


def _late(seed: int, name: str, kind: Kind) -> Callable[[Observer], Any]:
    make = _now(seed, name, kind)
    return lambda observe: LateBroker(lambda: make(observe))
