"""What Redis scenarios act on: redis-py's clients of one server."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import redis

from tests.parity import harness
from tests.parity.redis.differences import DIFFERENCES


class Stage(harness.Stage):
    """See the module. Keys need no names of their own: a scenario begins with an empty server."""

    def __init__(self, host: str, port: int, token: str) -> None:
        super().__init__(host, port, token)
        self._clients: list[Any] = []

    def client(self, **options: Any) -> Any:
        """A client on connections of its own; the first one finds the server empty."""
        settings: dict[str, Any] = {"decode_responses": True, "socket_timeout": None}
        made = redis.Redis(host=self.host, port=self.port, **settings | options)
        if not self._clients:
            made.flushall()
            made.config_set("notify-keyspace-events", "")
        self._clients.append(made)
        return made

    def plain(self, value: Any) -> Any:
        """Stream ids that the server makes carry the time."""
        value = super().plain(value)
        return re.sub(r"\b\d{13}-\d+\b", "ID", value) if isinstance(value, str) else value

    def close(self) -> None:
        """Leave the server."""
        for each in self._clients:
            with suppress(redis.RedisError):
                each.close()


PROTOCOL = harness.Protocol(
    broker="redis",
    port=6379,
    real="Redis 7.0.15",
    stage=Stage,
    folder=Path(__file__).parent,
    differences=DIFFERENCES,
)
scenario = PROTOCOL.scenario
