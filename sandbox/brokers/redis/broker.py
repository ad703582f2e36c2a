"""The broker: the data, the clients, who waits for what, and the administrator's way in.

A carrier (the simulated world, or a TCP server) uses the methods of `sandbox.brokers.base.Broker`.
Checks, tests and management use `execute` and the properties, which need no connection.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from fakeredis._helpers import SimpleError

from sandbox.brokers.redis import (  # noqa: F401  # their commands are known once imported
    clients,
    dumping,
    events,
    floats,
    functions,
    geo,
    group_commands,
    hash_fields,
    moving,
    packed,
    popping,
    pubsub,
    scripts,
    server_commands,
    stream_commands,
    tools,
    tracking,
)
from sandbox.brokers.redis.borrowed import lend
from sandbox.brokers.redis.commands import split
from sandbox.brokers.redis.connection import Connection
from sandbox.brokers.redis.durability import next_save_ns, save_now
from sandbox.brokers.redis.keyspace import VERSION, Ordered, Server
from sandbox.brokers.redis.lasting import Lasting
from sandbox.brokers.redis.memory import Memory
from sandbox.brokers.redis.performing import plain
from sandbox.brokers.redis.session import Session, WouldBlock
from sandbox.brokers.redis.settings import Settings

if TYPE_CHECKING:
    from random import Random

    from sandbox.brokers.base import Observer

#: When the sandbox's worlds begin, on the wall: 2026-01-05 09:00 UTC.
EPOCH_NS = 1_767_603_600 * 1_000_000_000


class Broker(Lasting):
    """A Redis, as far as its clients can tell.

    `random` throws the dice of SPOP and such. `observe` gets an event for everything worth tracing
    (the table is in this folder's README). `users` maps names to passwords: with a `default` among
    them clients must authenticate. `config` sets what CONFIG SET can. `epoch_ns` is the time on the
    wall, since 1970, when the carrier's clock is 0.
    """

    def __init__(
        self,
        *,
        random: Random,
        observe: Observer | None = None,
        users: Mapping[str, str] | None = None,
        config: Mapping[str, str] | None = None,
        epoch_ns: int = EPOCH_NS,
        now_ns: int = 0,
        version: tuple[int, int, int] = VERSION,
    ) -> None:
        super().__init__()
        self.observe = observe
        self.random = random
        self.epoch_ns = epoch_ns
        self.version = version
        #: Now, on the wall.
        self.now_ns = self.started_ns = epoch_ns + now_ns
        self.settings = Settings(dict(config or {}))
        self.users = dict(users or {})
        self.connections: dict[Connection, None] = {}
        self.connections_received = 0
        self.errors = 0
        self.run_id = f"{random.getrandbits(160):040x}"
        self._last_client = 0
        packed.load()
        with lend(self.now_ns, random):
            self.server = self._new_server()
            self.node_limits = 100, 4096
            self.settings_changed()

    def _new_server(self) -> Server:
        server = Server(self.now_ns, self.version)
        server.on_expired = self._on_expired
        server.on_fields_expired = self._on_fields_expired
        users = server.acl._user_acl
        default = clients.new_user()
        users[b"default"] = default
        rules = [b"on", b"+@all", b"~*", b"&*"]
        administrator = Session.__new__(Session)
        administrator._server = server
        password = self.users.get("default") or self.settings.values["requirepass"]
        administrator._set_user_acl(
            b"default", b">" + password.encode() if password else b"nopass", *rules
        )
        for name, password in self.users.items():
            if name != "default":
                users[name.encode()] = clients.new_user()
                administrator._set_user_acl(name.encode(), b">" + password.encode(), *rules)
        return server

    def default_user_is_open(self) -> bool:
        """Whether a client need not say who it is."""
        user = self.server.acl._user_acl[b"default"]
        return bool(user._nopass and user.enabled)

    # -- the carrier's side --------------------------------------------------------------------

    def connect(self, peer: str, now_ns: int) -> Connection:
        """Accept a client; `peer` is a name for people, such as "worker:49152"."""
        with self.acting(now_ns):
            self.activity += 1
            self.connections_received += 1
            connection = Connection(self, peer)
            full = len(self.connections) >= int(self.settings.values["maxclients"])
            self.connections[connection] = None
            self.trace("connection.open", connection=peer)
            if full:
                connection.send(SimpleError("ERR max number of clients reached"))
                connection.close()
        return connection

    def next_timer(self) -> int | None:
        """When `handle_timer` must be called next, in nanoseconds, or None."""
        expiry_ms = self.server.next_expiry_ms()
        due = [
            self.waits.next_deadline_ns(),
            None if expiry_ms is None else expiry_ms * 1_000_000,
            next_save_ns(self),
            None if self.paused is None else self.paused.until_ns,
        ]
        first = min((each for each in due if each is not None), default=None)
        return None if first is None else max(0, first - self.epoch_ns)

    def next_event_timer(self) -> int | None:
        """As `next_timer`, leaving out snapshots, what expires unseen, and waits in vain.

        A client whose last wait ended without anything having happened since waits in vain.
        """
        due = [
            session.waiting.deadline_ns
            for session in self.blocked
            if session.waiting
            and session.waiting.deadline_ns is not None
            and session.connection is not None
            and session.connection.lapsed != self.activity
        ]
        if self.settings.notify and (self.server.subscribers or self.server.psubscribers):
            expiry_ms = self.server.next_expiry_ms()
            due += [] if expiry_ms is None else [expiry_ms * 1_000_000]
        return max(0, min(due) - self.epoch_ns) if due else None

    def handle_timer(self, now_ns: int) -> None:
        """Do everything that is due at `now_ns`."""
        with self.acting(now_ns):
            save_ns = next_save_ns(self)
            if save_ns is not None and save_ns <= self.now_ns:
                save_now(self)
            if self.paused is not None and self.paused.until_ns <= self.now_ns:
                self.unpause()
            for session in self.waits.due(self.now_ns):
                self.unblock(session, None)
            self.serve()
            self.log.flush()

    @contextmanager
    def acting(self, now_ns: int) -> Iterator[None]:
        """Act at this time of the carrier's clock: fakeredis sees the broker's time and chance."""
        self.now_ns = max(self.now_ns, self.epoch_ns + now_ns)
        with lend(self.now_ns, self.random):
            self.server.set_time(self.now_ns)
            for database in self.server.dbs.values():
                self.server.expire_due(database)
            yield

    def kill(self, session: Session) -> None:
        """Close a client's connection; its own after it got its reply."""
        session.kill()
        connection = session.connection
        if (
            connection is not None
            and not connection.closing
            and session.last_command != "client|kill"
        ):
            connection.close()

    def forget(self, connection: Connection) -> None:
        """A connection ends: give up all it had."""
        session = connection.session
        self.connections.pop(connection, None)
        self.held.pop(connection, None)
        self.waits.remove(session)
        self.monitors.pop(session, None)
        self.interest.leave(session)
        session.waiting = None
        pubsub.leave_all(session)
        session._clear_watches()
        self.activity += 1
        self.trace("connection.close", connection=connection.peer)

    def notify(self, database: int, key: bytes, event: bytes, gone: bool) -> None:
        """A command changed a key."""
        events.notify(self, database, key, event, gone)

    def _on_fields_expired(self, database: int, key: bytes, gone: bool) -> None:
        self.activity += 1
        self._changes += 1
        self.trace("hash.expire", database=database, key=key)
        events.notify(self, database, key, b"hexpired", gone)

    def _on_expired(self, database: int, key: bytes) -> None:
        self.activity += 1
        self._changes += 1
        self.trace("key.expire", database=database, key=key)
        events.notify(self, database, key, b"expired", True)

    def settings_changed(self) -> None:
        """CONFIG SET was used."""
        self.log.configure()
        if not self.settings.maxmemory:
            self.memory = None
        elif self.memory is None:
            self.memory = Memory(self)
        values = self.settings.values
        self.node_limits = (
            int(values["stream-node-max-entries"]),
            int(values["stream-node-max-bytes"]),
        )
        user = self.server.acl._user_acl[b"default"]
        password = self.settings.values["requirepass"]
        if password:
            user._passwords = Ordered()  # type: ignore[assignment]
            user.add_password(password.encode())
        elif "default" not in self.users and not user._nopass:
            user.set_nopass()
        self.server.config[b"stream-node-max-entries"] = self.settings.values[
            "stream-node-max-entries"
        ].encode()
        self.server.config[b"stream-node-max-bytes"] = self.settings.values[
            "stream-node-max-bytes"
        ].encode()

    def count(self, name: str) -> None:
        """A command ran."""
        self.counts[name] = self.counts.get(name, 0) + 1

    def new_client_id(self) -> int:
        """Number a client."""
        self._last_client += 1
        return self._last_client

    def sessions(self) -> list[Session]:
        """Everybody who is connected, oldest first."""
        return [connection.session for connection in self.connections]

    # -- the administrator's way in ------------------------------------------------------------

    def execute(self, *words: str | bytes | int | float, now_ns: int, database: int = 0) -> Any:
        """Do a command as the administrator, and return plain data.

        Raises:
            ValueError: Redis answered with an error, whose text this has; or the command waits.
        """
        fields = [w if isinstance(w, bytes) else str(w).encode() for w in words]
        with self.acting(now_ns):
            before = self.server.dirty
            session = self.administrator()
            session.select(database)
            session._client_info["resp"] = 3
            try:
                reply = session.run(fields)
            except WouldBlock:
                raise ValueError(
                    f"{words[0]!r} would wait, which the administrator never does"
                ) from None
            self.trace("command", name=split(fields)[0], arguments=fields[1:], database=database,
                       error=reply.value if isinstance(reply, SimpleError) else None,
                       waits=False, reply=plain(reply))  # fmt: skip
            self.log.flush()
            if self.server.dirty != before:
                self.activity += 1
                self._changes += 1
            self.serve()
        if isinstance(reply, SimpleError):
            raise ValueError(reply.value)
        return plain(reply)

    def administrator(self) -> Session:
        """A session for ourselves, which no client has and no number counts."""
        self._last_client += 1
        session = Session(self, None, "administrator")
        self._last_client -= 1
        session.authenticated = True
        return session
