"""What a restart keeps: snapshots (RDB) and the log of writes (AOF).

Three ways to end, and what is there afterwards:

| | `restart`: stopped in good order | `crash`: the process was killed | `power_failure` |
| --- | --- | --- | --- |
| `appendonly yes`, `appendfsync always` | everything | everything | everything |
| `appendonly yes`, `appendfsync everysec` | everything | everything | without the last second |
| `appendonly yes`, `appendfsync no` | everything | everything | without the last half minute |
| `appendonly no`, with save points | everything | the last snapshot | the last snapshot |
| `appendonly no`, `save ""` | the last SAVE | the last SAVE | the last SAVE |

The log is written before a reply leaves, so a killed process has lost nothing that was
acknowledged; what the operating system has not brought to the disk is lost with the power.
[https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/]

The records of `Broker.keep` are the log: a write is one record, a transaction or a script is one
record too, so that half of it is never found. A record has the time it was done at and is done
again at that time, which makes `EXPIRE`, `XADD *` and `BLPOP` what they were; what chance decided
(`SPOP`) is written down as what came of it. A snapshot counts only once its end is there.

To keep a new kind of write, look at `Log.note`; `tests/brokers/redis/test_durable.py` compares the
data of a broker with that of another one made from its records.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from fakeredis._core._database import Item

from sandbox.brokers.redis.values import Library, from_plain, to_plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.brokers.base import Record
    from sandbox.brokers.redis.broker import Broker
    from sandbox.brokers.redis.keyspace import Server

#: Keys as plain data: database, name, type, content, and when it expires (seconds) or None.
Snapshot = list[list[Any]]
#: The form of the records; a later one that cannot be read says so by this number.
FORMAT: Final = 1
#: The number that libraries of functions have instead of a database's.
_FUNCTIONS: Final = -1
#: How long what was written may be missing after a power failure.
SYNC_MS: Final = {"always": 0, "everysec": 1000, "no": 30_000}
#: After so many records the log in memory is begun anew from a snapshot.
_REWRITE_AFTER: Final = 20_000
#: Commands whose effects are noted as the commands they ran.
_WRAPPERS: Final = frozenset(("exec", "eval", "evalsha", "fcall"))


def take(server: Server) -> Snapshot:
    """Everything there is, as plain data."""
    libraries: Snapshot = [
        [_FUNCTIONS, library.name, "library", library.to_plain(), None]
        for library in server.libraries.values()
    ]
    return libraries + [
        [number, key, *to_plain(item.value), item.expireat]
        for number, database in sorted(server.dbs.items())
        for key, item in database.items_now().items()
    ]


def load(server: Server, snapshot: Snapshot) -> None:
    """Make a server hold a snapshot and nothing else.

    Raises:
        ValueError: something in it is no key.
    """
    databases: dict[int, dict[bytes, Any]] = {number: {} for number in server.dbs}
    server.libraries = {}
    for number, key, kind, plain, expireat in snapshot:
        if number == _FUNCTIONS:
            server.libraries[key] = Library.from_plain(key, plain)
            continue
        item = Item(from_plain(kind, plain))
        item.expireat = expireat
        databases.setdefault(number, {})[key] = item
    for number, items in databases.items():
        server.dbs[number].replace(items)


def as_records(snapshot: Snapshot) -> Iterator[Record]:
    """A snapshot as records."""
    yield ["snapshot", FORMAT]
    for each in snapshot:
        yield ["key", *each]
    yield ["end", len(snapshot)]


class Log:
    """The log of writes of one broker, in memory or for whoever keeps it."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self.keep: Callable[[Record], None] | None = None
        #: Whether writes have to be noted.
        self.on = False
        self._words: list[list[Any]] = []
        #: In memory, where a power failure is played: a snapshot and what was done since.
        self._base: Snapshot = []
        self._next_base: tuple[int, Snapshot] | None = None
        self._records: list[Record] = []

    def configure(self) -> None:
        """The settings changed, or who keeps the records."""
        settings = self._broker.settings
        on = settings.appendonly and (
            self.keep is not None or settings.values["appendfsync"] != "always"
        )
        if on and not self.on:
            self._base, self._records = take(self._broker.server), []
            self._next_base = None
        self.on = on

    def note(self, database: int, name: str, arguments: Any, result: Any) -> None:
        """A command changed something."""
        if name in _WRAPPERS:
            return
        words = [*(word.encode() for word in name.split()), *arguments]
        if name == "spop":
            members = result if isinstance(result, list) else [result]
            words = [b"srem", arguments[0], *members]
        self._words.append([database, *words])

    def flush(self) -> None:
        """Make what was noted since the last time one record."""
        if not self._words:
            return
        record: Record = ["do", self._broker.server.now_ms, self._words]
        self._words = []
        if self.keep is not None:
            self.keep(record)
        else:
            self._remember(record)

    def tell(self, records: Iterator[Record] | list[Record]) -> None:
        """Pass on records that are no commands."""
        if self.keep is not None:
            for record in records:
                self.keep(record)

    # -- in memory -----------------------------------------------------------------------------

    def _remember(self, record: Record) -> None:
        self._records.append(record)
        if self._next_base is not None and self._next_base[0] <= self._synced_ms():
            at_ms, self._base = self._next_base
            self._records = [each for each in self._records if each[1] > at_ms]
            self._next_base = None
        elif self._next_base is None and len(self._records) > _REWRITE_AFTER:
            self._next_base = record[1], take(self._broker.server)

    def _synced_ms(self) -> int:
        every = SYNC_MS[self._broker.settings.values["appendfsync"]]
        now_ms = self._broker.server.now_ms
        return now_ms - now_ms % every if every else now_ms

    def synced(self) -> tuple[Snapshot, list[Record]]:
        """What a disk has of the log: a snapshot, and the records after it."""
        end_ms = self._synced_ms()
        return self._base, [record for record in self._records if record[1] < end_ms]


def save_now(broker: Broker) -> None:
    """Take a snapshot, as SAVE does."""
    broker.saved = take(broker.server)
    broker.server.dirty = 0
    broker.server.lastsave = broker.now_ns // 1_000_000_000
    if not broker.settings.appendonly:
        broker.log.tell(as_records(broker.saved))
    broker.trace("snapshot")


def next_save_ns(broker: Broker) -> int | None:
    """When a save point is reached if nothing more is written."""
    dirty = broker.server.dirty
    if not dirty:
        return None
    due = [seconds for seconds, changes in broker.settings.save_points if dirty >= changes]
    # Redis wants more than so many seconds to have passed.
    return (broker.server.lastsave + min(due) + 1) * 1_000_000_000 if due else None


def after_end(broker: Broker, how: str) -> tuple[Snapshot, list[Record]]:
    """What the server has after it ended: a snapshot, and what is to be done again after it."""
    if broker.settings.appendonly:
        if how == "power_failure" and broker.log.on and broker.log.keep is None:
            return broker.log.synced()
        return take(broker.server), []
    if how == "restart" and broker.settings.save_points:
        return take(broker.server), []
    return broker.saved, []


class Reader:
    """Rebuilds a broker from records."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._snapshot: Snapshot | None = None

    def read(self, record: Record) -> None:
        """Take the next record.

        Raises:
            ValueError: it is none that this version knows.
        """
        try:
            self._read(*record)
        except (TypeError, ValueError, IndexError, AttributeError) as error:
            shown = repr(record)[:200]
            raise ValueError(f"Redis cannot restore this record: {shown} ({error})") from error

    def _read(self, kind: str, *rest: Any) -> None:
        if kind == "do":
            at_ms, commands = rest
            self._broker.do_again(at_ms, commands)
        elif kind == "snapshot" and rest == (FORMAT,):
            self._snapshot = []
        elif kind == "key" and self._snapshot is not None:
            number, key, form, plain, expireat = rest
            self._snapshot.append([number, key, form, plain, expireat])
        elif kind == "end" and self._snapshot is not None:
            if rest != (len(self._snapshot),):
                raise ValueError("a snapshot with another number of keys than it should have")
            load(self._broker.server, self._snapshot)
            self._broker.saved, self._snapshot = self._snapshot, None
        elif kind == "config":
            name, value = rest
            self._broker.settings.set(name, value)
        else:
            raise ValueError("no record of this version")
