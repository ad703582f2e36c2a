"""The controller: which brokers live, and who leads what.

The brokers' own controllers form a quorum (KRaft in combined mode): decisions need more than half
of them. A broker that is not heard from for `broker.session.timeout.ms` is fenced: it is in sync no
more, and others of the in-sync replicas lead instead. Nobody leads if none of them lives, unless
`unclean.leader.election.enable` lets a replica lead that has not everything.

A broker is `running` or not, and can be `cut_off` from all others while clients still reach it:
then it goes on with what it was told last. To change who becomes leader, change `_elect`.
[kafka.apache.org/documentation "KRaft", "Unclean leader election"; KIP-500, KIP-631]
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from sandbox.brokers.kafka.errors import Code, KafkaError
from sandbox.brokers.kafka.replica import NO_LEADER, Assignment, Replica
from sandbox.brokers.kafka.topics import GROUPS_TOPIC
from sandbox.brokers.timers import Timer

if TYPE_CHECKING:
    from sandbox.brokers.kafka.cluster import Cluster
    from sandbox.brokers.kafka.topics import Partition

_MS = 1_000_000


class Controller:
    """What decides for a cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        #: Registered brokers, by number; whether they run, and whether they count as alive.
        self.running: dict[int, bool] = {}
        self.fenced: dict[int, bool] = {}
        self.cut_off: dict[int, None] = {}
        #: The active controller's broker.
        self.active = NO_LEADER
        #: How often it changed.
        self.term = 0
        self._sessions: dict[int, Timer] = {}
        self._rebalancing = False

    # -- who is there --------------------------------------------------------------------------

    def register(self, node_id: int) -> None:
        """A broker joins the cluster."""
        self.running[node_id] = True
        self.fenced[node_id] = False
        self._choose_active()

    def connected(self, node_id: int) -> bool:
        """Whether a broker runs and reaches the others."""
        return self.running.get(node_id, False) and node_id not in self.cut_off

    def talk(self, one: int, other: int) -> bool:
        """Whether two brokers reach one another."""
        return self.connected(one) and self.connected(other)

    def decides(self) -> bool:
        """Whether more than half of the controllers reach one another."""
        return 2 * sum(self.connected(node) for node in self.running) > len(self.running)

    def alive(self) -> list[int]:
        """The brokers that are not fenced, in order."""
        return [node for node in sorted(self.fenced) if not self.fenced[node]]

    def require(self, node_id: int) -> None:
        """See to it that a broker can have something decided.

        Raises:
            KafkaError: 7, it reaches no controller, or there is none.
        """
        if not (self.decides() and self.connected(node_id)):
            raise KafkaError(
                Code.REQUEST_TIMED_OUT,
                f"broker {node_id} finds no controller: more than half of the brokers must reach"
                " one another for anything to be decided",
            )

    def _choose_active(self) -> None:
        if self.active not in self.running or not self.connected(self.active):
            found = [node for node in sorted(self.running) if self.connected(node)]
            self.active = found[0] if found and self.decides() else NO_LEADER
            self.term += 1

    # -- what happens to brokers ---------------------------------------------------------------

    def stop(self, node_id: int, *, clean: bool) -> None:
        """A broker ends; with `clean` it hands over first what it leads."""
        if not self.running[node_id]:
            return
        handed_over = clean and self.decides() and self.connected(node_id)
        self.running[node_id] = False
        self._choose_active()
        if handed_over:
            self._fence(node_id)
        else:
            self._expect_silence(node_id)

    def start(self, node_id: int) -> None:
        """A broker begins again with what it has on its disk."""
        if self.running[node_id]:
            return
        self.running[node_id] = True
        self._back(node_id)

    def isolate(self, node_id: int) -> None:
        """No other broker reaches this one any more; clients still do."""
        if node_id in self.cut_off:
            return
        self.cut_off[node_id] = None
        self._choose_active()
        if self.running[node_id]:
            self._expect_silence(node_id)

    def heal(self, node_id: int) -> None:
        """Undo `isolate`."""
        if node_id not in self.cut_off:
            return
        del self.cut_off[node_id]
        if self.running[node_id]:
            self._back(node_id)

    def _expect_silence(self, node_id: int) -> None:
        cluster = self._cluster
        self._forget_session(node_id)
        due_ns = cluster.now_ns + cluster.config("broker.session.timeout.ms") * _MS
        self._sessions[node_id] = cluster.timers.at(
            due_ns, lambda now_ns: self._session_ended(node_id), housekeeping=False
        )

    def _forget_session(self, node_id: int) -> None:
        timer = self._sessions.pop(node_id, None)
        if timer is not None:
            timer.cancel()

    def _session_ended(self, node_id: int) -> None:
        self._sessions.pop(node_id, None)
        if not self.connected(node_id) and self.decides():
            self._fence(node_id)

    def _back(self, node_id: int) -> None:
        self._forget_session(node_id)
        self._choose_active()
        if not self.decides():
            return
        # Now that something can be decided again: whoever went while nothing could.
        for other in self.running:
            if not self.connected(other) and other not in self._sessions:
                self._fence(other)
        for other in self.running:
            if self.connected(other):
                self._unfence(other, anew=other == node_id)

    def _fence(self, node_id: int) -> None:
        if self.fenced[node_id]:
            return
        self.fenced[node_id] = True
        self._cluster.emit("broker.fence", broker=node_id)
        self._cluster.happened()
        for partition in self._partitions():
            if node_id in partition.isr or partition.leader == node_id:
                self._without(partition, node_id)
        self._cluster.leaders_changed()

    def _without(self, partition: Partition, node_id: int) -> None:
        """Take a broker out of those in sync; the last one stays, for only it has everything."""
        isr = [node for node in partition.isr if node != node_id] or [node_id]
        if partition.leader == node_id:
            self._elect(partition, isr, f"broker {node_id} is gone")
        elif isr != partition.isr:
            self.change(partition, isr=isr, reason=f"broker {node_id} is gone")

    def _unfence(self, node_id: int, *, anew: bool) -> None:
        if not self.fenced[node_id] and not anew:
            return
        if not self.fenced[node_id]:
            # It was away for less than its session: Kafka ends the old one first.
            self._fence(node_id)
        self.fenced[node_id] = False
        self._cluster.emit("broker.unfence", broker=node_id)
        for partition in self._partitions():
            if node_id not in partition.replicas:
                continue
            if partition.leader == NO_LEADER:
                self._elect(partition, partition.isr, f"broker {node_id} is back")
            self.tell(partition)
        self._cluster.leaders_changed()
        self._rebalance_later()

    def _partitions(self) -> Iterator[Partition]:
        for topic in list(self._cluster.topics.values()):
            yield from topic

    # -- who leads -----------------------------------------------------------------------------

    def _elect(self, partition: Partition, isr: Sequence[int], reason: str) -> None:
        """Let the first replica lead that lives and is in sync, or nobody."""
        able = [n for n in partition.replicas if n in isr and not self.fenced[n]]
        if able:
            self.change(partition, leader=able[0], isr=isr, reason=reason)
            return
        living = [n for n in partition.replicas if not self.fenced[n]]
        if living and partition.topic.config("unclean.leader.election.enable") == "true":
            self.change(partition, leader=living[0], isr=living[:1], reason=f"{reason}; unclean")
        elif partition.leader != NO_LEADER or list(isr) != partition.isr:
            self.change(partition, leader=NO_LEADER, isr=isr, reason=reason)

    def elect_missing(self) -> None:
        """Elect wherever nobody leads and somebody could."""
        for partition in self._partitions():
            if partition.leader == NO_LEADER:
                self._elect(partition, partition.isr, "the brokers are back")
        self._cluster.leaders_changed()

    def elect_preferred(self, partition: Partition) -> None:
        """Let the first of a partition's replicas lead, as was planned.

        Raises:
            KafkaError: 84 it does already; 80 it does not live or is not in sync.
        """
        preferred = partition.replicas[0]
        if partition.leader == preferred:
            raise KafkaError(Code.ELECTION_NOT_NEEDED, "Leader election not needed.")
        if self.fenced[preferred] or preferred not in partition.isr:
            raise KafkaError(
                Code.PREFERRED_LEADER_NOT_AVAILABLE, "The preferred leader was not available."
            )
        self.change(partition, leader=preferred, reason="it is the preferred leader")
        self._cluster.leaders_changed()

    def elect_unclean(self, partition: Partition) -> None:
        """Let any living replica lead a partition that nobody leads; what it lacks is lost.

        Raises:
            KafkaError: 84 somebody leads; 83 nobody lives.
        """
        if partition.leader != NO_LEADER:
            raise KafkaError(Code.ELECTION_NOT_NEEDED, "Leader election not needed.")
        living = [n for n in partition.replicas if not self.fenced[n]]
        if not living:
            raise KafkaError(
                Code.ELIGIBLE_LEADERS_NOT_AVAILABLE, "Eligible topic partition leaders are not"
                " available."
            )  # fmt: skip
        self.change(partition, leader=living[0], isr=living[:1], reason="unclean election")
        self._cluster.leaders_changed()

    def _rebalance_later(self) -> None:
        """Give leadership back to the preferred replicas, now and then."""
        cluster = self._cluster
        if self._rebalancing or cluster.configs["auto.leader.rebalance.enable"] != "true":
            return
        if any(p.leader != p.replicas[0] for p in self._partitions()):
            self._rebalancing = True
            after_ns = cluster.config("leader.imbalance.check.interval.seconds") * 1000 * _MS
            cluster.timers.at(
                cluster.now_ns + after_ns, lambda now_ns: self._rebalance(), housekeeping=True
            )

    def _rebalance(self) -> None:
        self._rebalancing = False
        if self.decides():
            for partition in self._partitions():
                preferred = partition.replicas[0]
                able = preferred in partition.isr and not self.fenced[preferred]
                if able and partition.leader != preferred:
                    self.elect_preferred(partition)
        self._rebalance_later()

    # -- who is in sync ------------------------------------------------------------------------

    def shrink_isr(self, leader: Replica, node_id: int) -> bool:
        """A leader says that a follower lags. Returns: whether it could say so."""
        partition = leader.partition
        if not self._may_change(leader):
            return False
        isr = [node for node in partition.isr if node != node_id]
        self.change(partition, isr=isr, reason=f"broker {node_id} lags")
        return True

    def grow_isr(self, leader: Replica, node_id: int) -> None:
        """A leader says that a follower has caught up."""
        partition = leader.partition
        if not self._may_change(leader) or self.fenced[node_id] or node_id in partition.isr:
            return
        isr = [*partition.isr, node_id]
        self.change(partition, isr=isr, reason=f"broker {node_id} caught up")
        self._finish_move(partition)

    def _may_change(self, leader: Replica) -> bool:
        partition = leader.partition
        return (
            self.decides()
            and self.connected(leader.node_id)
            and partition.leader == leader.node_id
            and partition.leader_epoch == leader.known.epoch
        )

    # -- moving replicas -----------------------------------------------------------------------

    def move(self, partition: Partition, target: Sequence[int] | None) -> None:
        """Let other brokers have a partition; None stops a move that is under way.

        The new ones copy first; the old ones go when all new ones are in sync [KIP-455].
        """
        if target is None:
            partition.target = None
            self._settle_on(partition, partition.before_move)
            return
        if partition.target is None:
            partition.before_move = partition.replicas
        partition.target = list(target)
        both = [*target, *(node for node in partition.replicas if node not in target)]
        self.change(partition, replicas=both, reason="replicas move")
        self._finish_move(partition)

    def _finish_move(self, partition: Partition) -> None:
        target = partition.target
        if target is None or any(node not in partition.isr for node in target):
            return
        partition.target = None
        self._settle_on(partition, target)

    def _settle_on(self, partition: Partition, replicas: Sequence[int]) -> None:
        isr = [node for node in partition.isr if node in replicas]
        leader = partition.leader
        if leader not in replicas:
            leader = next((n for n in replicas if n in isr and not self.fenced[n]), NO_LEADER)
        self.change(partition, leader=leader, isr=isr, replicas=replicas, reason="replicas moved")
        self._cluster.leaders_changed()

    # -- saying so -----------------------------------------------------------------------------

    def change(
        self,
        partition: Partition,
        *,
        leader: int | None = None,
        isr: Sequence[int] | None = None,
        replicas: Sequence[int] | None = None,
        reason: str,
    ) -> None:
        """Decide, write it down, and tell every broker that can be reached."""
        before = partition.assignment
        topic = partition.topic
        new_leader = before.leader if leader is None else leader
        partition.assignment = Assignment(
            new_leader,
            before.epoch + (leader is not None and new_leader != before.leader),
            before.isr if isr is None else tuple(isr),
            before.replicas if replicas is None else tuple(replicas),
        )
        if partition.assignment == before:
            return
        cluster = self._cluster
        cluster.happened()
        if cluster.keep is not None:
            cluster.keep(partition.record())
        partition.place()
        if new_leader != before.leader and not topic.internal:
            cluster.emit(
                "partition.leader",
                topic=topic.name,
                partition=partition.index,
                leader=new_leader,
                former=before.leader,
                epoch=partition.leader_epoch,
                reason=reason,
            )
        if partition.assignment.isr != before.isr and not topic.internal:
            cluster.emit(
                "partition.isr",
                topic=topic.name,
                partition=partition.index,
                isr=list(partition.isr),
                former=list(before.isr),
                reason=reason,
            )
        self.tell(partition)
        if new_leader != before.leader and topic.name == GROUPS_TOPIC:
            cluster.coordinator_moved(partition)

    def tell(self, partition: Partition) -> None:
        """Tell the brokers of a partition what is so: its leader first, for others will ask it."""
        order = sorted(partition.copies, key=lambda node: node != partition.leader)
        for node_id in order:
            if self.connected(node_id):
                self._cluster.replication.learn(partition.copies[node_id], partition.assignment)
