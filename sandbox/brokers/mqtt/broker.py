"""The broker: sessions, subscriptions, retained messages, and the administrator's way in.

A carrier (the simulated world, or a TCP server) uses the methods of `sandbox.brokers.base.Broker`.
Checks, tests and management use `publish`, `sessions`, `subscriptions` and `retained`, which need
no connection and speak plain data.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from sandbox.brokers.mqtt import (
    delivering,
    durability,
    publishing,
    subscribing,
    topics,
    wills,
)
from sandbox.brokers.mqtt import properties as props
from sandbox.brokers.mqtt.connection import Connection
from sandbox.brokers.mqtt.durability import Keeper
from sandbox.brokers.mqtt.errors import Reason
from sandbox.brokers.mqtt.message import Message
from sandbox.brokers.mqtt.retained import Retained
from sandbox.brokers.mqtt.session import Session
from sandbox.brokers.mqtt.statistics import Statistics, SysTopics
from sandbox.brokers.mqtt.subscriptions import Subscription, Tree
from sandbox.brokers.timers import Timers

if TYPE_CHECKING:
    from random import Random

    from sandbox.brokers import base
    from sandbox.brokers.base import Observer, Record

Handler = Callable[[Connection, int, bytes, int], None]


class Partner(Protocol):
    """Another broker that shares this one's topics: the seam that `bridge` uses."""

    def published(self, message: Message, now_ns: int) -> None:
        """A client (or an administrator, or a will) published here."""
        ...

    def wanted(self, pattern: str) -> None:
        """The first subscription to this pattern came: its messages are wanted here."""
        ...

    def unwanted(self, pattern: str) -> None:
        """The last subscription to this pattern is gone."""
        ...


class Broker:
    """A Mosquitto 2, as far as its clients can tell.

    `random` makes client ids. `observe` gets an event for everything worth tracing (the table is in
    this folder's README). `users` maps names to passwords; without it nobody needs to log in.
    `epoch_ns` is the time of day, in nanoseconds since 1970, at the carrier's 0: records of what is
    kept need it. The limits are Mosquitto's, by its own defaults: `max_inflight` deliveries without
    an answer to (and QoS 2 messages without a release from) one client, `max_queued` messages
    waiting for one, `topic_alias_maximum`, `max_keep_alive_s` for MQTT 5 clients (0: any), and
    `max_packet_size` in bytes (None: any). `now_ns` is when the server starts, on the carrier's
    clock.
    """

    HANDLERS: ClassVar[Mapping[int, Handler]] = {
        props.PUBLISH: publishing.on_publish,
        props.PUBACK: publishing.on_puback,
        props.PUBREC: publishing.on_pubrec,
        props.PUBREL: publishing.on_pubrel,
        props.PUBCOMP: publishing.on_pubcomp,
        props.SUBSCRIBE: subscribing.on_subscribe,
        props.UNSUBSCRIBE: subscribing.on_unsubscribe,
        props.DISCONNECT: subscribing.on_disconnect,
        props.AUTH: subscribing.on_auth,
    }

    def __init__(
        self,
        *,
        random: Random,
        observe: Observer | None = None,
        users: Mapping[str, str] | None = None,
        epoch_ns: int = 0,
        max_inflight: int = 20,
        max_queued: int = 1000,
        topic_alias_maximum: int = 10,
        max_keep_alive_s: int = 65_535,
        max_packet_size: int | None = None,
        now_ns: int = 0,
    ) -> None:
        self.observe = observe
        self.users = users
        self.max_inflight = max_inflight
        self.max_queued = max_queued
        self.topic_alias_maximum = topic_alias_maximum
        self.max_keep_alive_s = max_keep_alive_s
        self.max_packet_size = max_packet_size
        self.timers = Timers()
        #: Connections in order of arrival, and those with news for the carrier, oldest first.
        self.connections: dict[Connection, None] = {}
        self.writable: list[Connection] = []
        #: Sessions by client id, in the order they began.
        self.session_table: dict[str, Session] = {}
        self.tree = Tree()
        self.retained_messages = Retained()
        self.keeper = Keeper(epoch_ns)
        self.statistics = Statistics()
        self.sys_topics = SysTopics(self, now_ns)
        #: Changes with everything but housekeeping; carriers compare it.
        self.activity = 0
        #: The number of the last message; they count from 1.
        self.last_message = 0
        self.now_ns = self.timers.now_ns = now_ns
        self._partner: Partner | None = None
        self._wanted: Counter[str] = Counter()
        self._random = random

    # -- the carrier's side --------------------------------------------------------------------

    def connect(self, peer: str, now_ns: int) -> Connection:
        """Accept a client; `peer` is a name for people, such as "worker:49152"."""
        self.time(now_ns)
        self.activity += 1
        connection = Connection(self, peer, now_ns)
        self.connections[connection] = None
        return connection

    def take_writable(self) -> list[base.Connection]:
        """Return the connections that gained bytes or began closing since the last call."""
        taken: list[base.Connection] = []
        for connection in self.writable:
            connection.taken()
            taken.append(connection)
        self.writable.clear()
        return taken

    def next_timer(self) -> int | None:
        """When `handle_timer` must be called next, in nanoseconds, or None."""
        return self.timers.next_due()

    def next_event_timer(self) -> int | None:
        """As `next_timer`, with nothing but wills that wait for their delay."""
        return self.timers.next_event_due()

    def handle_timer(self, now_ns: int) -> None:
        """Do everything that is due at `now_ns`."""
        self.time(now_ns)
        self.activity += self.timers.run_due(now_ns)

    def restart(self, now_ns: int) -> None:
        """Stop in good order and start again: MQTT 5 clients are told, wills are published.

        Sessions that outlive their connections and retained messages are kept.
        """
        self.time(now_ns)
        self.activity += 1
        self.emit("broker.restart", crash=False)
        for connection in list(self.connections):
            if connection.connected:
                connection.disconnect(Reason.SERVER_SHUTTING_DOWN, "the server is stopping", now_ns)
            else:
                connection.hang_up()
        self._start_again(now_ns)

    def crash(self, now_ns: int) -> None:
        """As `restart`, but as if the process was killed: connections break without a word.

        Nobody is left to publish wills; those that waited for their delay are kept.
        """
        self.time(now_ns)
        self.activity += 1
        self.emit("broker.restart", crash=True)
        for connection in list(self.connections):
            connection.will = None
            connection.connection_lost(now_ns)
            connection.hang_up()
        self._start_again(now_ns)

    def _start_again(self, now_ns: int) -> None:
        self.statistics = Statistics()
        self.sys_topics.restart(now_ns)

    # -- keeping -------------------------------------------------------------------------------

    @property
    def keep(self) -> Callable[[Record], None] | None:
        """Who is told of changes to what a restart keeps (see `sandbox.brokers.base.Durable`)."""
        return self.keeper.keep

    @keep.setter
    def keep(self, keep: Callable[[Record], None] | None) -> None:
        self.keeper.keep = keep
        # Whoever begins to listen has heard of no message yet.
        self.keeper.round += 1

    def snapshot(self) -> Iterator[Record]:
        """Records that rebuild the durable state of this moment in a new broker."""
        return durability.snapshot(self)

    def restore(self, records: Iterable[Record], now_ns: int) -> None:
        """Rebuild what the records tell, in a broker that has just been made.

        Raises:
            ValueError: a record it cannot read.
        """
        self.time(now_ns)
        durability.restore(self, records, now_ns)
        for session in self.session_table.values():
            for subscription in session.subscriptions.values():
                self.wanted(subscription)

    # -- for the other files -------------------------------------------------------------------

    def time(self, now_ns: int) -> None:
        """Note what time it is."""
        self.now_ns = self.timers.now_ns = max(self.now_ns, now_ns)

    def emit(self, kind: str, client_id: str | None = None, **fields: Any) -> None:
        """Report an event that is no single connection's doing."""
        if self.observe is not None:
            fields["client_id"] = client_id
            fields.setdefault("connection", None)
            self.observe(kind, fields)

    def connected(self) -> list[Connection]:
        """The connections whose CONNECT was accepted."""
        return [each for each in self.connections if each.connected]

    def new_client_id(self) -> str:
        """A client id such as `auto-F65A97A4-7C10-389F-C97B-C63C17FE9FE5`."""
        while True:
            raw = self._random.randbytes(16).hex().upper()
            parts = (raw[:8], raw[8:12], raw[12:16], raw[16:20], raw[20:])
            client_id = "auto-" + "-".join(parts)
            if client_id not in self.session_table:
                return client_id

    def may_not_publish(self, topic: str) -> bool:
        """Whether a topic is the server's own, or no topic but a way to subscribe."""
        return topic.startswith(("$SYS/", "$share/")) or topic in ("$SYS", "$share")

    def new_message(
        self,
        topic: str,
        payload: bytes,
        qos: int,
        retain: bool,
        properties: Mapping[str, Any],
        publisher: str | None,
        now_ns: int,
    ) -> Message:
        """Make a message that is about to be routed."""
        self.last_message += 1
        return Message(
            self.last_message, topic, payload, qos, retain, properties, publisher, now_ns=now_ns
        )

    def start_clocks(self, session: Session, now_ns: int) -> None:
        """Let the times of a session that was read from records run."""
        wills.start_clocks(self, session, now_ns)

    # -- the partner ---------------------------------------------------------------------------

    @property
    def partner(self) -> Partner | None:
        """Another broker that gets what is published here, and brings what is wanted here."""
        return self._partner

    @partner.setter
    def partner(self, partner: Partner | None) -> None:
        self._partner = partner
        if partner is not None:
            for pattern in self._wanted:
                partner.wanted(pattern)

    def wanted(self, subscription: Subscription) -> None:
        """A subscription came."""
        self._wanted[subscription.pattern] += 1
        if self._partner is not None and self._wanted[subscription.pattern] == 1:
            self._partner.wanted(subscription.pattern)

    def wanted_patterns(self) -> list[str]:
        """Every pattern that somebody is subscribed to, once."""
        return list(self._wanted)

    def unwanted(self, subscription: Subscription) -> None:
        """A subscription went."""
        self._wanted[subscription.pattern] -= 1
        if not self._wanted[subscription.pattern]:
            del self._wanted[subscription.pattern]
            if self._partner is not None:
                self._partner.unwanted(subscription.pattern)

    # -- the administrator's way in ------------------------------------------------------------

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        now_ns: int,
        qos: int = 0,
        retain: bool = False,
        properties: Mapping[str, Any] | None = None,
    ) -> int:
        """Publish without a connection. Returns: how many subscriptions matched.

        `properties` are MQTT 5's in snake case; `user_property` is a list of pairs.

        Raises:
            ValueError: what cannot be published, as a sentence.
        """
        problem = topics.name_problem(topic)
        if problem is None and qos not in (0, 1, 2):
            problem = f"there is no QoS {qos}; there are 0, 1 and 2"
        if problem is not None:
            raise ValueError(problem)
        checked = props.check_message_properties(properties or {})
        self.time(now_ns)
        self.activity += 1
        message = self.new_message(topic, payload, qos, retain, checked, None, now_ns)
        return delivering.route(self, message, now_ns)

    def sessions(self) -> list[dict[str, Any]]:
        """Every session, by client id: plain data.

        `connection` is the peer's name or None; `queued` counts what waits for the client and what
        it has not acknowledged, `in_flight` the latter, `unreleased` QoS 2 messages from it.
        """
        return [
            {
                "client_id": session.client_id,
                "connected": session.connection is not None,
                "connection": None if session.connection is None else session.connection.peer,
                "version": {3: "3.1", 4: "3.1.1", 5: "5"}[session.level],
                "user": session.user,
                "expiry_s": session.expiry_s,
                "subscriptions": [
                    (each.topic_filter, each.qos) for each in session.subscriptions.values()
                ],
                "queued": len(session.waiting) + len(session.in_flight),
                "in_flight": len(session.in_flight),
                "unreleased": len(session.inbound),
            }
            for _, session in sorted(self.session_table.items())
        ]

    def subscriptions(self) -> list[dict[str, Any]]:
        """Every subscription, by client id and filter: plain data."""
        return [
            {
                "client_id": session.client_id,
                "topic_filter": each.topic_filter,
                "qos": each.qos,
                "no_local": each.no_local,
                "retain_as_published": each.retain_as_published,
                "subscription_identifier": each.identifier,
            }
            for _, session in sorted(self.session_table.items())
            for _, each in sorted(session.subscriptions.items())
        ]

    def retained(self, topic_filter: str = "#") -> list[dict[str, Any]]:
        """The retained messages that a filter matches, by topic: plain data."""
        found = self.retained_messages.matching(topic_filter, self.now_ns)
        return [each.describe() for each in sorted(found, key=lambda each: each.topic)]

    def admin_close_connection(self, peer: str, reason: str, now_ns: int) -> None:
        """Disconnect a peer; its will is published."""
        self.time(now_ns)
        for connection in [each for each in self.connections if each.peer == peer]:
            if connection.connected:
                connection.disconnect(Reason.ADMINISTRATIVE_ACTION, reason, now_ns)
            else:
                connection.hang_up()
