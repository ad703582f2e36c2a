"""Consumer groups: who is a member, who leads, who was assigned what, and committed offsets.

The classic protocol: the members say what they want (join), one of them decides who gets what
(sync), and all of them prove that they live (heartbeat). The states are below;
[kafka.apache.org/protocol "Group membership"; KIP-345 static members; KIP-394 member ids]

```
EMPTY --join--> PREPARING --everybody joined--> COMPLETING --leader's sync--> STABLE
                    ^-- somebody joins, leaves or dies --------------------------|
```
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from sandbox.brokers.kafka.errors import Code, KafkaError

if TYPE_CHECKING:
    from sandbox.brokers.base import Record
    from sandbox.brokers.kafka.cluster import Cluster
    from sandbox.brokers.kafka.connection import Connection, Request
    from sandbox.brokers.timers import Timer

_MS = 1_000_000


class GroupState(Enum):
    """Named as Kafka's tools print them."""

    EMPTY = "Empty"
    PREPARING = "PreparingRebalance"
    COMPLETING = "CompletingRebalance"
    STABLE = "Stable"
    DEAD = "Dead"


@dataclass(frozen=True, slots=True)
class Committed:
    """How far a group has come in one partition."""

    offset: int
    leader_epoch: int = -1
    metadata: str = ""


@dataclass(eq=False, slots=True)
class Member:
    """One consumer of a group."""

    member_id: str
    instance_id: str | None
    client_id: str
    peer: str
    session_ms: int
    rebalance_ms: int
    protocols: list[tuple[str, bytes]]
    #: None: the broker has been away, and the member has not spoken since.
    connection: Connection | None
    assignment: bytes = b""
    join: Request | None = None
    sync: Request | None = None
    deadline_ns: int = 0
    timer: Timer | None = None

    def metadata(self, protocol: str) -> bytes:
        """What it said about itself under this protocol."""
        return next((data for name, data in self.protocols if name == protocol), b"")


@dataclass(eq=False)
class Group:
    """One group. Its members are changed by `membership.py`."""

    group_id: str
    state: GroupState = GroupState.EMPTY
    generation: int = 0
    protocol_type: str = ""
    protocol: str = ""
    leader: str = ""
    members: dict[str, Member] = field(default_factory=dict)
    #: Member ids that were given out and not used yet, with the timers that forget them.
    pending: dict[str, Timer] = field(default_factory=dict)
    #: Static members by instance id.
    static: dict[str, str] = field(default_factory=dict)
    offsets: dict[tuple[str, int], Committed] = field(default_factory=dict)
    #: Offsets that count once their transaction commits, by producer id.
    undecided: dict[int, dict[tuple[str, int], Committed]] = field(default_factory=dict)
    rebalance_timer: Timer | None = None
    #: What was last written down about it: the generation that has its assignment.
    kept: list[Any] | None = None

    def member(self, member_id: str, instance_id: str | None = None) -> Member:
        """A member by id.

        Raises:
            KafkaError: 25 there is none; 82 another process took over its instance id.
        """
        if instance_id is not None and instance_id in self.static:
            if self.static[instance_id] != member_id:
                raise KafkaError(
                    Code.FENCED_INSTANCE_ID,
                    f"another process is the member {instance_id} of group {self.group_id}",
                )
        elif instance_id is not None and member_id not in self.members:
            raise KafkaError(Code.UNKNOWN_MEMBER_ID)
        member = self.members.get(member_id)
        if member is None:
            raise KafkaError(
                Code.UNKNOWN_MEMBER_ID, f"{member_id!r} is no member of group {self.group_id}"
            )
        return member

    def check_commit(self, member_id: str, instance_id: str | None, generation: int) -> None:
        """Whether this member may commit offsets now.

        Raises:
            KafkaError: 25, 22, 27 or 82.
        """
        if generation < 0 and not member_id and self.state is GroupState.EMPTY:
            return
        if generation < 0 and not member_id and not self.members:
            return
        self.member(member_id, instance_id)
        if generation != self.generation:
            raise KafkaError(
                Code.ILLEGAL_GENERATION,
                f"generation {generation} is over, it is {self.generation} now",
            )
        if self.state is GroupState.COMPLETING:
            raise KafkaError(Code.REBALANCE_IN_PROGRESS)

    def subscribed_topics(self) -> set[str]:
        """The topics its members said they consume; empty if they are not consumers."""
        names: set[str] = set()
        for member in self.members.values():
            for _, metadata in member.protocols:
                names.update(_topics_in(metadata))
        return names


def _topics_in(metadata: bytes) -> Iterator[str]:
    """Read the topics from a consumer's subscription: version, then strings [ConsumerProtocol]."""
    count = int.from_bytes(metadata[2:6], "big", signed=True)
    at = 6
    for _ in range(max(count, 0)):
        length = int.from_bytes(metadata[at : at + 2], "big")
        name = metadata[at + 2 : at + 2 + length]
        if len(name) != length:
            return
        at += 2 + length
        yield name.decode(errors="replace")


class Groups:
    """All groups of a cluster, by id."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._groups: dict[str, Group] = {}

    def __iter__(self) -> Iterator[Group]:
        return iter(self._groups.values())

    def __getitem__(self, group_id: str) -> Group:
        return self._groups[group_id]

    def get(self, group_id: str) -> Group | None:
        """A group, if there is one of that name."""
        return self._groups.get(group_id)

    def existing(self, group_id: str) -> Group:
        """A group.

        Raises:
            KafkaError: 69, there is none of that name.
        """
        group = self._groups.get(group_id)
        if group is None:
            raise KafkaError(Code.GROUP_ID_NOT_FOUND, f"Group {group_id} not found.")
        return group

    def create(self, group_id: str) -> Group:
        """A group, new if there is none of that name."""
        return self._groups.setdefault(group_id, Group(group_id))

    def delete(self, group_id: str) -> None:
        """Delete a group that has no members.

        Raises:
            KafkaError: 69 there is none; 68 it has members.
        """
        group = self.existing(group_id)
        if group.members or group.pending:
            raise KafkaError(Code.NON_EMPTY_GROUP, "The group is not empty.")
        group.state = GroupState.DEAD
        self.forget(group_id)
        self._cluster.record("group.delete", group_id)
        self._cluster.emit("group.delete", group=group_id)

    def forget(self, group_id: str) -> None:
        """Take a group out, if there is one of that name."""
        self._groups.pop(group_id, None)

    def forget_topic(self, name: str) -> None:
        """A topic is gone: so is what was committed for it."""
        for group in self._groups.values():
            for key in [key for key in group.offsets if key[0] == name]:
                del group.offsets[key]
            for held in group.undecided.values():
                for key in [key for key in held if key[0] == name]:
                    del held[key]

    def has_member_at(self, connection: Connection) -> bool:
        """Whether a member uses this connection."""
        return any(
            member.connection is connection
            for group in self._groups.values()
            for member in group.members.values()
        )

    def connection_lost(self, connection: Connection, now_ns: int) -> None:
        """A member's client is gone: that its session ends is now something to wait for."""
        for group in self._groups.values():
            for member in group.members.values():
                if member.connection is connection and member.timer is not None:
                    if member.timer.action is None:
                        continue
                    action = member.timer.action
                    member.timer.cancel()
                    member.timer = self._cluster.timers.at(
                        max(member.deadline_ns, now_ns), action, housekeeping=False
                    )


def describe(group: Group) -> list[dict[str, Any]]:
    """The members of a group as tools show them."""
    return [
        {
            "member_id": member.member_id,
            "group_instance_id": member.instance_id,
            "client_id": member.client_id,
            "client_host": f"/{member.peer.rpartition(':')[0] or member.peer}",
            "member_metadata": member.metadata(group.protocol),
            "member_assignment": member.assignment,
        }
        for member in group.members.values()
    ]


def offset_record(group_id: str, topic: str, index: int, committed: Committed) -> Record:
    """How far a group has come."""
    epoch, metadata = committed.leader_epoch, committed.metadata
    return ["offset", group_id, topic, index, committed.offset, epoch, metadata]


def pending_record(
    group_id: str, producer_id: int, held: Mapping[tuple[str, int], Committed]
) -> Record:
    """How far a group will have come if a transaction commits."""
    rows = [
        [topic, index, each.offset, each.leader_epoch, each.metadata]
        for (topic, index), each in held.items()
    ]
    return ["offset.pending", group_id, producer_id, rows]


def group_record(group: Group) -> Record:
    """A group's generation, as Kafka writes it down when the members have their assignment."""
    members = [
        [
            member.member_id,
            member.instance_id,
            member.client_id,
            member.peer,
            member.session_ms,
            member.rebalance_ms,
            [[name, metadata] for name, metadata in member.protocols],
            member.assignment,
        ]
        for member in group.members.values()
    ]
    return [
        "group",
        group.group_id,
        group.generation,
        group.protocol_type,
        group.protocol,
        group.leader,
        members,
    ]
