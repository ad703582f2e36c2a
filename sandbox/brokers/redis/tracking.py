"""Client-side caching: CLIENT TRACKING, and who is told that a key changed.

The server remembers which client read which key, tells it once when the key changes, and forgets.
In broadcasting mode it remembers nothing and tells of every key with a prefix. Keys are told apart
by name alone, not by database, as in Redis.
[https://redis.io/docs/latest/develop/reference/client-side-caching/]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fakeredis._command_args_parsing import Int
from fakeredis._helpers import OK, SimpleError, SimpleString

from sandbox.brokers.redis.commands import command, keys_of
from sandbox.brokers.redis.known import KNOWN

if TYPE_CHECKING:
    from sandbox.brokers.redis.performing import Performing
    from sandbox.brokers.redis.session import Session

_CHANNEL: Final = b"__redis__:invalidate"
_SYNTAX: Final = "ERR syntax error"


class Tracking:
    """How one client wants to be told."""

    def __init__(self) -> None:
        self.redirect = 0
        self.bcast = self.optin = self.optout = self.noloop = False
        self.prefixes: list[bytes] = []
        #: What CLIENT CACHING said about the next command: yes, no, or nothing.
        self.caching: bool | None = None

    def wants(self) -> bool:
        """Whether keys of a command that reads are to be remembered."""
        if self.bcast:
            return False
        if self.optin:
            return self.caching is True
        return not (self.optout and self.caching is False)


class Interest:
    """Which keys which clients have in their caches."""

    def __init__(self) -> None:
        self.clients: dict[Session, Tracking] = {}
        self._keys: dict[bytes, dict[Session, None]] = {}

    def read(self, session: Session, name: str, fields: list[bytes]) -> None:
        """A client that tracks did a command."""
        tracking = self.clients[session]
        known = KNOWN.get(name)
        if known is None or "readonly" not in known.flags or not tracking.wants():
            return
        for key in keys_of(fields):
            self._keys.setdefault(key, {})[session] = None

    def changed(self, keys: list[bytes], broker: Performing, by: Session | None) -> None:
        """Keys changed: tell who has them, or wants to know of all."""
        told: dict[Session, list[bytes]] = {}
        for key in dict.fromkeys(keys):
            for session in self._keys.pop(key, ()):
                told.setdefault(session, []).append(key)
            for session, tracking in self.clients.items():
                if tracking.bcast and key.startswith(tuple(tracking.prefixes or [b""])):
                    told.setdefault(session, []).append(key)
        for session, names in told.items():
            own = self.clients.get(session)
            if own is not None and not (own.noloop and session is by):
                if own.bcast:
                    _tell(broker, session, own, names)
                else:
                    for name in names:
                        _tell(broker, session, own, [name])

    def flushed(self, broker: Performing) -> None:
        """Everything is gone."""
        self._keys.clear()
        for session, tracking in list(self.clients.items()):
            _tell(broker, session, tracking, None)

    def leave(self, session: Session) -> None:
        """A client tracks no more."""
        self.clients.pop(session, None)


def _tell(
    broker: Performing, session: Session, tracking: Tracking, keys: list[bytes] | None
) -> None:
    target: Session | None = session
    if tracking.redirect:
        target = next((s for s in broker.sessions() if s.id == tracking.redirect), None)
        if target is None:
            if session.resp == 3:
                session.put_response([b"tracking-redir-broken", tracking.redirect])
            return
    assert target is not None
    if target.resp == 3 and not tracking.redirect:
        target.put_response([b"invalidate", keys])
    elif tracking.redirect and (target.resp == 3 or target.subscriptions):
        target.put_response([b"message", _CHANNEL, keys])


@command("client tracking", 1, -1)
def client_tracking(session: Session, mode: bytes, *options: bytes) -> SimpleString:
    """CLIENT TRACKING ON|OFF [REDIRECT id] [PREFIX p ...] [BCAST] [OPTIN] [OPTOUT] [NOLOOP]."""
    made, words = Tracking(), list(options)
    while words:
        word = words.pop(0).lower()
        if word == b"redirect" and words:
            made.redirect = Int.decode(words.pop(0))
            if all(each.id != made.redirect for each in session.broker.sessions()):
                raise SimpleError("ERR The client ID you want redirect to does not exist")
        elif word == b"prefix" and words:
            made.prefixes.append(words.pop(0))
        elif word in (b"bcast", b"optin", b"optout", b"noloop"):
            setattr(made, word.decode(), True)
        else:
            raise SimpleError(_SYNTAX)
    interest = session.broker.interest
    if mode.lower() == b"off":
        interest.leave(session)
        return OK
    if mode.lower() != b"on":
        raise SimpleError(_SYNTAX)
    if made.prefixes and not made.bcast:
        raise SimpleError("ERR PREFIX option requires BCAST mode to be enabled")
    before = interest.clients.get(session)
    if before is not None and before.bcast != made.bcast:
        raise SimpleError(
            "ERR You can't switch BCAST mode on/off before disabling tracking for this client,"
            " and then re-enabling it with a different mode."
        )
    if made.bcast and (made.optin or made.optout):
        raise SimpleError("ERR OPTIN and OPTOUT are not compatible with BCAST")
    if made.optin and made.optout:
        raise SimpleError("ERR You can't specify both OPTIN mode and OPTOUT mode")
    if before is not None and (before.optin, before.optout) not in (
        (made.optin, made.optout),
        (False, False),
    ):
        raise SimpleError(
            "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and"
            " then re-enabling it with a different mode."
        )
    for one in made.prefixes:
        for other in made.prefixes:
            if one is not other and one.startswith(other):
                shown = [p.decode("utf-8", "replace") for p in (one, other)]
                raise SimpleError(
                    f"ERR Prefix '{shown[0]}' overlaps with another provided prefix '{shown[1]}'."
                    " Prefixes for a single client must not overlap."
                )
    interest.clients[session] = made
    return OK


@command("client caching", 1)
def client_caching(session: Session, mode: bytes) -> SimpleString:
    """CLIENT CACHING YES|NO: about the next command."""
    tracking = session.broker.interest.clients.get(session)
    if tracking is None:
        raise SimpleError(
            "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN"
            " or OPTOUT mode enabled"
        )
    word = mode.lower()
    if word not in (b"yes", b"no"):
        raise SimpleError(_SYNTAX)
    if word == b"yes" and not tracking.optin:
        raise SimpleError(
            "ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode."
        )
    if word == b"no" and not tracking.optout:
        raise SimpleError(
            "ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode."
        )
    tracking.caching = word == b"yes"
    session.caching_set = True
    return OK


@command("client getredir", 0)
def client_getredir(session: Session) -> int:
    """CLIENT GETREDIR."""
    tracking = session.broker.interest.clients.get(session)
    return -1 if tracking is None else tracking.redirect


@command("client trackinginfo", 0)
def client_trackinginfo(session: Session) -> dict[bytes, Any]:
    """CLIENT TRACKINGINFO."""
    tracking = session.broker.interest.clients.get(session)
    if tracking is None:
        return {b"flags": [b"off"], b"redirect": -1, b"prefixes": []}
    flags = [b"on"]
    flags += [
        name.encode() for name in ("bcast", "optin", "optout", "noloop") if getattr(tracking, name)
    ]
    if tracking.caching is not None:
        flags.append(b"caching-yes" if tracking.caching else b"caching-no")
    return {b"flags": flags, b"redirect": tracking.redirect, b"prefixes": list(tracking.prefixes)}
