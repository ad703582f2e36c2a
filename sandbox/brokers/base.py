"""What every broker looks like to the thing that carries its bytes.

A broker is *sans-IO*: bytes go in with the time they arrived, bytes come out when asked for. It
never opens a socket, reads a clock, starts a thread or draws a random number of its own. The same
object therefore serves the simulated world and real TCP ports, and a test can play a whole
conversation without either.

Times are integer nanoseconds on the carrier's clock (`now_ns`). The carrier promises that `now_ns`
never decreases, that it calls `handle_timer` once `next_timer()` is due, and that after every call
into the broker it drains `take_writable()`.

To add a broker, implement these two protocols in a folder of its own beside `amqp`; `carrying` has
the part that is the same in all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

#: Called by a broker for everything worth showing in a trace: a kind such as "basic.deliver" and
#: plain data (numbers, strings, bytes, booleans, None, and lists or dicts of them).
Observer = Callable[[str, Mapping[str, Any]], None]

#: A change of a broker's durable state: a word that names it, then plain data that MessagePack can
#: write (numbers, text, bytes, booleans, None, lists and dicts of them).
Record = list[Any]


class Connection(Protocol):
    """One client's byte stream, as the broker sees it."""

    @property
    def closing(self) -> bool:
        """True once the carrier should send what is left and close the transport."""
        ...

    @property
    def subscribed(self) -> bool:
        """True while the client waits for messages: it has a consumer or a subscription, or it
        asked for a message and there was none.
        """
        ...

    def receive_data(self, data: bytes, now_ns: int) -> None:
        """Take bytes from the client, any number of them, cut anywhere."""
        ...

    def data_to_send(self) -> bytes:
        """Return the bytes that wait for this client, and forget them."""
        ...

    def connection_lost(self, now_ns: int) -> None:
        """The client's end of the transport is gone: closed, reset or killed. Idempotent."""
        ...


class Paced(Connection, Protocol):
    """A connection of a broker that can wait with what it has to say.

    For clients that are slower than what they are sent: the broker keeps messages in their queues
    instead of handing the carrier bytes without end. Only for carriers that ask for it.
    """

    #: How many bytes may be handed over before the carrier says `keeps_up`; None: any number.
    window_bytes: int | None

    @property
    def withholds(self) -> bool:
        """True while there is more to say, once the client keeps up."""
        ...

    def keeps_up(self, now_ns: int) -> None:
        """Everything handed over up to now is on its way: more may follow."""
        ...


class Broker(Protocol):
    """A server: many connections, and what they share."""

    @property
    def activity(self) -> int:
        """A count that changes with everything but housekeeping: heartbeats, and questions that
        are answered with "nothing new". Only compared.
        """
        ...

    def connect(self, peer: str, now_ns: int) -> Connection:
        """Accept a client; `peer` is a name for people, such as `"worker:49152"`."""
        ...

    def take_writable(self) -> Sequence[Connection]:
        """Return the connections that gained bytes or began closing since the last call.

        Oldest change first, each at most once. Acting on one connection often gives another
        something to say.
        """
        ...

    def next_timer(self) -> int | None:
        """When `handle_timer` must be called next, in nanoseconds, or None."""
        ...

    def next_event_timer(self) -> int | None:
        """As `next_timer`, leaving out housekeeping such as heartbeats.

        A world in which nothing but housekeeping is due is idle.
        """
        ...

    def handle_timer(self, now_ns: int) -> None:
        """Do everything that is due at `now_ns`."""
        ...

    def restart(self, now_ns: int) -> None:
        """Lose every connection and keep only what a restart of the real server would keep."""
        ...


class Node(Broker, Protocol):
    """A broker that is one of several, or that must know that it is away.

    The carrier treats all `nodes` as one: after a call into any of them it drains `take_writable()`
    of each and asks each for `next_timer()`. Every node has its own connections.
    """

    @property
    def nodes(self) -> Sequence[Broker]:
        """All brokers of the cluster, this one among them."""
        ...

    def stop(self, now_ns: int) -> None:
        """End in an orderly way: connections break, others take over. Idempotent."""
        ...

    def crash(self, now_ns: int) -> None:
        """End as if killed: the others find out by its silence. Idempotent."""
        ...

    def start(self, now_ns: int) -> None:
        """Begin again with what survived. Idempotent."""
        ...


class Durable(Protocol):
    """A broker whose durable state can outlive the interpreter that holds it.

    Whoever keeps the records decides when they are safe; it must be before it sends what
    `data_to_send` returned after they were made.
    """

    #: Called with every change of what a restart would keep, in order, before the bytes that
    #: confirm it can be taken with `data_to_send`. None: nobody keeps them.
    keep: Callable[[Record], None] | None

    def snapshot(self) -> Iterator[Record]:
        """Records that rebuild the durable state of this moment in a new broker."""
        ...

    def restore(self, records: Iterable[Record], now_ns: int) -> None:
        """Rebuild what the records tell, in a broker that has just been made.

        Makes no records itself. Raises `ValueError`, naming the record, for one it does not know.
        """
        ...
