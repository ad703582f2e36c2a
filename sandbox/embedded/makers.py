"""Which brokers the server has, and how each is made.

To add a broker, write a maker and add it to `KINDS`. A maker imports its broker when it is called:
ports are listened on before any of them is loaded.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any, Final

from sandbox.embedded.errors import EmbeddedError
from sandbox.embedded.limits import Limits

if TYPE_CHECKING:
    from sandbox.brokers import base
    from sandbox.brokers.base import Observer
    from sandbox.embedded.users import Users


@dataclass(frozen=True)
class Making:
    """What a maker may need to know."""

    random: Random
    observe: Observer | None
    now_ns: int
    #: What clients are told to connect to.
    host: str
    #: Ports by purpose.
    ports: Mapping[str, int]
    users: Users | None
    #: Whether durable things are kept over restarts.
    keeps: bool
    #: Settings of Redis that are other than usual.
    redis: Mapping[str, str]


@dataclass(frozen=True)
class Made:
    """A broker, and what is behind its ports."""

    broker: Any
    #: By purpose, as in `ports_of`.
    nodes: Mapping[str, base.Broker]
    #: Raises `EmbeddedError` if what was restored needs a server that is started otherwise.
    check: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class Kind:
    """A broker the server can have."""

    name: str
    title: str
    #: Purpose -> usual port.
    ports: Mapping[str, int]
    make: Callable[[Making], Made]
    limits: Limits = field(default_factory=Limits)


def random_stream(seed: int | None, name: str) -> Random:
    """A broker's own stream; without a seed one that nobody has seen before."""
    return Random(secrets.randbits(128) if seed is None else f"{seed}/{name}")


def _rabbitmq(making: Making) -> Made:
    from sandbox.brokers import amqp
    from sandbox.brokers.amqp import management
    from sandbox.brokers.amqp.permissions import Permission

    users = making.users
    broker = amqp.Broker(
        random=making.random,
        observe=making.observe,
        users=None if users is None else users.passwords,
        permissions=None
        if users is None
        else {
            user.name: {
                vhost: Permission(**patterns) for vhost, patterns in user.permissions.items()
            }
            for user in users.everybody
            if user.permissions is not None
        },
        tags=None
        if users is None
        else {user.name: user.tags for user in users.everybody if user.tags},
        vhosts=("/",) if users is None else users.vhosts,
    )
    api = management.Server(
        broker,
        host=making.host,
        amqp_port=making.ports["rabbitmq"],
        port=making.ports["management"],
    )
    return Made(broker, {"rabbitmq": broker, "management": api})


def _kafka(making: Making) -> Made:
    from sandbox.brokers import kafka

    purposes = [purpose for purpose in making.ports if purpose.startswith("kafka")]
    cluster = kafka.Cluster(random=making.random, observe=making.observe)
    brokers = {
        purpose: kafka.Broker(
            cluster=cluster,
            node_id=number,
            host=making.host,
            port=making.ports[purpose],
            users=None if making.users is None else making.users.passwords,
        )
        for number, purpose in enumerate(purposes, 1)
    }

    def check() -> None:
        needed = {n for topic in cluster.topics.values() for each in topic for n in each.replicas}
        if needed - cluster.brokers.keys():
            raise EmbeddedError(
                f"The data was kept by a Kafka of more than {len(brokers)} brokers, which have "
                f"copies that would be missing. Start it with --kafka-brokers {max(needed)}."
            )

    return Made(brokers["kafka"], brokers, check)


def _redis(making: Making) -> Made:
    from sandbox.brokers import redis

    users = None
    if making.users is not None:
        # Without a password of its own, nobody is to be the user that needs no name.
        users = {"default": secrets.token_urlsafe(32)} | making.users.passwords
    broker = redis.Broker(
        random=making.random,
        observe=making.observe,
        users=users,
        # What is acknowledged is kept, as `--data` promises for every broker.
        config=({"appendonly": "yes"} if making.keeps else {}) | dict(making.redis),
        epoch_ns=0,
        now_ns=making.now_ns,
    )
    return Made(broker, {"redis": broker})


def _mqtt(making: Making) -> Made:
    from sandbox.brokers import mqtt

    broker = mqtt.Broker(
        random=making.random,
        observe=making.observe,
        users=None if making.users is None else making.users.passwords,
    )
    broker.sys_topics.restart(making.now_ns)  # Its uptime counts from here, not from 1970.
    return Made(broker, {"mqtt": broker})


KINDS: Final[Mapping[str, Kind]] = {
    kind.name: kind
    for kind in (
        Kind("rabbitmq", "RabbitMQ", {"rabbitmq": 5672, "management": 15672}, _rabbitmq),
        Kind("kafka", "Kafka", {"kafka": 9092}, _kafka),
        Kind("redis", "Redis", {"redis": 6379}, _redis, Limits(stops_reading=False)),
        Kind("mqtt", "MQTT", {"mqtt": 1883}, _mqtt),
    )
}


def ports_of(kind: Kind, kafka_brokers: int) -> dict[str, int]:
    """Purpose -> usual port; a Kafka of several brokers has as many, one after the other."""
    ports = dict(kind.ports)
    if kind.name == "kafka":
        ports |= {f"kafka-{n}": ports["kafka"] + n - 1 for n in range(2, kafka_brokers + 1)}
    return ports
