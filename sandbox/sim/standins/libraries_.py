"""What client libraries keep in their modules and should keep per process.

Processes of a world share the libraries' modules. Where a library counts (its producers), remembers
(its connection pools, that it is to stop) or takes an object's address for its name, the processes
would meddle with one another, and a trace would depend on the world before. Here each process gets
values of its own for such names; what a library computes with them is the library's affair.

To give processes other state of their own, add a line to one of the tables. What another version of
a library lacks is passed over; a test knows what those of today have.
"""

from __future__ import annotations

import copy
import functools
import itertools
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any

from sandbox.sim.standins import context
from sandbox.sim.standins.sets_ import OrderedFrozenSet, OrderedSet

if TYPE_CHECKING:
    from sandbox.sim.standins.process import InProcess

#: Makes what a new process starts with, of the module and of the value it had outside.
Make = Callable[[ModuleType, Any], Any]


def _same(module: ModuleType, outside: Any) -> Any:
    return outside


def _copy(module: ModuleType, outside: Any) -> Any:
    return copy.copy(outside)


def _new(module: ModuleType, outside: Any) -> Any:
    return type(outside)()


def _count(module: ModuleType, outside: Any) -> Any:
    return itertools.count(1)


def _pool(module: Any, outside: Any) -> Any:
    return type(outside)(limit=module.use_global_limit)


def _pools(module: Any, outside: Any) -> Any:
    return [module.connections, module.producers]


#: Names of modules, or of classes in them, that processes have for themselves.
OWN: Mapping[str, Mapping[str, Make]] = {
    "aiokafka.producer.producer:AIOKafkaProducer": {"_PRODUCER_CLIENT_ID_SEQUENCE": _same},
    "celery._state": {
        "default_app": _same,
        "_on_app_finalizers": _copy,
        "_task_join_will_block": _same,
    },
    "celery.app.log:Logging": {"_setup": _same},
    "celery.utils.log": {"_in_sighandler": _same},
    "celery.utils.timer2:Timer": {"_timer_count": _count},
    "celery.worker.state": {"should_stop": _same, "should_terminate": _same},
    "kafka.producer.kafka": {"PRODUCER_CLIENT_ID_SEQUENCE": _new},
    "kombu.asynchronous.hub": {"_current_loop": _same},
    "kombu.common": {"_node_id": _same},
    "kombu.messaging:Consumer": {"_tags": _count},
    "kombu.transport.virtual.base:Channel": {"_delivery_tags": _count},
    "kombu.pools": {"connections": _pool, "producers": _pool, "_groups": _pools},
}

#: Names of modules whose lists, dicts and sets are emptied for each process: others hold the very
#: same object.
CONTENTS: Mapping[str, tuple[str, ...]] = {
    "celery.worker.state": (
        "active_requests",
        "all_total_count",
        "requests",
        "reserved_requests",
        "scheduled_requests",
        "total_count",
    ),
}

#: Attributes of the objects of a class that processes have for themselves, starting with a copy.
ATTRIBUTES: Mapping[str, tuple[str, ...]] = {
    "celery.utils.dispatch.signal:Signal": ("receivers", "sender_receivers_cache"),
}

#: Modules in which `id` is a number that the process gives: they show it, or sort by it.
NAMES = ("celery.app.utils", "celery.apps.worker", "kombu.asynchronous.timer", "kombu.common")

#: Modules that sleep only to ask again soon. A program that sleeps waits for a time of its own;
#: these wait for news, and a world in which nobody else has any is idle.
POLLERS = ("kafka.consumer.group",)

#: Classes whose destructors send or wait. They do so in the process that made the object, while it
#: lives, and nowhere else: the memory of a process that is gone is nobody's to clean up.
DESTRUCTORS = (
    "celery.result:AsyncResult",
    "kafka.producer.kafka:KafkaProducer",
    "redis.client:PubSub",
)

#: Packages in whose modules a `set` keeps the order in which things were added; see `sets_`.
SETS = frozenset({"aiokafka", "celery", "kafka", "kombu"})

_KEPT = "libraries"
_NUMBERS = "objects' numbers"
_MAKER = "_maker_in_world"

#: What of the above is imported: (its owner, its module, a name, how to make it).
_own: list[tuple[Any, ModuleType, str, Make]] = []
#: The objects of `CONTENTS`, with what a new process finds in them.
_contents: list[tuple[Any, Any]] = []
_seen: set[str] = set()
_looked_at = 0


def adapt() -> None:
    """Do the above for every library that has been imported since the last time."""
    global _looked_at
    if len(sys.modules) == _looked_at:
        return
    _looked_at = len(sys.modules)
    for place, names in OWN.items():
        for owner, module in _found(place, "own"):
            there = [name for name in names if hasattr(owner, name)]
            _own.extend((owner, module, name, names[name]) for name in there)
    for place, kept in CONTENTS.items():
        for owner, _ in _found(place, "contents"):
            values = [getattr(owner, name) for name in kept if hasattr(owner, name)]
            _contents.extend((value, copy.copy(value)) for value in values)
    for place, attributes in ATTRIBUTES.items():
        for owner, _ in _found(place, "attributes"):
            for name in attributes:
                setattr(owner, name, _PerProcess(name))
    for place in NAMES:
        for owner, _ in _found(place, "names"):
            owner.id = number_of
    for place in POLLERS:
        for owner, _ in _found(place, "pollers"):
            owner.time = _PollersTime()
    for place in DESTRUCTORS:
        for owner, _ in _found(place, "destructors"):
            _guard(owner)
    for owner, _ in _found("aiokafka.producer.message_accumulator:BatchBuilder", "methods"):
        owner.append = _dated(owner.append)
    for owner, _ in _found("celery.result:ResultSet", "methods"):
        owner._iter_meta = _metas_in_order
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in SETS and isinstance(module, ModuleType):
            vars(module).setdefault("set", OrderedSet)
            vars(module).setdefault("frozenset", OrderedFrozenSet)


def _found(place: str, table: str) -> list[tuple[Any, ModuleType]]:
    module_name, _, name = place.partition(":")
    module = sys.modules.get(module_name)
    if f"{table} {place}" in _seen or module is None:
        return []
    if getattr(getattr(module, "__spec__", None), "_initializing", False):
        return []
    _seen.add(f"{table} {place}")
    owner = getattr(module, name, None) if name else module
    return [] if owner is None else [(owner, module)]  # another version's may lack it


def occupy(process: InProcess) -> None:
    """The process goes on: its values are shown."""
    if not _own:
        return
    mine: dict[tuple[int, str], Any] = process.kept.setdefault(_KEPT, {})
    outside = []
    for owner, module, name, make in _own:
        value = getattr(owner, name)
        outside.append(value)
        key = (id(owner), name)
        if key not in mine:
            mine[key] = make(module, value)
        setattr(owner, name, mine[key])
    for holder, fresh in _contents:
        outside.append(copy.copy(holder))
        _fill(holder, mine.get((id(holder), "contents"), fresh))
    process.kept[_KEPT, "outside"] = outside, len(_own), len(_contents)


def restore(process: InProcess) -> None:
    """Somebody else goes on: what `occupy` hid is shown again."""
    hidden = process.kept.pop((_KEPT, "outside"), None) if _own else None
    if hidden is None:
        return
    outside, names, holders = hidden
    mine = process.kept[_KEPT]
    for (owner, _, name, _), value in zip(_own[:names], outside, strict=False):
        mine[id(owner), name] = getattr(owner, name)
        setattr(owner, name, value)
    for (holder, _), value in zip(_contents[:holders], outside[names:], strict=True):
        mine[id(holder), "contents"] = copy.copy(holder)
        _fill(holder, value)


def _fill(holder: Any, contents: Any) -> None:
    holder.clear()
    if isinstance(holder, list):
        holder.extend(contents)
    else:
        holder.update(contents)


def number_of(value: Any) -> int:
    """`id`, but in a world the same in every run."""
    process = context.current()
    if process is None:
        return id(value)
    numbers: dict[int, tuple[Any, int]] = process.kept.setdefault(_NUMBERS, {})
    if id(value) not in numbers:
        numbers[id(value)] = (value, process.count("object"))
    return numbers[id(value)][1]


class _PollersTime:
    """The module `time`, whose `sleep` is a wait for something that may come earlier."""

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)

    @staticmethod
    def sleep(seconds: float) -> None:
        """Sleep, as time-outs of locks and sockets do."""
        if context.current() is None:
            time.sleep(seconds)
        else:
            threading.Event().wait(seconds)


def _guard(kind: Any) -> None:
    """Let objects that a process of a world made be destroyed by that process only."""
    make, destroy = kind.__init__, getattr(kind, "__del__", None)
    if destroy is None:
        return

    @functools.wraps(make)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        process = context.current()
        if process is not None:
            self.__dict__[_MAKER] = weakref.ref(process)
        make(self, *args, **kwargs)

    @functools.wraps(destroy)
    def delete(self: Any) -> None:
        maker = self.__dict__.get(_MAKER)
        process = context.current()
        if maker is None or (process is not None and maker() is process and not process.ended):
            destroy(self)

    kind.__init__ = init
    kind.__del__ = delete


def _dated(append: Callable[..., Any]) -> Callable[..., Any]:
    """`BatchBuilder.append` with a time, which its part in C would take from the machine."""

    def append_dated(self: Any, *, timestamp: int | None, **record: Any) -> Any:
        if timestamp is None and context.current() is not None:
            timestamp = int(time.time() * 1000)
        return append(self, timestamp=timestamp, **record)

    return append_dated


def _metas_in_order(self: Any, **kwargs: Any) -> Iterator[Any]:
    """`ResultSet._iter_meta`, which asks for a set of results, in their order."""
    ids = [result.id for result in self.results]
    return (meta for _, meta in self.backend.get_many(ids, max_iterations=1, **kwargs))


class _PerProcess:
    """An attribute that every process has for itself."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: type) -> Any:
        if instance is None:
            return None
        process = context.current()
        values = instance.__dict__
        if process is None:
            return values.get(self._name)
        mine = process.kept.setdefault((_KEPT, self._name), {})
        if id(instance) not in mine:
            mine[id(instance)] = instance, copy.copy(values.get(self._name))
        return mine[id(instance)][1]

    def __set__(self, instance: Any, value: Any) -> None:
        process = context.current()
        if process is None:
            instance.__dict__[self._name] = value
        else:
            mine = process.kept.setdefault((_KEPT, self._name), {})
            mine[id(instance)] = instance, value
