"""A broker: one node of a cluster, its connections, and the administrator's way in.

A carrier (the simulated world, or a TCP server) uses the methods of `sandbox.brokers.base.Broker`.
Checks, tests and management look at `cluster.topics[...]`, `cluster.groups[...]` and use the
`admin_` methods, which need no connection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from sandbox.brokers.carrying import Carried
from sandbox.brokers.kafka import (
    administering,
    discovering,
    durability,
    fetching,
    grouping,
    identifying,
    inspecting,
    moving,
    offsets,
    positions,
    producing,
    transacting,
)
from sandbox.brokers.kafka.cluster import Cluster
from sandbox.brokers.kafka.codec import API_VERSIONS
from sandbox.brokers.kafka.connection import Connection, Request
from sandbox.brokers.kafka.errors import Code, KafkaError
from sandbox.brokers.kafka.records import Record, build_batch
from sandbox.brokers.kafka.sessions import Sessions

if TYPE_CHECKING:
    from random import Random

    from sandbox.brokers import base
    from sandbox.brokers.base import Observer
    from sandbox.brokers.kafka.replica import Replica
    from sandbox.brokers.kafka.topics import Partition, Topic

#: What answers which request.
HANDLERS: Final[Mapping[int, Callable[[Request], None]]] = {
    **discovering.HANDLERS,
    **identifying.HANDLERS,
    **producing.HANDLERS,
    **fetching.HANDLERS,
    **positions.HANDLERS,
    **grouping.HANDLERS,
    **offsets.HANDLERS,
    **administering.HANDLERS,
    **transacting.HANDLERS,
    **inspecting.HANDLERS,
    **moving.HANDLERS,
}
_BEFORE_AUTHENTICATION: Final = frozenset({API_VERSIONS, *identifying.HANDLERS})


class Broker(Carried[Connection]):
    """A Kafka broker, as far as its clients can tell.

    Without `cluster` it is a cluster of its own, made with `random`, `configs` and `wall_epoch_ns`
    (see `Cluster`). `observe` gets what this broker does, the first one's also what nobody asked
    for. `host` and `port` are where clients are told to find it.
    `users` maps names to passwords for SASL/PLAIN; without it nobody needs to log in.
    """

    def __init__(
        self,
        *,
        random: Random | None = None,
        observe: Observer | None = None,
        configs: Mapping[str, str] | None = None,
        wall_epoch_ns: int = 0,
        cluster: Cluster | None = None,
        node_id: int = 1,
        host: str = "localhost",
        port: int = 9092,
        users: Mapping[str, str] | None = None,
    ) -> None:
        if cluster is None:
            if random is None:
                raise ValueError("a broker without a cluster needs `random` to make one")
            cluster = Cluster(
                random=random, observe=observe, configs=configs, wall_epoch_ns=wall_epoch_ns
            )
        super().__init__()
        self.cluster = cluster
        #: What is to be done later, by any broker of the cluster.
        self.timers = cluster.timers
        self.observe = observe or cluster.observe
        self.node_id = node_id
        self.host = host
        self.port = port
        self.users = users
        self.connections: dict[Connection, None] = {}
        self.sessions = Sessions(cluster.random)
        cluster.add(self)

    @property
    def now_ns(self) -> int:
        """The latest time anybody told."""
        return self.cluster.now_ns

    # -- what outlives the interpreter ---------------------------------------------------------

    @property
    def keep(self) -> Callable[[base.Record], None] | None:
        """Called with every change of what a restart would keep; for the whole cluster."""
        return self.cluster.keep

    @keep.setter
    def keep(self, keep: Callable[[base.Record], None] | None) -> None:
        self.cluster.keep = keep

    def snapshot(self) -> Iterator[base.Record]:
        """Records that rebuild the cluster's durable state of this moment."""
        return durability.snapshot(self.cluster)

    def restore(self, records: Iterable[base.Record], now_ns: int) -> None:
        """Rebuild what the records tell, in a cluster that has just been made.

        Raises:
            ValueError: a record that cannot be read, naming it.
        """
        durability.restore(self.cluster, records, now_ns)

    # -- the carrier's side --------------------------------------------------------------------

    def connect(self, peer: str, now_ns: int) -> Connection:
        """Accept a client; `peer` is a name for people, such as "worker:49152"."""
        self.time(now_ns)
        connection = Connection(self, peer)
        self.connections[connection] = None
        self.cluster.emit("connection.open", broker=self.node_id, connection=peer)
        return connection

    def next_timer(self) -> int | None:
        """When `handle_timer` must be called next, in nanoseconds, or None.

        The first broker looks after the agenda of the whole cluster, running or not.
        """
        return self.timers.next_due() if self.nodes[0] is self else None

    def next_event_timer(self) -> int | None:
        """As `next_timer`, leaving out fetches that wait and members that are alive."""
        return self.timers.next_event_due() if self.nodes[0] is self else None

    def handle_timer(self, now_ns: int) -> None:
        """Do everything that is due at `now_ns`."""
        self.time(now_ns)
        super().handle_timer(now_ns)

    def restart(self, now_ns: int) -> None:
        """Stop and start again: connections break; records, groups and offsets are kept."""
        self.stop(now_ns)
        self.start(now_ns)

    def crash(self, now_ns: int) -> None:
        """End as if killed: the others find out when it has been silent for a session."""
        self.stop(now_ns, clean=False)

    @property
    def nodes(self) -> Sequence[Broker]:
        """The brokers of the cluster, this one among them: acting on one moves the others."""
        return self.cluster.nodes

    @property
    def running(self) -> bool:
        """Whether it was not stopped."""
        return self.cluster.controller.running[self.node_id]

    def stop(self, now_ns: int, *, clean: bool = True) -> None:
        """End: connections break, what was written stays. Idempotent.

        It hands over first what it leads. If not `clean` the others find out when it has been
        silent for `broker.session.timeout.ms`.
        """
        self.time(now_ns)
        if not self.running:
            return
        self.happened()
        self.cluster.emit("broker.stop", broker=self.node_id, clean=clean)
        for connection in list(self.connections):
            connection.close("the broker stops")
        self.sessions.clear()
        self.cluster.controller.stop(self.node_id, clean=clean)

    def start(self, now_ns: int) -> None:
        """Begin again with what was written. Idempotent."""
        self.time(now_ns)
        if self.running:
            return
        self.happened()
        self.cluster.emit("broker.start", broker=self.node_id)
        self.cluster.controller.start(self.node_id)

    def isolate(self, now_ns: int) -> None:
        """Cut it off from the other brokers; clients still reach it. Idempotent."""
        self.time(now_ns)
        self.happened()
        self.cluster.emit("broker.isolate", broker=self.node_id)
        self.cluster.controller.isolate(self.node_id)

    def heal(self, now_ns: int) -> None:
        """Undo `isolate`. Idempotent."""
        self.time(now_ns)
        self.happened()
        self.cluster.emit("broker.heal", broker=self.node_id)
        self.cluster.controller.heal(self.node_id)

    def led(self, partition: Partition) -> Replica:
        """The copy of a partition that this broker leads, as far as it knows.

        Raises:
            KafkaError: 6, another broker leads it.
        """
        copy = partition.copies.get(self.node_id)
        if copy is None or not copy.leads:
            raise KafkaError(
                Code.NOT_LEADER_OR_FOLLOWER,
                f"broker {self.node_id} does not lead partition {partition.index}"
                f" of {partition.topic.name}",
            )
        return copy

    # -- requests ------------------------------------------------------------------------------

    def time(self, now_ns: int) -> int:
        """Note what time it is."""
        return self.cluster.time(now_ns)

    def happened(self) -> None:
        """More than housekeeping happened."""
        self.cluster.happened()

    def handle(self, request: Request) -> None:
        """Answer a request, or see to it that it is answered later."""
        key = request.call.api.key
        if not request.connection.authenticated and key not in _BEFORE_AUTHENTICATION:
            request.connection.close(f"{request.call.api.name} before logging in")
            return
        former, self.cluster.acting = self.cluster.acting, self
        try:
            HANDLERS[key](request)
        finally:
            self.cluster.acting = former

    def forget(self, connection: Connection, reason: str, now_ns: int) -> None:
        """A connection ends. Group members that used it have until their session ends."""
        self.connections.pop(connection, None)
        self.cluster.emit(
            "connection.close", broker=self.node_id, reason=reason, connection=connection.peer
        )
        self.cluster.groups.connection_lost(connection, now_ns)

    # -- the administrator's way in ------------------------------------------------------------

    def admin_create_topic(
        self,
        name: str,
        partitions: int = 1,
        replication_factor: int = 1,
        configs: Mapping[str, str] | None = None,
    ) -> Topic:
        """Create a topic without a connection.

        Raises:
            KafkaError: as for a client.
        """
        self.happened()
        return self.cluster.create_topic(name, partitions, replication_factor, configs)

    def admin_produce(
        self,
        topic: str,
        values: Sequence[bytes | None],
        now_ns: int,
        *,
        partition: int = 0,
        key: bytes | None = None,
        headers: Sequence[tuple[str, bytes | None]] = (),
    ) -> int:
        """Write records without a connection. Returns: the offset of the first.

        Raises:
            KafkaError: 3, there is no such topic or partition; 5, nobody leads it now.
        """
        self.time(now_ns)
        leader = self.cluster.leader(self.cluster.topic(topic).partition(partition))
        if leader is None:
            raise KafkaError(Code.LEADER_NOT_AVAILABLE, f"nobody leads partition {partition} now")
        now_ms = self.cluster.now_ms(now_ns)
        batch = build_batch(
            [Record(n, now_ms, key, value, headers) for n, value in enumerate(values)]
        )
        producing.write(self.cluster, leader, batch, peer=None)
        return batch.base_offset

    def admin_close_connection(self, peer: str, reason: str, now_ns: int) -> None:
        """Hang up on a peer."""
        self.time(now_ns)
        for connection in [each for each in self.connections if each.peer == peer]:
            connection.close(reason)
