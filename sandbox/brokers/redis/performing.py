"""What a request sets going: the short way or the long one, the log, the trace, those who wait.

`perform` is the only way in for what clients send.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

from fakeredis._helpers import QUEUED, SimpleError, SimpleString

from sandbox.brokers.carrying import Carried
from sandbox.brokers.redis.commands import find, split
from sandbox.brokers.redis.hot import HOT, MISS, Hot
from sandbox.brokers.redis.replies import NullArray
from sandbox.brokers.redis.tracking import Interest
from sandbox.brokers.redis.waits import Waits

if TYPE_CHECKING:
    from sandbox.brokers.redis.clients import Pause
    from sandbox.brokers.redis.connection import Connection
    from sandbox.brokers.redis.durability import Log
    from sandbox.brokers.redis.keyspace import Server
    from sandbox.brokers.redis.memory import Memory
    from sandbox.brokers.redis.session import Session
    from sandbox.brokers.redis.settings import Settings

#: How many questions of a client are remembered, to see that it asks the same again.
_ASKED = 1000
#: What MONITOR does not show.
_UNSEEN = frozenset(("auth", "hello", "exec", "monitor"))
#: After these, whether requests may go the short way has to be found out anew.
_CHANGES_RULES = frozenset(
    (
        "auth",
        "hello",
        "reset",
        "monitor",
        "quit",
        "debug sleep",
        *(f"{kind}{word}" for kind in ("", "p", "s") for word in ("subscribe", "unsubscribe")),
    )
)


class Performing(Carried["Connection"]):
    """The part of a broker that does requests."""

    server: Server
    settings: Settings
    log: Log
    observe: Any
    now_ns: int

    def __init__(self) -> None:
        super().__init__()
        self.waits = Waits()
        #: Who caches which keys.
        self.interest = Interest()
        #: The sizes of keys, while `maxmemory` is set.
        self.memory: Memory | None = None
        self.evicted = 0
        self._by: Session | None = None
        self.monitors: dict[Session, None] = {}
        #: Until when and for which commands CLIENT PAUSE stops clients, or None.
        self.paused: Pause | None = None
        #: Connections whose next request waits for the end of that.
        self.held: dict[Connection, None] = {}
        #: Changes with everything that decides whether requests may go the short way.
        self.rules = 0
        #: How often each command was run.
        self.counts: dict[str, int] = {}
        self.slow: list[Any] = []
        #: Whether the command that runs has sent anything by itself.
        self.replied = False
        self._slow_count = 0
        self._changes = 0

    @property
    def blocked(self) -> dict[Session, None]:
        """Sessions that wait, longest first."""
        return self.waits.sessions

    if TYPE_CHECKING:

        def sessions(self) -> list[Session]:
            """Everybody who is connected, oldest first."""

    def script_dice(self) -> Random:
        """Chance for one script: the same in every run of it, as in Redis."""
        return Random(0)

    def trace(self, kind: str, **fields: Any) -> None:
        """Report an event, if anybody listens."""
        if self.observe is not None:
            self.observe(kind, {"connection": None, **fields})

    def perform(self, connection: Connection, fields: list[bytes]) -> None:
        """Do a client's request, then what it makes possible for those who wait."""
        session = connection.session
        session.last_ns = self.now_ns
        if session.free_since == self.rules:
            hot = HOT.get(fields[0])
            if hot is None:
                pass
            elif session._transaction is not None:
                if self.memory is None and self._queue(connection, session, hot, fields):
                    return
            elif self._perform_hot(connection, session, hot, fields):
                return
        name, _ = split(fields)
        if self.monitors and name not in _UNSEEN:
            self.show(session, fields)
        server = self.server
        before = server.dirty, len(server.touched)
        self.replied = False
        self._by = session
        reply = connection.answer(fields, self.now_ns)
        if self.interest.clients:
            self._note_caching(session, name)
        if session.waiting is not None:
            self.waits.add(session)
        changed = before != (server.dirty, len(server.touched)) or self.replied
        if name in _CHANGES_RULES or name.startswith(("client", "acl ", "config ")):
            self.rules += 1
        if session.free_since != self.rules and not self._is_special() and session.is_free():
            session.free_since = self.rules
        self._after(connection, fields, name, reply, changed)
        self._log_if_slow(session, fields)

    def _queue(
        self, connection: Connection, session: Session, hot: Hot, fields: list[bytes]
    ) -> bool:
        """Queue an everyday command of a transaction; False if something is wrong with it."""
        given = len(fields)
        if given < -hot.arity or (hot.arity > 0 and given != hot.arity):
            return False
        assert session._transaction is not None
        session._transaction.append((*find(session, hot.name), fields[1:]))
        session.last_command = hot.name
        connection.reply(QUEUED)
        self._after(connection, fields, hot.name, QUEUED, False)
        return True

    def _perform_hot(
        self, connection: Connection, session: Session, hot: Hot, fields: list[bytes]
    ) -> bool:
        """Do one of the commands that are asked most, the short way; False if this is none."""
        server = self.server
        before = server.dirty
        self.replied = False
        self._by = session
        if self.memory is not None and not self.memory.make_room():
            return False
        reply = hot.run(session, fields)
        if reply is MISS:
            return False
        name = hot.name
        session.last_command = name
        self.counts[name] = self.counts.get(name, 0) + 1
        changed = server.dirty != before or self.replied
        if changed and self.log.on:
            self.log.note(session._db_num, name, fields[1:], reply)
        if session._reply_skip_next or session._reply_off or session._reply_skip:
            connection.reply(reply)
        else:
            connection.send(reply)
        self._after(connection, fields, name, reply, changed)
        return True

    def _after(
        self, connection: Connection, fields: list[bytes], name: str, reply: Any, changed: bool
    ) -> None:
        """What follows every request: the log, the count of what happened, the trace, others."""
        if self.log.on:
            self.log.flush()
        if changed:
            self._changes += 1
            self.activity += 1
            connection.asks_in_vain = False
        else:
            self._note_question(connection, fields, reply)
        if self.observe is not None:
            secret = name in ("auth", "hello") or name.startswith("acl ")
            session = connection.session
            self.trace(
                "command",
                connection=connection.peer,
                name=name,
                arguments=["…"] if secret else fields[1:],
                database=session._db_num,
                error=reply.value if isinstance(reply, SimpleError) else None,
                waits=session.waiting is not None,
                reply=None if secret else plain(reply),
            )
        if self.server.touched:
            self.serve()

    def _note_caching(self, session: Session, name: str) -> None:
        """A command is over that clients with caches may have to know of."""
        if name in ("flushall", "flushdb"):
            self.server.touched.clear()
            self.interest.flushed(self)
        tracking = self.interest.clients.get(session)
        if tracking is not None and session._transaction is None:
            if not session.caching_set:
                tracking.caching = None
            session.caching_set = False

    def _is_special(self) -> bool:
        """Whether every command has to be looked at by somebody: short ways are closed."""
        return bool(
            self.monitors
            or self.settings.slow_us == 0
            or self.settings.notify
            or self.paused is not None
        )

    def _note_question(self, connection: Connection, fields: list[bytes], reply: Any) -> None:
        """A request changed nothing; whether its client asks in vain."""
        version, asked = connection.asked
        if version != self._changes or len(asked) > _ASKED:
            asked = set()
            connection.asked = (self._changes, asked)
        question = tuple(fields)
        in_vain = question in asked or _is_nothing(reply)
        asked.add(question)
        connection.asks_in_vain = in_vain
        if not in_vain:
            self.activity += 1

    def serve(self) -> None:
        """Let those go on who wait for keys that were touched, in the order they came."""
        server = self.server
        while server.touched:
            touched, server.touched = server.touched, []
            if self.memory is not None:
                self.memory.update(touched)
            if self.interest.clients:
                self.interest.changed([key for _, key in touched], self, self._by)
            if not self.blocked:
                return
            for session in self.waits.for_keys(touched):
                waiting = session.waiting
                if waiting is None:
                    continue
                went, reply = session.retry()
                if went:
                    self.log.flush()
                    self._go_on(session, waiting.name, reply, "served")

    def unblock(self, session: Session, error: str | None) -> None:
        """End a wait with nothing, or with an error."""
        waiting = session.waiting
        if waiting is not None:
            self._go_on(session, waiting.name, session.give_up(error), "error" if error else "time")

    def _go_on(self, session: Session, name: str, reply: Any, why: str) -> None:
        self.waits.remove(session)
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
            reply=plain(reply),
        )
        connection.reply(reply)
        connection.read()

    def unpause(self) -> None:
        """CLIENT PAUSE is over: those it held go on, in the order they were stopped."""
        self.paused = None
        self.rules += 1
        held, self.held = self.held, {}
        for connection in held:
            connection.read()

    def show(self, session: Session, fields: list[bytes], source: str = "") -> None:
        """Show a request to those who monitor."""
        seconds, rest = divmod(self.now_ns, 1_000_000_000)
        words = " ".join(_quoted(field) for field in fields)
        line = f"{seconds}.{rest // 1000:06} [{session._db_num} {source or session.peer}] {words}"
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


def _is_nothing(reply: Any) -> bool:
    """Whether a reply brings no news: nothing, or a list of nothing."""
    if isinstance(reply, NullArray) or reply in (None, 0, b"", b"0", b"0-0"):
        return True
    if isinstance(reply, (list, tuple)):
        return all(_is_nothing(item) for item in reply)
    if isinstance(reply, dict):
        return all(_is_nothing(item) for item in reply.values())
    return isinstance(reply, SimpleString) and reply.value == b"PONG"


def plain(reply: Any) -> Any:
    """A reply as plain data."""
    if isinstance(reply, SimpleString):
        return reply.value
    if isinstance(reply, SimpleError):
        return reply.value
    if isinstance(reply, (list, tuple)):
        return [plain(item) for item in reply]
    if isinstance(reply, dict):
        return {plain(key): plain(item) for key, item in reply.items()}
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
