"""What a user may do in a virtual host: three regular expressions over names.

To *configure* is to make and delete, to *write* is to publish into, to *read* is to take from. A
binding writes to what is bound and reads from what it is bound to. The default exchange goes by the
name `amq.default`. [RabbitMQ: "Access Control", the table of operations]
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from sandbox.brokers.amqp.errors import ACCESS_REFUSED, AmqpError

CONFIGURE: Final = "configure"
WRITE: Final = "write"
READ: Final = "read"


class Permission(NamedTuple):
    """Patterns of names; one that matches somewhere allows it, the empty one allows nothing."""

    configure: str = ".*"
    write: str = ".*"
    read: str = ".*"


#: User -> virtual host -> what is allowed there. A user who is not in it may do everything.
Permissions = Mapping[str, Mapping[str, Permission]]


class Access:
    """What one user may do in one virtual host, remembered by name."""

    def __init__(self, user: str, vhost: str, permission: Permission) -> None:
        self._user = user
        self._vhost = vhost
        self._permission = permission
        self._allowed: set[tuple[str, str, str]] = set()

    def check(self, action: str, kind: str, name: str) -> None:
        """Refuse what is not allowed; `kind` is "queue" or "exchange".

        Raises:
            AmqpError: 403.
        """
        if (action, kind, name) in self._allowed:
            return
        known_as = name or ("amq.default" if kind == "exchange" else "")
        pattern: str = getattr(self._permission, action) or "^$"
        if re.search(pattern, known_as) is None:
            text = f"access to {kind} '{known_as}' in vhost '{self._vhost}' refused for user"
            raise AmqpError(ACCESS_REFUSED, f"{text} '{self._user}'")
        if len(self._allowed) < 4096:
            self._allowed.add((action, kind, name))
