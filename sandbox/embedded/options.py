"""What `sandbox up` can be told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.embedded.limits import LEAST_BYTES, MOST_CONNECTIONS

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Options:
    """How a server is to be; the defaults are those of `sandbox up`."""

    #: Brokers to start, of `makers.KINDS`; all of them when empty.
    only: tuple[str, ...] = ()
    host: str = LOOPBACK
    port_offset: int = 0
    #: Ports by purpose that are other than usual, 0 for any that is free; not moved by the offset.
    ports: Mapping[str, int] = field(default_factory=dict)
    #: How many brokers Kafka's cluster has; the others are on the ports after the first one's.
    kafka_brokers: int = 1
    #: Whether MQTT and AMQP share their topics, as with RabbitMQ's MQTT plugin.
    bridge: bool = False
    #: What Kafka's clients are told to connect to; the host, unless that stands for all of them.
    advertise: str | None = None
    #: Where durable things are kept over restarts; None: nowhere.
    data: Path | None = None
    #: Redis's settings, as its configuration file has them. With `data`, `appendonly` is yes unless
    #: this says otherwise; then only snapshots are kept.
    redis: Mapping[str, str] = field(default_factory=dict)
    #: Whether what is confirmed also survives the loss of power.
    fsync: bool = False
    #: How large a broker's file is, at least, before it is written anew while the server runs.
    rewrite_at_bytes: int = LEAST_BYTES
    #: The seed of the brokers' random streams; None: another one every time.
    seed: int | None = None
    trace: Path | None = None
    users: Path | None = None
    max_connections: int = MOST_CONNECTIONS

    @property
    def reachable_host(self) -> str:
        """The host for addresses that are given to clients."""
        if self.advertise:
            return self.advertise
        return {"0.0.0.0": "localhost", "::": "localhost"}.get(self.host, self.host)
