"""A session: one client of fakeredis's commands, with what fakeredis leaves to a socket.

It runs a request and returns the reply as Python values. A command that has to wait raises
`WouldBlock`; the broker keeps it in `waiting` and asks again (`retry`) when a key it named changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fakeredis import _msgs as msgs
from fakeredis._helpers import QUEUED, SimpleError
from fakeredis._socket._base import BaseFakeSocket
from fakeredis._socket._fakesocket import FakeSocket
from fakeredis._socket._resp import convert_to_resp2
from fakeredis.model import ClientInfo

from sandbox.brokers.redis import commands, events
from sandbox.brokers.redis.hot import HOT_BY_NAME, MISS
from sandbox.brokers.redis.known import KNOWN
from sandbox.brokers.redis.memory import check_room
from sandbox.brokers.redis.older import in_words_of_7_0
from sandbox.brokers.redis.replies import NULL_ARRAY, NULL_ARRAYS, SETS, Push, SetReply

if TYPE_CHECKING:
    from fakeredis._commands import Signature

    from sandbox.brokers.redis.broker import Broker
    from sandbox.brokers.redis.connection import Connection

#: What a client that has not said who it is may do.
BEFORE_AUTH = frozenset(("auth", "hello", "quit", "reset"))
#: What a client of RESP2 may do while it is subscribed.
WHILE_SUBSCRIBED = frozenset(
    (
        "subscribe",
        "unsubscribe",
        "psubscribe",
        "punsubscribe",
        "ssubscribe",
        "sunsubscribe",
        "ping",
        "quit",
        "reset",
    )
)


class WouldBlock(Exception):
    """The command waits."""

    def __init__(self, timeout_s: float | None, attempt: Any, shape: Any) -> None:
        self.timeout_s = timeout_s
        self.attempt = attempt
        self.shape = shape


class Waiting:
    """A command that waits, until when, and for which keys."""

    def __init__(
        self,
        name: str,
        signature: Signature,
        arguments: list[bytes],
        keys: list[bytes],
        deadline_ns: int | None,
        block: WouldBlock,
    ) -> None:
        self.name = name
        self.signature = signature
        self.arguments = arguments
        self.keys = keys
        self.deadline_ns = deadline_ns
        self.block = block


class Session(FakeSocket):
    """One client, as commands see it."""

    def __init__(self, broker: Broker, connection: Connection | None, peer: str) -> None:
        # Past the constructor of fakeredis's socket, which makes queues, events and file numbers.
        super(BaseFakeSocket, self).__init__()
        self.broker = broker
        self.connection = connection
        self.peer = peer
        self._server = broker.server
        self._client_class = type(self)
        self.responses = None
        self._paused = self._killed = self._blocked = False
        self._reply_off = self._reply_skip = self._reply_skip_next = False
        self._no_evict = self._no_touch = False
        self._unblock_reason = None
        self._subkey_events = []
        self._fieldsets = {}
        self._db_num = 0
        self._db = self._server.dbs[0]
        self._client_info = ClientInfo(id=broker.new_client_id(), addr=peer, name="")
        self.waiting: Waiting | None = None
        #: Databases and keys it waits for, as `Waits` noted them.
        self.places: list[tuple[int, bytes]] = []
        #: Channels, patterns and shard channels it is subscribed to, in order.
        self.channels: dict[str, dict[bytes, None]] = {"": {}, "p": {}, "s": {}}
        self.monitoring = False
        self.authenticated = broker.default_user_is_open()
        self.last_command = ""
        #: Name and version of the client's library, as CLIENT SETINFO told them.
        self.library = ("", "")
        #: How many keys had been touched when the command that runs began.
        self._mark = 0
        #: CLIENT CACHING was the last command: it holds for the next one.
        self.caching_set = False
        #: The broker's `rules` when this client was last found free to do anything.
        self.free_since = -1
        self.created_ns = self.last_ns = broker.now_ns

    @property
    def resp(self) -> int:
        """The protocol it speaks, 2 or 3."""
        return int(self._client_info["resp"])

    @property
    def id(self) -> int:
        """Its number; they count from 1."""
        return int(self._client_info["id"])

    @property
    def subscriptions(self) -> int:
        """How many channels and patterns it is subscribed to. fakeredis's own count stays 0."""
        channels = self.channels
        return len(channels[""]) + len(channels["p"]) + len(channels["s"])

    # -- running -------------------------------------------------------------------------------

    def run(self, fields: list[bytes]) -> Any:
        """Do what a request says and return the reply, an error too.

        Raises:
            WouldBlock: it waits.
        """
        name, arguments = commands.split(fields)
        self.last_command = name.replace(" ", "|")
        signature: Signature | None = None
        try:
            if not self.authenticated and name not in BEFORE_AUTH:
                raise SimpleError("NOAUTH Authentication required.")
            try:
                function, signature = commands.find(self, name)
            except SimpleError:
                raise commands.unknown(commands.as_typed(name, fields), fields[1:]) from None
            self._check_arguments(signature, arguments)
            self._check_allowed(fields)
            self._check_subscribed(name)
            if self.broker.memory is not None:
                known = KNOWN.get(name)
                check_room(self.broker, known is not None and "denyoom" in known.flags)
            if self._queueing and msgs.FLAG_TRANSACTION not in signature.flags and name != "quit":
                self._refuse_in_multi(name)
                assert self._transaction is not None
                self._transaction.append((function, signature, arguments))
                return QUEUED
        except SimpleError as error:
            if self._queueing:
                self._transaction_failed = True
            return error
        return self._run_command(function, signature, arguments, False)

    def finish(self, name: str, result: Any, arguments: Any = ()) -> Any:
        """Give a result the type and the words it has on the wire."""
        if result is None:
            counted = name in ("lpop", "rpop") and len(arguments) == 2
            return NULL_ARRAY if counted or name in NULL_ARRAYS else None
        if isinstance(result, SimpleError):
            return SimpleError(in_words_of_7_0(name, result.value, arguments))
        if isinstance(result, list) and name in SETS:
            return SetReply(sorted(result, key=_set_order))
        return result

    def is_free(self) -> bool:
        """Whether this client may do anything: logged in, no rules, no subscription of RESP2."""
        if not self.authenticated or (self.subscriptions and self.resp == 2):
            return False
        if self._no_touch or self in self.broker.interest.clients:
            return False
        user = self._server.acl._user_acl.get(self._client_info.user)
        return user is not None and bool(user.enabled) and user.unrestricted()

    def _check_script_may(self, words: list[bytes], name: str) -> None:
        """Refuse what the user of a script may not do."""
        if self.is_free():
            return
        last, self.last_command = self.last_command, name.replace(" ", "|")
        try:
            self._check_allowed(words)
        except SimpleError:
            raise SimpleError(
                "NOPERM The user executing the script can't run this command or subcommand"
            ) from None
        finally:
            self.last_command = last

    def _check_allowed(self, fields: list[bytes], *, even_if_free: bool = False) -> None:
        if not even_if_free and (self.free_since == self.broker.rules or self.is_free()):
            return
        try:
            self._server.acl.validate_command(self._client_info.user, self._client_info, fields)
        except SimpleError as error:
            raise SimpleError(in_words_of_7_0(self.last_command, error.value, ())) from None
        user = self._server.acl._user_acl.get(self._client_info.user)
        if user is not None and not user.unrestricted() and not _allows(user, fields):
            raise SimpleError(
                f"NOPERM this user has no permissions to run the '{self.last_command}' command"
            )

    def _check_arguments(self, signature: Signature, arguments: list[bytes]) -> None:
        known = KNOWN.get(signature.name)
        if known is not None:
            given = len(arguments) + len(signature.name.split())
            wrong = given < -known.arity or (known.arity > 0 and given != known.arity)
        else:
            wrong = 0 <= getattr(signature, "most", -1) < len(arguments)
        wrong = wrong or len(arguments) > _MOST.get(signature.name, len(arguments))
        if not wrong:
            try:
                signature.check_arity(arguments, (7,))
            except SimpleError as error:
                if "wrong number" not in error.value:
                    raise
                wrong = True
        if wrong:
            name = signature.name.replace(" ", "|")
            raise SimpleError(f"ERR wrong number of arguments for '{name}' command")

    def _check_subscribed(self, name: str) -> None:
        if self.subscriptions and self.resp == 2 and name not in WHILE_SUBSCRIBED:
            raise SimpleError(
                f"ERR Can't execute '{name.replace(' ', '|')}': only (P|S)SUBSCRIBE /"
                " (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context"
            )

    def _refuse_in_multi(self, name: str) -> None:
        if name in ("monitor", "save", "bgsave", "bgrewriteaof", "shutdown") or (
            name.endswith("subscribe") and self.resp == 2
        ):
            raise SimpleError("ERR Command not allowed inside a transaction")

    def _name_to_func(self, cmd_name: str) -> Any:
        """How scripts find commands."""
        return commands.find(self, cmd_name)

    def _run_command(self, func: Any, sig: Any, args: Any, from_script: bool) -> Any:
        broker = self.broker
        if not from_script:
            broker.count(sig.name)
        before = broker.server.dirty
        if self._in_transaction and not from_script and self.free_since == broker.rules:
            hot = HOT_BY_NAME.get(sig.name)
            reply = (
                MISS if hot is None or broker.memory is not None else hot.run(self, [b"", *args])
            )
            if reply is not MISS:
                if broker.log.on and broker.server.dirty != before:
                    broker.log.note(self._db_num, sig.name, args, reply)
                return reply
        self._mark = len(broker.server.touched)
        broker.server.peeking = self._no_touch or sig.name in _PEEKING
        try:
            if hasattr(sig, "most"):
                result = self._run_own(func, sig, args, from_script)
            else:
                result = super()._run_command(func, sig, args, from_script)
        except WouldBlock:
            raise
        except SimpleError as error:
            result = error
        except UnicodeDecodeError:
            # fakeredis puts names into its texts as UTF-8; they are in texts of errors alone.
            result = SimpleError("ERR no such key, group or name, and it is not UTF-8 either")
        except Exception as error:  # what fakeredis did not foresee costs this command, not more
            broker.trace("engine.error", connection=self.peer, error=repr(error))
            result = SimpleError(f"ERR the sandbox could not do this: {error!r}")
        if broker.server.coming:
            broker.server.settle()
        if broker.log.on and broker.server.dirty != before:
            broker.log.note(self._db_num, sig.name, args, result)
        if self in broker.interest.clients:
            words = [*(word.encode() for word in sig.name.split()), *args]
            broker.interest.read(self, sig.name, words)
        return result if from_script else self.finish(sig.name, result, args)

    def _run_own(self, func: Any, sig: Any, args: Any, from_script: bool) -> Any:
        if not from_script:
            return func(*args)
        if msgs.FLAG_NO_SCRIPT in sig.flags:
            raise SimpleError(msgs.COMMAND_IN_SCRIPT_MSG)
        self._check_arguments(sig, args)
        result = func(*args)
        return convert_to_resp2(result) if self._resp_version == 2 else result

    def _expireat(self, key: Any, timestamp: float, *args: bytes) -> int:
        """Set when a key expires; in the past, or now, means that it goes at once."""
        done = super()._expireat(key, timestamp, *args)
        if done and round(timestamp * 1000) <= self.broker.server.now_ms:
            key.value = None
        return done

    def _blocking(self, timeout: float | None, func: Any, shape: Any = None) -> Any:
        result = func(True)
        if result is not None or self._in_transaction or self._script_resp is not None:
            return result if shape is None else shape(result)
        raise WouldBlock(timeout, func, shape)

    # -- waiting -------------------------------------------------------------------------------

    def wait(self, fields: list[bytes], block: WouldBlock, now_ns: int) -> None:
        """Remember what a command waits for."""
        name, _ = commands.split(fields)
        keys = commands.keys_of(fields) or fields[1:]
        deadline = now_ns + round(block.timeout_s * 1e9) if block.timeout_s else None
        self.waiting = Waiting(name, commands.COMMANDS[name], fields[1:], keys, deadline, block)
        self._blocked = True

    def retry(self) -> tuple[bool, Any]:
        """Try again; whether it went, and the reply."""
        waiting, server = self.waiting, self.broker.server
        assert waiting is not None
        before = server.dirty
        try:
            result = waiting.block.attempt(False)
            server.settle()
        except SimpleError as error:
            server.settle()
            if error.value == msgs.WRONGTYPE_MSG and type(error) is SimpleError:
                return False, None  # the key has another type for a while
            return True, self._stop_waiting(error)
        if self.broker.log.on and server.dirty != before:
            self.broker.log.note(self._db_num, waiting.name, waiting.arguments, result)
        if result is None:
            return False, None
        return True, self._stop_waiting(self._shaped(result))

    def give_up(self, error: str | None = None) -> Any:
        """Wait no longer; the reply says that there was nothing, or is an error."""
        assert self.waiting is not None
        if error is None and self.waiting.name in ("blmove", "brpoplpush"):
            # One that found nothing at once, in a transaction, says a null string instead.
            return self._stop_waiting(NULL_ARRAY)
        return self._stop_waiting(SimpleError(error) if error else self._shaped(None))

    def _shaped(self, result: Any) -> Any:
        assert self.waiting is not None
        if self.waiting.block.shape is not None:
            result = self.waiting.block.shape(result)
        raw = msgs.FLAG_SKIP_CONVERT_TO_RESP2 in self.waiting.signature.flags
        return result if self.resp == 3 or raw else convert_to_resp2(result)

    def _stop_waiting(self, result: Any) -> Any:
        assert self.waiting is not None
        name = self.waiting.name
        self.waiting = None
        self._blocked = False
        return self.finish(name, result)

    # -- what fakeredis calls ------------------------------------------------------------------

    def put_response(self, msg: Any) -> None:
        """Send a message the client did not ask for."""
        if self.connection is not None:
            self.connection.push(Push(msg))

    def kill(self) -> None:
        """Close on behalf of CLIENT KILL."""
        self._killed = True

    def _keyspace_notifications(self, command_items: Any, event: bytes) -> None:
        if self.broker.settings.notify:
            changed = set(self.broker.server.touched[self._mark :])
            events.told(self, command_items, event, changed)

    def _subkey_notifications(self, command_items: Any) -> None:
        self._subkey_events = []


#: Commands that look at keys without using them.
_PEEKING = frozenset(
    (
        "object idletime", "object freq", "object encoding", "object refcount", "ttl", "pttl",
        "type", "exists", "expiretime", "pexpiretime", "memory usage", "scan", "randomkey",
    )
)  # fmt: skip
#: Where fakeredis takes any number of arguments and Redis does not.
_MOST = {"spop": 2, "srandmember": 2, "zpopmin": 2, "zpopmax": 2}


def _allows(user: Any, fields: list[bytes]) -> bool:
    """Whether the last of a user's rules that is about this command allows it."""
    name = fields[0].lower()
    if name in (b"auth", b"hello", b"quit", b"reset"):
        return True
    info = user._get_command_info(fields)
    names = {b"@all", name, *(info[6] if info else ())}
    if len(fields) > 1:
        names.add(name + b"|" + fields[1].lower())
    allowed = False
    for rule, on in user._commands.items():
        if rule in names:
            allowed = on
    return allowed


def _set_order(member: bytes) -> tuple[int, int, bytes]:
    """Numbers first and by size, as small sets of numbers are kept; the others by their bytes."""
    digits = member[1:] if member[:1] == b"-" else member
    if digits.isdigit() and len(digits) < 19:
        return 0, int(member), member
    return 1, 0, member
