"""What a restart keeps: snapshots (RDB) and the log of writes (AOF).

- With `appendonly yes`, what was acknowledged is kept, whether the server stopped or was killed: a
  write reaches the log before its reply leaves.
- Without it, an orderly stop takes a snapshot if any save point is set, and a crash throws the
  data back to the last snapshot: SAVE, BGSAVE, or a save point that was reached.
- With neither, nothing is kept.

A power failure, where even `appendfsync everysec` loses a second, is not played.
[https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/]
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.brokers.redis.broker import Broker

#: Databases by number, keys with their items.
Snapshot = dict[int, dict[bytes, Any]]


def take(broker: Broker) -> Snapshot:
    """Copy everything there is."""
    # References from values to their database (none today) must not drag the server along.
    return {number: deepcopy(db.items_now()) for number, db in broker.server.dbs.items()}


def save_now(broker: Broker) -> None:
    """Take a snapshot, as SAVE does."""
    broker.snapshot = take(broker)
    broker.server.dirty = 0
    broker.server.lastsave = broker.now_ns // 1_000_000_000
    broker.trace("snapshot")


def next_save_ns(broker: Broker) -> int | None:
    """When a save point is reached if nothing more is written."""
    dirty = broker.server.dirty
    due = [seconds for seconds, changes in broker.settings.save_points if dirty >= changes]
    if not due or not dirty:
        return None
    # Redis wants more than so many seconds to have passed.
    return (broker.server.lastsave + min(due) + 1) * 1_000_000_000


def after_restart(broker: Broker, *, crash: bool) -> Snapshot:
    """What the server has after a restart."""
    if broker.settings.appendonly:
        return take(broker)
    if not crash:
        return take(broker) if broker.settings.save_points else deepcopy(broker.snapshot)
    return deepcopy(broker.snapshot)
