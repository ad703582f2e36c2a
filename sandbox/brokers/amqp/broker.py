"""The broker: virtual hosts, users, connections, and the administrator's way in.

A carrier (the simulated world, or a TCP server) uses the methods of `sandbox.brokers.base.Broker`.
Checks, tests and management look at `vhosts[...]` and use the `admin_` methods, which need no
connection.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sandbox.brokers.amqp.accounts import Accounts
from sandbox.brokers.amqp.actor import ADMINISTRATOR
from sandbox.brokers.amqp.connection import Connection
from sandbox.brokers.amqp.durability import forget_what_is_transient
from sandbox.brokers.amqp.journal import Journal
from sandbox.brokers.amqp.permissions import Permissions
from sandbox.brokers.amqp.properties import encode_header
from sandbox.brokers.amqp.publishing import accept, pack_route
from sandbox.brokers.amqp.restoring import restore, snapshot
from sandbox.brokers.amqp.vhost import VirtualHost
from sandbox.brokers.carrying import Carried

if TYPE_CHECKING:
    from random import Random

    from sandbox.brokers.amqp.channel import Channel
    from sandbox.brokers.amqp.message import Message
    from sandbox.brokers.amqp.queue import Queue
    from sandbox.brokers.base import Observer, Record


class Broker(Carried[Connection]):
    """A RabbitMQ, as far as its clients can tell.

    `random` makes server-named queues and consumer tags. `observe` gets an event for everything
    worth tracing (the table is in this folder's README); without it, tracing costs nothing.
    `users` maps names to passwords, `permissions` users to virtual hosts and what is allowed there;
    who is not in it may do everything. `tags` open the management API to users; without them, who
    may do everything is an administrator. `frame_max` and `channel_max` are offers, 0 means none;
    `heartbeat_s` is a suggestion that clients may change. `epoch_ns` is the time of day, in
    nanoseconds since 1970, at the carrier's 0: dead letters say when they died. A message may be
    held for `consumer_timeout_s` without being settled; None means for ever.
    """

    def __init__(
        self,
        *,
        random: Random,
        observe: Observer | None = None,
        users: Mapping[str, str] | None = None,
        permissions: Permissions | None = None,
        tags: Mapping[str, Iterable[str]] | None = None,
        vhosts: Iterable[str] = ("/",),
        heartbeat_s: int = 60,
        frame_max: int = 131072,
        channel_max: int = 2047,
        epoch_ns: int = 0,
        consumer_timeout_s: float | None = 1800,
    ) -> None:
        super().__init__()
        self.observe = observe
        users = {"guest": "guest"} if users is None else users
        self.accounts = Accounts(users, permissions or {}, tags)
        self.heartbeat_s = heartbeat_s
        self.frame_max = frame_max
        self.channel_max = channel_max
        self.consumer_timeout_ns = (
            None if consumer_timeout_s is None else round(consumer_timeout_s * 1_000_000_000)
        )
        self.epoch_ns = epoch_ns
        self.journal = Journal(epoch_ns)
        #: Connections in order of arrival.
        self.connections: dict[Connection, None] = {}
        #: Resources that are running out: publishers are not read while there are any.
        self.alarms: dict[str, None] = {}
        #: The number of the last message published; they count from 1.
        self.last_message = 0
        #: Channels that wait for direct replies, by the name those are sent to.
        self.reply_channels: dict[str, Channel] = {}
        self._random = random
        self.vhosts: dict[str, VirtualHost] = {name: self.new_vhost(name) for name in vhosts}
        #: The virtual hosts that whoever made the broker named.
        self.given_vhosts = tuple(self.vhosts)

    def new_vhost(self, name: str, **about: Any) -> VirtualHost:
        """Make a virtual host, not yet one of ours (`administration.add_vhost`)."""
        return VirtualHost(
            name,
            observe=self.observe,
            on_queue_deleted=_cancel_consumers,
            new_name=self.new_name,
            timers=self.timers,
            journal=self.journal,
            **about,
        )

    def new_name(self, prefix: str) -> str:
        """Make a name such as `amq.gen-JzTY20BRgKO-HjmUJj0wLg`."""
        raw = self._random.randbytes(16)
        return prefix + urlsafe_b64encode(raw).decode().rstrip("=")

    # -- the carrier's side --------------------------------------------------------------------

    def connect(self, peer: str, now_ns: int) -> Connection:
        """Accept a client; `peer` is a name for people, such as "worker:49152"."""
        self.activity += 1
        self.timers.now_ns = now_ns
        connection = Connection(self, peer, now_ns)
        self.connections[connection] = None
        return connection

    def restart(self, now_ns: int) -> None:
        """Stop in good order and start again: clients are told, what is durable is kept."""
        if self.observe is not None:
            self.observe("broker.restart", {"crash": False, "connection": None, "channel": None})
        self.timers.now_ns = now_ns
        reason = "broker forced connection closure with reason 'shutdown'"
        for connection in list(self.connections):
            connection.shut_down(reason, now_ns)
        self._start_again()

    def crash(self, now_ns: int) -> None:
        """As `restart`, but as if the process was killed: connections break without a word."""
        if self.observe is not None:
            self.observe("broker.restart", {"crash": True, "connection": None, "channel": None})
        self.timers.now_ns = now_ns
        for connection in list(self.connections):
            connection.connection_lost(now_ns)
            self.writable.append(connection)
        self._start_again()

    def _start_again(self) -> None:
        self.activity += 1
        self.alarms.clear()
        for vhost in self.vhosts.values():
            forget_what_is_transient(vhost)

    # -- what outlives the interpreter (`sandbox.brokers.base.Durable`) ------------------------

    @property
    def keep(self) -> Callable[[Record], None] | None:
        """Who is told of every change of what a restart keeps; None: nobody."""
        return self.journal.keep

    @keep.setter
    def keep(self, keep: Callable[[Record], None] | None) -> None:
        self.journal.keep = keep

    def snapshot(self) -> Iterator[Record]:
        """Records that rebuild the durable state of this moment in a new broker."""
        return snapshot(self)

    def restore(self, records: Iterable[Record], now_ns: int) -> None:
        """Rebuild what the records tell, in a broker that has just been made.

        Raises:
            ValueError: it does not know a record; says which.
        """
        restore(self, records, now_ns)

    # -- connections ---------------------------------------------------------------------------

    def give_up(self, connection: Connection) -> None:
        """A connection ends: return what it held, then delete what was its own."""
        del self.connections[connection]
        channels = list(connection.channels.values())
        connection.channels.clear()
        # All its consumers leave first, so that one channel's messages do not go to another
        # channel of the same dead client.
        queues = {channel: channel.stop_consumers("connection closed") for channel in channels}
        for channel in channels:
            channel.give_back_all("connection closed")
        for channel in channels:
            for queue in queues[channel]:
                channel.auto_delete(queue)
        for vhost in self.vhosts.values():
            for queue in [q for q in vhost.queues.values() if q.owner is connection]:
                vhost.drop_queue(queue, connection.actor, "exclusive")

    # -- the administrator's way in ------------------------------------------------------------

    def set_alarm(self, resource: str, on: bool, now_ns: int) -> None:
        """Raise or clear a resource alarm ("memory" or "disk").

        While any is raised, a connection that publishes is told that it is blocked and not read
        any further; others go on as before. [RabbitMQ: "Memory and Disk Alarms"]
        """
        self.activity += 1
        if on:
            self.alarms[resource] = None
            return
        self.alarms.pop(resource, None)
        if not self.alarms:
            for connection in list(self.connections):
                connection.unblock(now_ns)

    def admin_close_connection(self, peer: str, reason: str, now_ns: int) -> None:
        """Close the connections of a peer, as `rabbitmqctl close_connection` does."""
        for connection in [c for c in self.connections if c.peer == peer]:
            connection.close_by_administrator(reason, now_ns)

    def admin_declare_queue(
        self,
        vhost: str,
        name: str,
        *,
        durable: bool = False,
        exclusive: bool = False,
        auto_delete: bool = False,
        arguments: Mapping[str, Any] | None = None,
    ) -> Queue:
        """Declare a queue without a connection.

        Raises:
            AmqpError: as for a client.
            ValueError: `exclusive`, because such a queue belongs to the connection that made it.
        """
        if exclusive:
            raise ValueError(
                f"queue {name!r} cannot be exclusive: an exclusive queue belongs to a connection,"
                " and the administrator has none; let a client declare it"
            )
        self.activity += 1
        return self.vhosts[vhost].declare_queue(
            name, durable=durable, auto_delete=auto_delete, arguments=arguments
        )

    def admin_publish(
        self,
        vhost: str,
        exchange: str,
        routing_key: str,
        body: bytes,
        properties: Mapping[str, Any] | None,
        now_ns: int,
    ) -> Message:
        """Publish without a connection.

        `properties` is plain data, as in the trace: `{"delivery_mode": 2, "headers": {...}}`.

        Raises:
            AmqpError: as for a client.
            ValueError: a name in `properties` is no property.
        """
        self.activity += 1
        self.timers.now_ns = now_ns
        message, _, _ = accept(
            self,
            self.vhosts[vhost],
            pack_route(exchange, routing_key),
            encode_header(properties or {}, len(body)),
            body,
            actor=ADMINISTRATOR,
            user=None,
            mandatory=False,
        )
        return message


def _cancel_consumers(queue: Queue) -> None:
    for consumer in list(queue.consumers):
        consumer.channel.cancel_consumer(consumer)
