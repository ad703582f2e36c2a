"""Who changes something: a client's channel, a request over HTTP, or the administrator.

An exclusive queue compares its owner with the actor's connection, permissions go by `access`, and
events name `peer` and `channel`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from sandbox.brokers.amqp.permissions import Access


class Actor(NamedTuple):
    """Who changes something: a client's channel, or (all None) an administrator."""

    connection: object | None = None
    peer: str | None = None
    channel: int | None = None
    access: Access | None = None

    def may(self, action: str, kind: str, name: str) -> None:
        """Check a permission.

        Raises:
            AmqpError: 403.
        """
        if self.access is not None:
            self.access.check(action, kind, name)


ADMINISTRATOR: Final = Actor()
