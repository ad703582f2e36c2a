"""Which brokers a world can hold, and how each is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sandbox.brokers import amqp
from sandbox.sim import chance
from sandbox.sim.clock import WALL_EPOCH_NS
from sandbox.sim.services import Service
from sandbox.sim.world import World
from sandbox.stack.base import StackUnavailable

#: What a lab's `needs` may name: host name and port.
PORTS = {"rabbitmq": 5672}

#: Client libraries, imported before the world begins so that it need not wait for them.
CLIENTS = {"rabbitmq": ("pika",)}


def add_brokers(world: World, names: Sequence[str]) -> dict[str, Service]:
    """Put brokers into a world.

    Raises:
        StackUnavailable: there is no such broker here.
    """
    services = {}
    for name in names:
        if name not in _MAKERS:
            raise StackUnavailable(
                f"The sandbox has no broker called {name!r}; it has {', '.join(sorted(_MAKERS))}."
            )
        services[name] = world.add_service(name, PORTS[name], _MAKERS[name](world))
    return services


def clients(names: Sequence[str]) -> list[str]:
    """The modules to import for programs that talk to these brokers."""
    return [module for name in names for module in CLIENTS.get(name, ())]


Observe = Callable[[str, Mapping[str, Any]], None]


def _rabbitmq(world: World) -> Callable[[Observe], amqp.Broker]:
    def make(observe: Observe) -> amqp.Broker:
        return amqp.Broker(
            random=chance.stream(world.seed, "broker rabbitmq"),
            observe=observe,
            epoch_ns=WALL_EPOCH_NS,
        )

    return make


_MAKERS: dict[str, Callable[[World], Callable[[Observe], Any]]] = {"rabbitmq": _rabbitmq}
