"""Replication: followers copy the leader's log, and the leader knows what all of them have.

A follower asks its leader for more as soon as there is more; the copy arrives
`replication_delay_ns` later. Whoever lacks something for longer than `replica.lag.time.max.ms` is
in sync no more; whoever has caught up is again. What every in-sync replica has is committed: the
high watermark. [kafka.apache.org/documentation "Replication"; KIP-101 leader epochs; KIP-966]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.brokers.kafka.replica import Assignment, Replica

if TYPE_CHECKING:
    from sandbox.brokers.kafka.cluster import Cluster
    from sandbox.brokers.kafka.topics import Partition

_MS = 1_000_000


class Replication:
    """What keeps the copies of all partitions alike."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        #: Followers whose next copy is on its way.
        self._fetching: dict[Replica, None] = {}
        #: Leaders that look after followers that lack something.
        self._watched: dict[Replica, None] = {}

    # -- what brokers learn --------------------------------------------------------------------

    def learn(self, copy: Replica, assignment: Assignment) -> None:
        """A broker hears from the controller who leads and who is in sync."""
        before, copy.known = copy.known, assignment
        if copy.leads:
            if assignment.epoch != before.epoch:
                now_ns = self._cluster.now_ns
                copy.positions = {}
                copy.behind = {
                    node: now_ns for node in self._followers(copy) if node in assignment.isr
                }
            for node_id in [node for node in copy.behind if node not in assignment.isr]:
                del copy.behind[node_id]
            self._watch(copy)
            self.advance(copy)
            return
        copy.positions, copy.behind = {}, {}
        # Whoever waits for this broker must look for another.
        copy.wake()
        self.fetch_soon(copy)

    def appended(self, leader: Replica) -> None:
        """A leader's log has grown: followers will want it."""
        for node_id in self._followers(leader):
            if node_id in leader.known.isr:
                leader.behind.setdefault(node_id, self._cluster.now_ns)
            follower = leader.partition.copies.get(node_id)
            if follower is not None:
                self.fetch_soon(follower)
        if leader.behind:
            self._watch(leader)
        self.advance(leader)

    def _followers(self, leader: Replica) -> tuple[int, ...]:
        return tuple(node for node in leader.known.replicas if node != leader.node_id)

    # -- following -----------------------------------------------------------------------------

    def _leader_of(self, follower: Replica) -> Replica | None:
        """The leader it can ask: one that both of them know as the leader of the same epoch."""
        if follower.leads or follower.node_id not in follower.known.replicas:
            return None
        leader = follower.partition.copies.get(follower.known.leader)
        if leader is None or not leader.leads or leader.known.epoch != follower.known.epoch:
            return None
        controller = self._cluster.controller
        return leader if controller.talk(leader.node_id, follower.node_id) else None

    def fetch_soon(self, follower: Replica) -> None:
        """Let a follower ask its leader for what it lacks."""
        if follower in self._fetching or self._leader_of(follower) is None:
            return
        self._fetching[follower] = None
        due_ns = self._cluster.now_ns + self._cluster.replication_delay_ns
        self._cluster.timers.at(due_ns, lambda now_ns: self._fetch(follower), housekeeping=False)

    def _fetch(self, follower: Replica) -> None:
        del self._fetching[follower]
        leader = self._leader_of(follower)
        topic = follower.partition.topic
        if leader is None or self._cluster.topics.get(topic.name) is not topic:
            return
        self._compare(follower, leader)
        if follower.log.end_offset < leader.log.start_offset:
            # All that it has is too old: begin anew where the leader begins.
            follower.truncate(follower.log.start_offset)
        if follower.log.start_offset < leader.log.start_offset:
            follower.forget_before(leader.log.start_offset)
        had = follower.log.end_offset
        for batch in leader.log.batches_from(had):
            follower.store(batch)
        follower.log.end_offset = max(follower.log.end_offset, leader.log.end_offset)
        if follower.log.end_offset > had:
            self._cluster.emit(
                "replicate",
                broker=follower.node_id,
                leader=leader.node_id,
                topic=topic.name,
                partition=follower.partition.index,
                offset=had,
                count=follower.log.end_offset - had,
            )
        follower.high_watermark = min(leader.high_watermark, follower.log.end_offset)
        leader.positions[follower.node_id] = follower.log.end_offset
        leader.behind.pop(follower.node_id, None)
        if follower.node_id not in leader.known.isr:
            self._cluster.controller.grow_isr(leader, follower.node_id)
        self.advance(leader)

    def _compare(self, follower: Replica, leader: Replica) -> None:
        """Drop what the follower has and the leader of this epoch has not [KIP-101]."""
        if follower.compared_epoch == follower.known.epoch:
            return
        log = follower.log
        while log.batches:
            epoch = log.batches[-1].leader_epoch
            leaders_epoch, end = leader.log.end_of_epoch(epoch)
            if leaders_epoch == epoch:
                self._truncate(follower, end)
                break
            if leaders_epoch < 0:
                break
            # The leader knows nothing of that epoch: it goes, and the one before is compared.
            own_epoch, own_end = log.end_of_epoch(leaders_epoch)
            self._truncate(follower, min(end, own_end))
            if own_epoch == leaders_epoch:
                break
        self._truncate(follower, leader.log.end_offset)
        follower.compared_epoch = follower.known.epoch

    def _truncate(self, follower: Replica, offset: int) -> None:
        had = follower.log.end_offset
        gone = follower.truncate(offset)
        if gone:
            self._cluster.emit(
                "log.truncate",
                broker=follower.node_id,
                topic=follower.partition.topic.name,
                partition=follower.partition.index,
                offset=follower.log.end_offset,
                count=had - follower.log.end_offset,
            )

    # -- leading -------------------------------------------------------------------------------

    def advance(self, leader: Replica) -> None:
        """Move the high watermark as far as all in-sync replicas have come."""
        known = leader.known
        if len(known.isr) < leader.min_in_sync:
            return
        committed = leader.log.end_offset
        for node_id in known.isr:
            if node_id != leader.node_id:
                committed = min(committed, leader.positions.get(node_id, 0))
        if committed <= leader.high_watermark:
            return
        leader.high_watermark = committed
        for node_id in known.isr:
            # In Kafka the next fetch would tell them; nobody can see the difference.
            copy = leader.partition.copies.get(node_id)
            if copy is not None and not copy.leads and copy.known.epoch == known.epoch:
                copy.high_watermark = min(committed, copy.log.end_offset)
        leader.wake()

    def _watch(self, leader: Replica, after_ns: int = -1) -> None:
        since_ns = [since_ns for since_ns in leader.behind.values() if since_ns > after_ns]
        if leader in self._watched or not since_ns:
            return
        self._watched[leader] = None
        due_ns = min(since_ns) + self._patience_ns()
        self._cluster.timers.at(due_ns, lambda now_ns: self._look(leader), housekeeping=False)

    def _patience_ns(self) -> int:
        return self._cluster.config("replica.lag.time.max.ms") * _MS

    def _look(self, leader: Replica) -> None:
        """Whoever has lacked something for too long is in sync no more."""
        del self._watched[leader]
        if not leader.leads:
            return
        latest_ns = self._cluster.now_ns - self._patience_ns()
        for node_id, since_ns in list(leader.behind.items()):
            # A leader that is cut off cannot decide this alone; it is asked again when it is back.
            if since_ns <= latest_ns and self._cluster.controller.shrink_isr(leader, node_id):
                leader.behind.pop(node_id, None)
        if any(since_ns > latest_ns for since_ns in leader.behind.values()):
            self._watch(leader, latest_ns)


def converge(partition: Partition) -> None:
    """After everything was read back: what all in-sync replicas have is committed."""
    leader = partition.copies.get(partition.leader)
    if leader is None:
        return
    ends = [partition.copies[node].log.end_offset for node in partition.isr]
    leader.high_watermark = max(leader.high_watermark, min(ends, default=0))
