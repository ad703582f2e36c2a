"""Who is there: HELLO, AUTH, CLIENT, RESET, QUIT, and users.

[https://redis.io/docs/latest/commands/client-list/, .../hello/, .../acl/]
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from fakeredis._command_args_parsing import Int
from fakeredis._helpers import OK, SimpleError, SimpleString
from fakeredis.model._acl import UserAccessControlList

from sandbox.brokers.redis.commands import command, find, is_write, split
from sandbox.brokers.redis.keyspace import Ordered
from sandbox.brokers.redis.pubsub import leave_all
from sandbox.brokers.redis.replies import Verbatim
from sandbox.brokers.redis.tracking import client_getredir

if TYPE_CHECKING:
    from sandbox.brokers.redis.session import Session

_SYNTAX = "ERR syntax error"
_WRONGPASS = "WRONGPASS invalid username-password pair or user is disabled."
_TYPES = (b"normal", b"master", b"replica", b"slave", b"pubsub")


def new_user() -> UserAccessControlList:
    """A user who may do nothing yet, in sets that keep their order."""
    user = UserAccessControlList(enabled=False)
    user._passwords, user._key_patterns = Ordered(), Ordered()  # type: ignore[assignment]
    user._channel_patterns = Ordered()  # type: ignore[assignment]
    return user


def log_in(session: Session, name: bytes, password: bytes) -> None:
    """Make the session this user's.

    Raises:
        SimpleError: WRONGPASS.
    """
    users = session.broker.server.acl._user_acl
    user = users.get(name)
    digest = sha256(password).hexdigest().encode()
    if user is None or not user.enabled or not (user._nopass or digest in user._passwords):
        info = client_line(session).encode()
        session.broker.server.acl.add_log_record(b"auth", b"toplevel", b"AUTH", name, info)
        raise SimpleError(_WRONGPASS)
    session._client_info["user"] = name.decode("utf-8", "replace")
    session.authenticated = True


@command("auth", 1, 2, flags="s")
def auth(session: Session, *arguments: bytes) -> SimpleString:
    """AUTH [user] password."""
    if len(arguments) == 1:
        if session.broker.default_user_is_open():
            raise SimpleError(
                "ERR AUTH <password> called without any password configured for the default user."
                " Are you sure your configuration is correct?"
            )
        log_in(session, b"default", arguments[0])
    else:
        log_in(session, arguments[0], arguments[1])
    return OK


@command("hello", 0, -1, flags="s")
def hello(session: Session, *arguments: bytes) -> dict[bytes, Any]:
    """HELLO [2|3 [AUTH user password] [SETNAME name]]."""
    protocol = session.resp
    rest = list(arguments)
    if rest:
        word = rest.pop(0)
        if not word.isdigit():
            raise SimpleError("ERR Protocol version is not an integer or out of range")
        protocol = int(word)
        if protocol not in (2, 3):
            raise SimpleError("NOPROTO unsupported protocol version")
    name: bytes | None = None
    while rest:
        option = rest.pop(0).lower()
        if option == b"auth" and len(rest) >= 2:
            log_in(session, rest.pop(0), rest.pop(0))
        elif option == b"setname" and rest:
            name = rest.pop(0)
        else:
            raise SimpleError(
                f"ERR Syntax error in HELLO option '{option.decode('utf-8', 'replace')}'"
            )
    if not session.authenticated:
        raise SimpleError(
            "NOAUTH HELLO must be called with the client already authenticated, otherwise the"
            " HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and"
            " select the RESP protocol version at the same time"
        )
    if name is not None:
        _set_name(session, name)
    session._client_info["resp"] = protocol
    return {
        b"server": b"redis",
        b"version": b"%d.%d.%d" % session.broker.version,
        b"proto": protocol,
        b"id": session.id,
        b"mode": b"standalone",
        b"role": b"master",
        b"modules": [],
    }


@command("quit", 0, -1)
def quit_(session: Session, *_: bytes) -> SimpleString:
    """QUIT."""
    session.kill()
    return OK


@command("reset", 0, flags="st")
def reset(session: Session) -> SimpleString:
    """RESET: as if the client had just come."""
    session._forget_transaction()
    session._clear_watches()
    leave_all(session)
    session.broker.monitors.pop(session, None)
    session.broker.interest.leave(session)
    session._no_evict = session._no_touch = False
    session._reply_off = session._reply_skip = session._reply_skip_next = False
    session._client_info.update(name="", resp=2, user="default")
    session.authenticated = session.broker.default_user_is_open()
    session.select(0)
    return SimpleString(b"RESET")


# -- CLIENT ----------------------------------------------------------------------------------------


def client_line(session: Session) -> str:
    """What CLIENT LIST says about a client."""
    broker = session.broker
    kinds = session.channels
    flags = ("P" if session.subscriptions else "") + ("b" if session.waiting else "")
    flags += ("x" if session._transaction is not None else "") + ("O" if session.monitoring else "")
    flags += ("e" if session._no_evict else "") + ("T" if session._no_touch else "")
    tracking = broker.interest.clients.get(session)
    if tracking is not None:
        flags += "t" + ("B" if tracking.bcast else "")
    multi = -1 if session._transaction is None else len(session._transaction)
    fields = {
        "id": session.id,
        "addr": session.peer,
        "laddr": "127.0.0.1:6379",
        "fd": session.id + 7,
        "name": session._client_info["name"],
        "age": (broker.now_ns - session.created_ns) // 1_000_000_000,
        "idle": (broker.now_ns - session.last_ns) // 1_000_000_000,
        "flags": flags or "N",
        "db": session._db_num,
        "sub": len(kinds[""]),
        "psub": len(kinds["p"]),
        "ssub": len(kinds["s"]),
        "multi": multi,
        **({"watch": len(session._watches)} if broker.version >= (7, 4) else {}),
        "qbuf": 0, "qbuf-free": 0, "argv-mem": 0, "multi-mem": 0, "rbs": 1024, "rbp": 0,
        "obl": 0, "oll": 0, "omem": 0, "tot-mem": 22298,  # codespell:ignore oll
        "events": "r",
        "cmd": session.last_command or "NULL",
        "user": session._client_info["user"],
        "redir": client_getredir(session),
        "resp": session.resp,
    }  # fmt: skip
    if broker.version >= (7, 2):
        fields["lib-name"], fields["lib-ver"] = session.library
    return " ".join(f"{name}={value}" for name, value in fields.items())


def _type(session: Session) -> bytes:
    return b"pubsub" if session.subscriptions else b"normal"


def _check_type(word: bytes) -> bytes:
    if word.lower() not in _TYPES:
        raise SimpleError(f"ERR Unknown client type '{word.decode('utf-8', 'replace')}'")
    return word.lower()


@command("client list", 0, -1)
def client_list(session: Session, *arguments: bytes) -> Verbatim:
    """CLIENT LIST [TYPE type] [ID id ...]."""
    sessions = session.broker.sessions()
    if arguments:
        what = arguments[0].lower()
        if what == b"type" and len(arguments) == 2:
            kind = _check_type(arguments[1])
            sessions = [each for each in sessions if _type(each) == kind]
        elif what == b"id" and len(arguments) > 1:
            wanted = {Int.decode(word, "ERR Invalid client ID") for word in arguments[1:]}
            sessions = [each for each in sessions if each.id in wanted]
        else:
            raise SimpleError(_SYNTAX)
    return Verbatim("".join(client_line(each) + "\n" for each in sessions).encode())


@command("client info", 0)
def client_info(session: Session) -> Verbatim:
    """CLIENT INFO."""
    return Verbatim((client_line(session) + "\n").encode())


def _set_name(session: Session, name: bytes) -> None:
    if any(byte < 33 or byte > 126 for byte in name):
        raise SimpleError("ERR Client names cannot contain spaces, newlines or special characters.")
    session._client_info["name"] = name.decode()


@command("client setname", 1)
def client_setname(session: Session, name: bytes) -> SimpleString:
    """CLIENT SETNAME name."""
    _set_name(session, name)
    return OK


@command("client getname", 0)
def client_getname(session: Session) -> bytes | None:
    """CLIENT GETNAME."""
    return session._client_info["name"].encode() or None


@command("client kill", 1, -1)
def client_kill(session: Session, *arguments: bytes) -> Any:
    """CLIENT KILL addr, or filters: ID, ADDR, LADDR, TYPE, USER, SKIPME."""
    broker = session.broker
    if len(arguments) == 1:
        address = arguments[0].decode("utf-8", "replace")
        found = [each for each in broker.sessions() if each.peer == address]
        if not found:
            raise SimpleError("ERR No such client")
        broker.kill(found[0])
        return OK
    if len(arguments) % 2:
        raise SimpleError(_SYNTAX)
    victims, skip_me = broker.sessions(), True
    for name, value in zip(arguments[::2], arguments[1::2], strict=True):
        text = value.decode("utf-8", "replace")
        match name.lower():
            case b"id":
                wanted = Int.decode(value, "ERR client-id should be greater than 0")
                victims = [each for each in victims if each.id == wanted]
            case b"addr":
                victims = [each for each in victims if each.peer == text]
            case b"laddr":
                victims = [each for each in victims if text == "127.0.0.1:6379"]
            case b"type":
                kind = _check_type(value)
                victims = [each for each in victims if _type(each) == kind]
            case b"user":
                if value not in broker.server.acl.get_users():
                    raise SimpleError(f"ERR No such user '{text}'")
                victims = [each for each in victims if each._client_info["user"] == text]
            case b"maxage" if broker.version >= (7, 4):
                least = Int.decode(value, "ERR maxage is not an integer or out of range")
                if least <= 0:
                    raise SimpleError("ERR maxage should be greater than 0")
                victims = [
                    each
                    for each in victims
                    if (broker.now_ns - each.created_ns) // 1_000_000_000 >= least
                ]
            case b"skipme" if text.lower() in ("yes", "no"):
                skip_me = text.lower() == "yes"
            case _:
                raise SimpleError(_SYNTAX)
    victims = [each for each in victims if not (skip_me and each is session)]
    for victim in victims:
        broker.kill(victim)
    return len(victims)


@command("client setinfo", 2)
def client_setinfo(session: Session, what: bytes, value: bytes) -> SimpleString:
    """CLIENT SETINFO LIB-NAME|LIB-VER value."""
    word = what.lower()
    if word not in (b"lib-name", b"lib-ver"):
        raise SimpleError(f"ERR Unrecognized option '{what.decode('utf-8', 'replace')}'")
    if any(byte < 33 or byte > 126 for byte in value):
        raise SimpleError(
            f"ERR {word.decode()} cannot contain spaces, newlines or special characters."
        )
    name, version = session.library
    text = value.decode()
    session.library = (text, version) if word == b"lib-name" else (name, text)
    return OK


def _switch(mode: bytes) -> bool:
    if mode.lower() not in (b"on", b"off"):
        raise SimpleError(_SYNTAX)
    return mode.lower() == b"on"


@command("client no-evict", 1)
def client_no_evict(session: Session, mode: bytes) -> SimpleString:
    """CLIENT NO-EVICT ON|OFF: no client is evicted here."""
    session._no_evict = _switch(mode)
    return OK


@command("client no-touch", 1)
def client_no_touch(session: Session, mode: bytes) -> SimpleString:
    """CLIENT NO-TOUCH ON|OFF: whether reading a key counts as using it."""
    session._no_touch = _switch(mode)
    return OK


@command("client unblock", 1, 2)
def client_unblock(session: Session, number: bytes, *how: bytes) -> int:
    """CLIENT UNBLOCK id [TIMEOUT|ERROR]."""
    wanted = Int.decode(number)
    word = how[0].lower() if how else b"timeout"
    if word not in (b"timeout", b"error"):
        raise SimpleError("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR")
    for each in session.broker.sessions():
        if each.id == wanted and each.waiting is not None:
            error = "UNBLOCKED client unblocked via CLIENT UNBLOCK" if word == b"error" else None
            session.broker.unblock(each, error)
            return 1
    return 0


# -- CLIENT PAUSE ----------------------------------------------------------------------------------


class Pause:
    """Until when clients are stopped: all of them, or those that want to write."""

    def __init__(self, until_ns: int, writes_only: bool) -> None:
        self.until_ns = until_ns
        self.writes_only = writes_only

    def holds(self, session: Session, fields: list[bytes]) -> bool:
        """Whether this request has to wait."""
        if not self.writes_only:
            return True
        name, _ = split(fields)
        if name == "exec" and session._transaction is not None:
            return any(_may_write(signature.name) for _, signature, _ in session._transaction)
        # A command that a transaction only queues does not write yet.
        return session._transaction is None and _may_write(name)


def _may_write(name: str) -> bool:
    return is_write(name) or name in ("eval", "evalsha", "fcall", "publish", "spublish", "pfcount")


@command("client pause", 1, 2)
def client_pause(session: Session, timeout: bytes, *mode: bytes) -> SimpleString:
    """CLIENT PAUSE ms [WRITE|ALL]: a pause is never made shorter or weaker by another one."""
    word = mode[0].lower() if mode else b"all"
    if word not in (b"all", b"write"):
        raise SimpleError("ERR CLIENT PAUSE mode must be WRITE or ALL")
    limit_ms = Int.decode(timeout, "ERR timeout is not an integer or out of range")
    if limit_ms < 0:
        raise SimpleError("ERR timeout is negative")
    broker, writes_only = session.broker, word == b"write"
    until_ns = broker.now_ns + limit_ms * 1_000_000
    if broker.paused is not None:
        until_ns = max(until_ns, broker.paused.until_ns)
        writes_only = writes_only and broker.paused.writes_only
    broker.paused = Pause(until_ns, writes_only)
    return OK


@command("client unpause", 0)
def client_unpause(session: Session) -> SimpleString:
    """CLIENT UNPAUSE."""
    session.broker.unpause()
    return OK


# -- users -----------------------------------------------------------------------------------------


@command("acl setuser", 1, -1)
def acl_setuser(session: Session, name: bytes, *rules: bytes) -> SimpleString:
    """ACL SETUSER name [rule ...]."""
    users = session.broker.server.acl._user_acl
    for rule in rules:
        if not rule:
            raise SimpleError("ERR Error in ACL SETUSER modifier '': Syntax error")
    if name not in users:
        users[name] = new_user()
    session._set_user_acl(name, *rules)
    return OK


@command("acl deluser", 1, -1)
def acl_deluser(session: Session, *names: bytes) -> int:
    """ACL DELUSER name ...: their connections end."""
    if b"default" in names:
        raise SimpleError("ERR The 'default' user cannot be removed")
    users = session.broker.server.acl._user_acl
    gone = [name for name in names if users.pop(name, None) is not None]
    for each in session.broker.sessions():
        if each._client_info.user in gone:
            session.broker.kill(each)
    return len(gone)


@command("acl getuser", 1)
def acl_getuser(session: Session, name: bytes) -> Any:
    """ACL GETUSER name."""
    user = session.broker.server.acl._user_acl.get(name)
    if user is None:
        return None
    items = user.as_array()
    return dict(zip(items[::2], items[1::2], strict=True))


@command("acl dryrun", 2, -1)
def acl_dryrun(session: Session, name: bytes, *fields: bytes) -> Any:
    """ACL DRYRUN user command [argument ...]: whether it might."""
    shown = name.decode("utf-8", "replace")
    if name not in session.broker.server.acl._user_acl:
        raise SimpleError(f"ERR User '{shown}' not found")
    full, arguments = split(list(fields))
    _, signature = find(session, full)
    session._check_arguments(signature, arguments)
    before, last = session._client_info["user"], session.last_command
    user = session.broker.server.acl._user_acl[name]
    enabled, user.enabled = user.enabled, True
    session._client_info["user"], session.last_command = shown, full.replace(" ", "|")
    try:
        session._check_allowed(list(fields), even_if_free=True)
    except SimpleError as error:
        text = error.value.removeprefix("NOPERM this user has").removeprefix("NOPERM ")
        return f"User {shown} has{text}".encode()
    finally:
        user.enabled = enabled
        session._client_info["user"], session.last_command = before, last
    return OK


@command("acl genpass", 0, 1)
def acl_genpass(session: Session, *bits: bytes) -> bytes:
    """ACL GENPASS [bits]."""
    wanted = Int.decode(bits[0]) if bits else 256
    if not 0 < wanted <= 4096:
        raise SimpleError(
            "ERR ACL GENPASS argument must be the number of bits for the output password, a"
            " positive number up to 4096"
        )
    digits = (wanted + 3) // 4
    return f"{session.broker.random.getrandbits(digits * 4):0{digits}x}".encode()
