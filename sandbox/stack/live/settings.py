"""Where the real RabbitMQ is, and how to say so when an address makes no sense.

Two environment variables, both optional: `AMQP_URL` (amqp://user:password@host:port/vhost) and
`RABBITMQ_MANAGEMENT_URL` (http://host:15672). To add a setting, add a field here.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

from sandbox.native.rabbitmq import RabbitMQ
from sandbox.stack.base import StackUnavailable

DEFAULT_AMQP_URL = "amqp://guest:guest@localhost:5672/"
MANAGEMENT_PORT = 15672


@dataclass(frozen=True)
class Settings:
    """A RabbitMQ: its address, its management plugin's, and who we are there."""

    host: str
    port: int
    user: str
    password: str
    management_url: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read the two variables.

        Raises:
            StackUnavailable: one of them is not an address this stack can use.
        """
        variables = os.environ if environment is None else environment
        amqp = _split("AMQP_URL", variables.get("AMQP_URL") or DEFAULT_AMQP_URL, ("amqp",))
        host = amqp.hostname or "localhost"
        management = (
            variables.get("RABBITMQ_MANAGEMENT_URL")
            or f"http://{_bracketed(host)}:{MANAGEMENT_PORT}"
        )
        _split("RABBITMQ_MANAGEMENT_URL", management, ("http", "https"))
        return cls(
            host=host,
            port=amqp.port or 5672,
            user=unquote(amqp.username or "guest"),
            password=unquote(amqp.password or "guest"),
            management_url=management.rstrip("/"),
        )

    @classmethod
    def of(cls, server: RabbitMQ) -> Settings:
        """A server of ours."""
        return cls("127.0.0.1", server.port, "guest", "guest", server.management_url)

    @property
    def address(self) -> str:
        """host:port, for messages (never with the password)."""
        return f"{_bracketed(self.host)}:{self.port}"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _split(variable: str, url: str, schemes: tuple[str, ...]) -> SplitResult:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  (raises for a port that is not a number)
    except ValueError as error:
        raise StackUnavailable(f"{variable} is not an address: {error}.") from error
    if parts.scheme not in schemes or not parts.hostname:
        wanted = " or ".join(f"{scheme}://" for scheme in schemes)
        raise StackUnavailable(
            f"{variable} must start with {wanted} and name a host, "
            f"for example {DEFAULT_AMQP_URL if 'amqp' in schemes else 'http://localhost:15672'}."
        )
    return parts
