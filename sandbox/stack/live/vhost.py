"""A virtual host for one run, which leaves nothing behind.

It is deleted when its run closes, when Python exits, and, should the machine have lost power in
between, by a later run that finds it an hour old: its name carries the time it was made.
"""

from __future__ import annotations

import atexit
import secrets
import time
import weakref
from contextlib import suppress

from sandbox.stack.base import StackUnavailable
from sandbox.stack.live.management import Management

PREFIX = "sandbox-run"
#: No run takes this long; a virtual host this old has nobody left to delete it.
FORGOTTEN_AFTER_S = 3600.0

_open_vhosts: weakref.WeakSet[VirtualHost] = weakref.WeakSet()


class VirtualHost:
    """A virtual host of our own on the server behind `management`."""

    def __init__(self, management: Management) -> None:
        self._management = management
        self.name = f"{PREFIX}-{int(time.time())}-{secrets.token_hex(4)}"
        self._exists = False

    def create(self) -> None:
        """Create it, with its firehose on.

        Raises:
            StackUnavailable: the management plugin is not there or does not allow it.
        """
        _open_vhosts.add(self)
        self._exists = True  # from here on a failure may have left it half made
        self._management.create_vhost(self.name, "one run of an exercise; deleted afterwards")

    def delete(self) -> None:
        """Delete it and all it holds, connections included. Idempotent."""
        if self._exists:
            self._management.delete_vhost(self.name)
            self._exists = False
        _open_vhosts.discard(self)


def delete_forgotten(management: Management) -> list[str]:
    """Delete the virtual hosts that runs cut short have left behind; return their names."""
    now = time.time()
    forgotten = [name for name in management.vhosts() if _age_s(name, now) > FORGOTTEN_AFTER_S]
    for name in forgotten:
        management.delete_vhost(name)
    return forgotten


def _age_s(name: str, now: float) -> float:
    prefix, _, rest = name.rpartition("-")[0].rpartition("-")
    return now - int(rest) if prefix == PREFIX and rest.isdecimal() else 0.0


@atexit.register
def _delete_the_open_ones() -> None:
    for vhost in list(_open_vhosts):
        with suppress(StackUnavailable):
            vhost.delete()
