"""A browser without a socket: requests in, answers out, on a connection of the management API."""

from __future__ import annotations

import base64
import json
from typing import Any, NamedTuple

from sandbox.brokers.amqp.management import Server
from tests.brokers.amqp.client import Client, World


class Reply(NamedTuple):
    """An answer, its body read as JSON."""

    status: int
    headers: dict[str, str]
    body: Any


class Web:
    """Asks the management API of a world's broker."""

    def __init__(self, world: World, user: str = "guest", password: str = "guest") -> None:
        self.world = world
        self.changes = 0
        self.server = Server(world.broker, changed=self._changed)
        self.side = self.server.connect("browser:1", world.now_ns)
        self.user, self.password = user, password

    def as_user(self, user: str, password: str) -> Web:
        """The same API, asked by somebody else."""
        return Web(self.world, user, password)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """Send a request and return its answer."""
        token = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        data = b"" if body is None else json.dumps(body).encode()
        return self.send(method, path, data, {"authorization": f"Basic {token}", **headers})

    def send(self, method: str, path: str, data: bytes, headers: dict[str, str]) -> Reply:
        """Send a request as it is."""
        lines = [f"{method} {path} HTTP/1.1", "host: here", f"content-length: {len(data)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.side.receive_data("\r\n".join([*lines, "", ""]).encode() + data, self.world.now_ns)
        self.server.take_writable()
        replies = read(self.side.data_to_send(), head=method == "HEAD")
        assert len(replies) == 1, replies
        return replies[0]

    def get(self, path: str) -> Any:
        """Ask for something that must be there."""
        reply = self.ask("GET", path)
        assert reply.status == 200, reply
        return reply.body

    def put(self, path: str, body: Any = None) -> int:
        """Make or change something; returns the status."""
        return self.ask("PUT", path, body or {}).status

    def delete(self, path: str) -> int:
        """Delete something; returns the status."""
        return self.ask("DELETE", path).status

    def refused(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Ask for something that must be refused; returns the status and the reason."""
        reply = self.ask(method, path, body)
        assert reply.status >= 400, reply
        return reply.status, reply.body and reply.body["reason"]

    def _changed(self) -> None:
        self.changes += 1
        self.world.carry()


def read(data: bytes, *, head: bool = False) -> list[Reply]:
    """Read the answers that came, one after another."""
    replies = []
    while data:
        top, _, data = data.partition(b"\r\n\r\n")
        first, *lines = top.decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines)
        size = 0 if head else int(headers.get("content-length", "0"))
        body, data = data[:size], data[size:]
        is_json = headers.get("content-type") == "application/json" and not head
        text = json.loads(body) if is_json else body.decode()
        replies.append(Reply(int(first.split()[1]), headers, text))
    return replies


def named(world: World, client: Client) -> str:
    """A client's connection, as the API calls it in a path."""
    return f"{client.side.peer}%20-%3E%20127.0.0.1%3A5672"
