"""Publish and subscribe.

Replaces fakeredis's commands of these names: order of arrival instead of memory addresses, counts
as Redis keeps them (shard channels by themselves), and a reply to an unsubscribe from nothing.
[https://redis.io/docs/latest/develop/interact/pubsub/]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fakeredis._helpers import NoResponse, SimpleString, compile_pattern

from sandbox.brokers.redis.commands import command
from sandbox.brokers.redis.keyspace import Server

if TYPE_CHECKING:
    from sandbox.brokers.redis.performing import Performing
    from sandbox.brokers.redis.session import Session


def _registry(server: Server, kind: str) -> Any:
    return {"": server.subscribers, "p": server.psubscribers, "s": server.ssubscribers}[kind]


def _reply(session: Session, word: str, kind: str, name: bytes | None) -> None:
    # Shard channels are counted by themselves.
    kinds = ("s",) if kind == "s" else ("", "p")
    count = sum(len(session.channels[each]) for each in kinds)
    session.put_response([f"{kind}{word}".encode(), name, count])


def _subscribe(kind: str) -> None:
    def handler(session: Session, *names: bytes) -> NoResponse:
        registry = _registry(session.broker.server, kind)
        for name in names:
            session.channels[kind][name] = None
            registry[name].add(session)
            _reply(session, "subscribe", kind, name)
        return NoResponse()

    command(f"{kind}subscribe", 1, -1, flags="s")(handler)


def _unsubscribe(kind: str) -> None:
    def handler(session: Session, *names: bytes) -> NoResponse:
        for name in names or list(session.channels[kind]):
            leave(session, kind, name)
            _reply(session, "unsubscribe", kind, name)
        if not names and not session.broker.replied:
            _reply(session, "unsubscribe", kind, None)
        return NoResponse()

    command(f"{kind}unsubscribe", 0, -1, flags="s")(handler)


for _kind in ("", "p", "s"):
    _subscribe(_kind)
    _unsubscribe(_kind)


def leave(session: Session, kind: str, name: bytes) -> None:
    """Take a session out of a channel's or a pattern's subscribers."""
    session.channels[kind].pop(name, None)
    registry = _registry(session.broker.server, kind)
    if name in registry:
        registry[name].discard(session)
        if not registry[name]:
            del registry[name]


def leave_all(session: Session) -> None:
    """End every subscription without a word."""
    for kind, names in session.channels.items():
        for name in list(names):
            leave(session, kind, name)


def deliver(broker: Performing, channel: bytes, message: bytes) -> int:
    """Send a message to who is subscribed now; return to how many."""
    server = broker.server
    receivers: list[str] = []
    for session in list(server.subscribers.get(channel, ())):
        session.put_response([b"message", channel, message])
        receivers.append(session.peer)
    for pattern, sessions in list(server.psubscribers.items()):
        if compile_pattern(pattern).match(channel):
            for session in list(sessions):
                session.put_response([b"pmessage", pattern, channel, message])
                receivers.append(session.peer)
    broker.trace("pubsub.publish", channel=channel, message=message, receivers=receivers)
    return len(receivers)


@command("publish", 2)
def publish(session: Session, channel: bytes, message: bytes) -> int:
    """PUBLISH channel message."""
    return deliver(session.broker, channel, message)


@command("spublish", 2)
def spublish(session: Session, channel: bytes, message: bytes) -> int:
    """SPUBLISH channel message: shard channels have no patterns."""
    receivers = list(session.broker.server.ssubscribers.get(channel, ()))
    for each in receivers:
        each.put_response([b"smessage", channel, message])
    peers = [each.peer for each in receivers]
    session.broker.trace("pubsub.publish", channel=channel, message=message, receivers=peers)
    return len(receivers)


@command("ping", 0, 1)
def ping(session: Session, *message: bytes) -> Any:
    """PING [message]."""
    if session.subscriptions and session.resp == 2:
        return [b"pong", message[0] if message else b""]
    return message[0] if message else SimpleString(b"PONG")
