"""How a broker ends and begins again, and the records that outlive it.

What is kept is decided in `durability.py`; here it is done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, cast

from sandbox.brokers.redis.borrowed import lend
from sandbox.brokers.redis.durability import (
    Log,
    Reader,
    Snapshot,
    after_end,
    as_records,
    load,
    take,
)
from sandbox.brokers.redis.performing import Performing
from sandbox.brokers.redis.session import WouldBlock

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from random import Random

    from sandbox.brokers.base import Record
    from sandbox.brokers.redis.broker import Broker
    from sandbox.brokers.redis.connection import Connection
    from sandbox.brokers.redis.keyspace import Server
    from sandbox.brokers.redis.session import Session


class Lasting(Performing):
    """The part of a broker that outlives its end: `sandbox.brokers.base.Durable`."""

    random: Random
    epoch_ns: int
    connections: dict[Connection, None]

    if TYPE_CHECKING:  # what the whole broker has

        def acting(self, now_ns: int) -> AbstractContextManager[None]:
            """Act at this time."""

        def settings_changed(self) -> None:
            """Look at the settings anew."""

        def administrator(self) -> Session:
            """Return a session for ourselves."""

        def _new_server(self) -> Server:
            """Return an empty server."""

    def __init__(self) -> None:
        super().__init__()
        self.log = Log(cast("Broker", self))
        #: The last snapshot, as SAVE took it.
        self.saved: Snapshot = []
        self.started_ns = 0

    def restart(self, now_ns: int) -> None:
        """Stop in good order and start again; what is kept, `durability` says."""
        self._end(now_ns, "restart")

    def crash(self, now_ns: int) -> None:
        """As `restart`, but as if the process was killed."""
        self._end(now_ns, "crash")

    def power_failure(self, now_ns: int) -> None:
        """As `restart`, but as if the machine lost its power."""
        self._end(now_ns, "power_failure")

    def _end(self, now_ns: int, how: str) -> None:
        with self.acting(now_ns):
            self.trace("broker.restart", crash=how != "restart", how=how)
            snapshot, records = after_end(cast("Broker", self), how)
            for connection in list(self.connections):
                connection.close()
            self.activity += 1
            self.counts.clear()
            self.slow.clear()
            self.server = self._new_server()
            load(self.server, snapshot)
            self.started_ns = self.now_ns
            if how == "restart" and self.settings.save_points:
                self.saved = snapshot
                if not self.settings.appendonly:
                    self.log.tell(as_records(snapshot))
            self.log.on = False
            self.memory = None
            for record in records:
                self.do_again(record[1], record[2])
            self.settings_changed()
        with self.acting(now_ns):
            self.server.touched.clear()

    # -- what outlives the process: `sandbox.brokers.base.Durable` ----------------------------

    @property
    def keep(self) -> Callable[[Record], None] | None:
        """Called with every change of what a restart would keep."""
        return self.log.keep

    @keep.setter
    def keep(self, keep: Callable[[Record], None] | None) -> None:
        self.log.keep = keep
        self.log.configure()

    def snapshot(self) -> Iterator[Record]:
        """Records that rebuild what a restart would keep at this moment."""
        for name, value in self.settings.changed():
            yield ["config", name, value]
        yield from as_records(take(self.server) if self.settings.appendonly else self.saved)

    def restore(self, records: Iterable[Record], now_ns: int) -> None:
        """Rebuild what the records tell, in a broker that has just been made.

        Raises:
            ValueError: a record is not known; the sentence shows it.
        """
        now_ns += self.epoch_ns
        keep, observe, self.log.keep, self.observe = self.log.keep, self.observe, None, None
        self.log.on = False
        try:
            reader = Reader(cast("Broker", self))
            with lend(self.now_ns, self.random):
                for record in records:
                    reader.read(record)
        finally:
            self.log.keep, self.observe = keep, observe
        self.now_ns = max(self.now_ns, now_ns)
        with lend(self.now_ns, self.random):
            self.server.set_time(self.now_ns)
            for database in self.server.dbs.values():
                self.server.expire_due(database)
            self.server.touched.clear()
            self.server.dirty = 0
            self.server.lastsave = self.now_ns // 1_000_000_000
            self.settings_changed()

    def do_again(self, at_ms: int, commands: list[list[Any]]) -> None:
        """Do what a record of the log tells, at the time it was done at.

        Raises:
            ValueError: a command would wait, so the data is not what it was then.
        """
        session = self.administrator()
        with lend(at_ms * 1_000_000, self.random):
            self.server.set_time(at_ms * 1_000_000)
            for database in self.server.dbs.values():
                self.server.expire_due(database)
            for number, *words in commands:
                session.select(number)
                try:
                    session.run(words)
                except WouldBlock:
                    raise ValueError(f"{words[0]!r} found nothing to take") from None
            self.server.touched.clear()
