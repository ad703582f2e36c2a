"""A request, as what answers it sees it: who asks, for what, and with which words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sandbox.brokers.amqp.actor import Actor
from sandbox.brokers.amqp.management.answers import bad_request, missing
from sandbox.brokers.amqp.permissions import Access
from sandbox.brokers.amqp.tables import MAX_DEPTH

if TYPE_CHECKING:
    from sandbox.brokers.amqp.accounts import Accounts, User
    from sandbox.brokers.amqp.broker import Broker
    from sandbox.brokers.amqp.management.connection import Connection
    from sandbox.brokers.amqp.management.server import Server
    from sandbox.brokers.amqp.queue import Queue
    from sandbox.brokers.amqp.vhost import VirtualHost


class Request:
    """One request. `names` are the parts of the path that stand for something."""

    def __init__(
        self,
        connection: Connection,
        user: User,
        method: str,
        names: Mapping[str, str],
        query: Mapping[str, str],
        body: bytes,
        now_ns: int,
    ) -> None:
        self.connection = connection
        self.user = user
        self.method = method
        self.names = names
        self.query = query
        self.now_ns = now_ns
        #: What the client says for why it does this.
        self.reason = ""
        self._body = body

    @property
    def server(self) -> Server:
        """The server that was asked."""
        return self.connection.server

    @property
    def broker(self) -> Broker:
        """The broker it is about."""
        return self.connection.server.broker

    @property
    def accounts(self) -> Accounts:
        """The broker's users."""
        return self.broker.accounts

    def body(self, *needed: str) -> dict[str, Any]:
        """The body, a JSON object; an empty one is an empty object.

        Raises:
            HttpError: 400, it is none, or lacks a key that is needed.
        """
        try:
            value = json.loads(self._body or b"{}", parse_constant=_no_number)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict) or not _can_be_kept(value, 0):
            raise bad_request("not_json")
        lacking = [key for key in needed if key not in value]
        if lacking:
            terms = [f"{{key_missing,{key}}}" for key in lacking]
            text = f"[{','.join(terms)}]"
            # Erlang breaks long lines.
            raise bad_request(text if len(text) <= 80 else text.replace("},{", "},\n {"))
        return value

    def flag(self, name: str) -> bool:
        """A yes or no in the query."""
        return self.query.get(name) == "true"

    def vhost(self) -> VirtualHost:
        """The virtual host that the path names.

        Raises:
            HttpError: 404.
        """
        vhost = self.broker.vhosts.get(self.names["vhost"])
        if vhost is None:
            raise missing()
        return vhost

    def vhosts(self) -> list[VirtualHost]:
        """The one that the path names, or all that the user may enter, by name."""
        if "vhost" in self.names:
            return [self.vhost()]
        return [
            vhost
            for name, vhost in sorted(self.broker.vhosts.items())
            if self.accounts.permission(self.user.name, name) is not None
        ]

    def queue(self) -> Queue:
        """The queue that the path names.

        Raises:
            HttpError: 404.
        """
        queue = self.vhost().queues.get(self.names["queue"])
        if queue is None:
            raise missing()
        return queue

    def actor(self, vhost: VirtualHost) -> Actor:
        """Who acts in a virtual host: this user, from this connection."""
        name = self.user.name
        permission = self.accounts.permission(name, vhost.name)
        free = permission is None or self.accounts.is_unrestricted(name)
        access = None if free or permission is None else Access(name, vhost.name, permission)
        return Actor(self.connection, self.connection.peer, None, access)

    def acts(self) -> None:
        """Something is about to change: what follows happens now."""
        self.broker.activity += 1
        self.broker.timers.now_ns = self.now_ns


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _can_be_kept(value: Any, depth: int) -> bool:
    """False for numbers, text and depths that AMQP has no place for."""
    if depth > MAX_DEPTH:
        return False
    if isinstance(value, dict):
        return all(_can_be_kept(each, depth + 1) for pair in value.items() for each in pair)
    if isinstance(value, list):
        return all(_can_be_kept(each, depth + 1) for each in value)
    if isinstance(value, str):
        return not any("\ud800" <= letter <= "\udfff" for letter in value)
    return not isinstance(value, int) or -(2**63) <= value < 2**63


def boolean(body: Mapping[str, Any], key: str, default: bool = False) -> bool:
    """A yes or no in a body.

    Raises:
        HttpError: 400.
    """
    value = body.get(key, default)
    if value in ("true", "false"):
        return bool(value == "true")
    if not isinstance(value, bool):
        raise bad_request(["not_boolean", value])
    return value


def integer(body: Mapping[str, Any], key: str) -> int:
    """A number in a body; some tools send its digits.

    Raises:
        HttpError: 400.
    """
    value = body[key]
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise bad_request(["not_int", key])
    return value


def table(body: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Arguments in a body; none if they are not there.

    Raises:
        HttpError: 400.
    """
    value = body.get(key) or {}
    if not isinstance(value, dict):
        raise bad_request(f"{key} must be an object")
    return value
