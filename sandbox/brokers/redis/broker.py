"""The broker: the data, the clients, who waits for what, and the administrator's way in.

A carrier (the simulated world, or a TCP server) uses the methods of `sandbox.brokers.base.Broker`.
Checks, tests and management use `execute` and the properties, which need no connection.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from fakeredis._helpers import SimpleError, SimpleString

from sandbox.brokers.redis import clients, moving, popping, pubsub, scripts, server_commands  # noqa: F401
from sandbox.brokers.redis.borrowed import lend
from sandbox.brokers.redis.commands import split
from sandbox.brokers.redis.connection import Connection
from sandbox.brokers.redis.durability import Snapshot, after_restart, next_save_ns, save_now
from sandbox.brokers.redis.keyspace import Ordered, Server
from sandbox.brokers.redis.replies import NullArray
from sandbox.brokers.redis.session import Session, WouldBlock
from sandbox.brokers.redis.settings import Settings

if TYPE_CHECKING:
    from random import Random

    from sandbox.brokers import base
    from sandbox.brokers.base import Observer

#: When the sandbox's worlds begin, on the wall: 2026-01-05 09:00 UTC.
EPOCH_NS = 1_767_603_600 * 1_000_000_000
#: How many questions of a client are remembered, to see that it asks the same again.
_ASKED = 1000


class Broker:
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
    ) -> None:
        self.observe = observe
        self.random = random
        self.epoch_ns = epoch_ns
        #: Now, on the wall.
        self.now_ns = self.started_ns = epoch_ns + now_ns
        self.settings = Settings(dict(config or {}))
        self.users = dict(users or {})
        self.connections: dict[Connection, None] = {}
        self.writable: list[Connection] = []
        #: Sessions that wait, longest first.
        self.blocked: dict[Session, None] = {}
        self.monitors: dict[Session, None] = {}
        #: Changes with everything but questions answered with nothing new; carriers compare it.
        self.activity = 0
        self.connections_received = 0
        self.errors = 0
        #: How often each command was run.
        self.counts: dict[str, int] = {}
        self.slow: list[Any] = []
        self.dumps: dict[bytes, Any] = {}
        self.last_dump = 0
        self.snapshot: Snapshot = {}
        #: Whether the command that runs has sent anything by itself.
        self.replied = False
        self.run_id = f"{random.getrandbits(160):040x}"
        self._last_client = 0
        self._slow_count = 0
        self._changes = 0
        self._asked: dict[Connection, tuple[int, set[tuple[bytes, ...]]]] = {}
        with lend(self.now_ns, random):
            self.server = self._new_server({})

    def _new_server(self, data: Snapshot) -> Server:
        server = Server(self.now_ns)
        server.on_expired = self._on_expired
        for number, items in data.items():
            server.dbs[number].replace(items)
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
            self.connections[connection] = None
            self.trace("connection.open", connection=peer)
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
        due = [session.waiting.deadline_ns for session in self.blocked if session.waiting]
        expiry_ms = self.server.next_expiry_ms()
        due += [None if expiry_ms is None else expiry_ms * 1_000_000, next_save_ns(self)]
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
            for session in list(self.blocked):
                waiting = session.waiting
                if (
                    waiting
                    and waiting.deadline_ns is not None
                    and waiting.deadline_ns <= self.now_ns
                ):
                    self.unblock(session, None)
            self.serve()

    def restart(self, now_ns: int) -> None:
        """Stop in good order and start again; what is kept, `durability` says."""
        self._restart(now_ns, crash=False)

    def crash(self, now_ns: int) -> None:
        """As `restart`, but as if the process was killed."""
        self._restart(now_ns, crash=True)

    def _restart(self, now_ns: int, *, crash: bool) -> None:
        with self.acting(now_ns):
            self.trace("broker.restart", crash=crash)
            data = after_restart(self, crash=crash)
            for connection in list(self.connections):
                connection.close()
            self.activity += 1
            self.counts.clear()
            self.slow.clear()
            self.dumps.clear()
            self.server = self._new_server(data)
            self.started_ns = self.now_ns
            self.snapshot = data if not crash and self.settings.save_points else self.snapshot

    @contextmanager
    def acting(self, now_ns: int) -> Iterator[None]:
        """Act at this time of the carrier's clock: fakeredis sees the broker's time and chance."""
        self.now_ns = max(self.now_ns, self.epoch_ns + now_ns)
        with lend(self.now_ns, self.random):
            self.server.set_time(self.now_ns)
            for database in self.server.dbs.values():
                self.server.expire_due(database)
            yield

    # -- commands ------------------------------------------------------------------------------

    def perform(self, connection: Connection, fields: list[bytes]) -> None:
        """Do a client's request, then what it makes possible for those who wait."""
        session = connection.session
        name, _ = split(fields)
        session.last_ns = self.now_ns
        if self.monitors and name not in ("auth", "hello", "exec", "monitor"):
            self._show(session, fields)
        before = self.server.dirty, len(self.server.touched)
        self.replied = False
        reply = connection.answer(fields, self.now_ns)
        if session.waiting is not None:
            self.blocked[session] = None
        changed = before != (self.server.dirty, len(self.server.touched)) or self.replied
        if changed:
            self._changes += 1
        self._note_activity(connection, fields, reply, changed)
        self._log_if_slow(session, fields)
        if self.observe is not None:
            secret = name in ("auth", "hello") or name.startswith("acl ")
            self.trace(
                "command",
                connection=connection.peer,
                name=name,
                arguments=["…"] if secret else fields[1:],
                database=session._db_num,
                error=reply.value if isinstance(reply, SimpleError) else None,
                waits=session.waiting is not None,
                reply=None if secret else _plain(reply),
            )
        self.serve()

    def _note_activity(
        self, connection: Connection, fields: list[bytes], reply: Any, changed: bool
    ) -> None:
        version, asked = self._asked.get(connection, (-1, set()))
        if version != self._changes or len(asked) > _ASKED:
            asked = set()
        question = tuple(fields)
        in_vain = not changed and (question in asked or _is_nothing(reply))
        asked.add(question)
        self._asked[connection] = (self._changes, asked)
        connection.asks_in_vain = in_vain
        if not in_vain:
            self.activity += 1

    def serve(self) -> None:
        """Let those go on who wait for keys that were touched, in the order they came."""
        while self.server.touched:
            touched, self.server.touched = self.server.touched, []
            keys = set(touched)
            for session in list(self.blocked):
                waiting = session.waiting
                if waiting is None or not any(
                    (session._db_num, key) in keys for key in waiting.keys
                ):
                    continue
                went, reply = session.retry()
                if went:
                    self._go_on(session, waiting.name, reply, "served")

    def unblock(self, session: Session, error: str | None) -> None:
        """End a wait with nothing, or with an error."""
        waiting = session.waiting
        if waiting is not None:
            self._go_on(session, waiting.name, session.give_up(error), "error" if error else "time")

    def _go_on(self, session: Session, name: str, reply: Any, why: str) -> None:
        self.blocked.pop(session, None)
        connection = session.connection
        if connection is None:
            return
        connection.asks_in_vain = why == "time"
        if why == "time":
            connection.lapsed = self.activity
        else:
            self.activity += 1
            self._changes += 1
        self.trace(
            "command.unblock",
            connection=connection.peer,
            name=name,
            why=why,
            reply=_plain(reply),
        )
        connection.reply(reply)
        connection.read()

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
        self._asked.pop(connection, None)
        self.blocked.pop(session, None)
        self.monitors.pop(session, None)
        session.waiting = None
        pubsub.leave_all(session)
        session._clear_watches()
        self.activity += 1
        self.trace("connection.close", connection=connection.peer)

    def notify(self, database: int, key: bytes, event: bytes, gone: bool) -> None:
        """A command changed a key."""
        pubsub.notify(self, database, key, event, gone)

    def _on_expired(self, database: int, key: bytes) -> None:
        self.activity += 1
        self._changes += 1
        self.trace("key.expire", database=database, key=key)
        pubsub.notify(self, database, key, b"expired", True)

    def settings_changed(self) -> None:
        """CONFIG SET was used."""
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

    def trace(self, kind: str, **fields: Any) -> None:
        """Report an event, if anybody listens."""
        if self.observe is not None:
            self.observe(kind, {"connection": None, **fields})

    def _show(self, session: Session, fields: list[bytes]) -> None:
        seconds, rest = divmod(self.now_ns, 1_000_000_000)
        words = " ".join(_quoted(field) for field in fields)
        line = f"{seconds}.{rest // 1000:06} [{session._db_num} {session.peer}] {words}"
        for each in list(self.monitors):
            if each.connection is not None:
                each.connection.send(SimpleString(line.encode()))

    def _log_if_slow(self, session: Session, fields: list[bytes]) -> None:
        if self.settings.slow_us != 0:
            return  # A command takes no virtual time: only "log everything" logs.
        entry = [
            self._slow_count, self.now_ns // 1_000_000_000, 0, list(fields),
            session.peer.encode(), session._client_info["name"].encode(),
        ]  # fmt: skip
        self._slow_count += 1
        self.slow = [*self.slow, entry][-int(self.settings.values["slowlog-max-len"]) :]

    # -- the administrator's way in ------------------------------------------------------------

    def execute(self, *words: str | bytes | int | float, now_ns: int, database: int = 0) -> Any:
        """Do a command as the administrator, and return plain data.

        Raises:
            ValueError: Redis answered with an error, whose text this has; or the command waits.
        """
        fields = [w if isinstance(w, bytes) else str(w).encode() for w in words]
        with self.acting(now_ns):
            before = self.server.dirty
            self._last_client += 1
            session = Session(self, None, "administrator")
            self._last_client -= 1
            session.authenticated = True
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
                       waits=False, reply=_plain(reply))  # fmt: skip
            if self.server.dirty != before:
                self.activity += 1
                self._changes += 1
            self.serve()
        if isinstance(reply, SimpleError):
            raise ValueError(reply.value)
        return _plain(reply)


def _is_nothing(reply: Any) -> bool:
    """Whether a reply brings no news: nothing, or a list of nothing."""
    if isinstance(reply, NullArray) or reply in (None, 0, b"", b"0", b"0-0"):
        return True
    if isinstance(reply, (list, tuple)):
        return all(_is_nothing(item) for item in reply)
    if isinstance(reply, dict):
        return all(_is_nothing(item) for item in reply.values())
    return isinstance(reply, SimpleString) and reply.value == b"PONG"


def _plain(reply: Any) -> Any:
    """A reply as plain data."""
    if isinstance(reply, SimpleString):
        return reply.value
    if isinstance(reply, SimpleError):
        return reply.value
    if isinstance(reply, (list, tuple)):
        return [_plain(item) for item in reply]
    if isinstance(reply, dict):
        return {_plain(key): _plain(item) for key, item in reply.items()}
    return reply if isinstance(reply, (bytes, str, int, float)) else None


def _quoted(field: bytes) -> str:
    special = {
        ord('"'): '\\"',
        ord("\\"): "\\\\",
        10: "\\n",
        13: "\\r",
        9: "\\t",
        7: "\\a",
        8: "\\b",
    }
    inside = "".join(special.get(b) or (chr(b) if 32 <= b < 127 else f"\\x{b:02x}") for b in field)
    return f'"{inside}"'
