"""The management server: a broker's second port, for whoever carries its bytes.

It is carried as the broker itself is (`sandbox.brokers.base.Broker`), but keeps nothing: what it
shows and changes is the broker's. What a request does may give the broker's own clients something
to hear. A carrier that knows `nodes` (`sandbox.brokers.base.Node`) drains both; for any other,
`changed` is called then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from sandbox.brokers.amqp.management.connection import Connection
from sandbox.brokers.carrying import Carried

if TYPE_CHECKING:
    from sandbox.brokers import base
    from sandbox.brokers.amqp.broker import Broker


class Server(Carried[Connection]):
    """The management API of `broker`.

    `host`, `amqp_port` and `port` are what it tells of listeners. `changed` is called after every
    request that may have changed something, once the request has been answered.
    """

    def __init__(
        self,
        broker: Broker,
        *,
        host: str = "127.0.0.1",
        amqp_port: int = 5672,
        port: int = 15672,
        changed: Callable[[], None] | None = None,
    ) -> None:
        super().__init__()
        self.broker = broker
        self.host = host
        self.amqp_port = amqp_port
        self.port = port
        self.changed = changed
        self.connections: dict[Connection, None] = {}
        #: What `PUT /api/cluster-name` said.
        self.cluster_name: str | None = None
        #: When the first client came, which is about when the broker began.
        self.started_ns: int | None = None

    @property
    def nodes(self) -> Sequence[base.Broker]:
        """The broker and this: a call into one may give the other's clients something to hear."""
        return (self.broker, self)

    def connect(self, peer: str, now_ns: int) -> Connection:
        """Accept a client; `peer` is a name for people, such as "worker:49152"."""
        self.activity += 1
        if self.started_ns is None:
            self.started_ns = now_ns
        connection = Connection(self, peer, now_ns)
        self.connections[connection] = None
        return connection

    def restart(self, now_ns: int) -> None:
        """Lose every connection; there is nothing else here."""
        self.activity += 1
        for connection in list(self.connections):
            connection.hang_up()
