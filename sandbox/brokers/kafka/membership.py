"""Rebalancing: how members come, agree, and go.

Everything that changes who belongs to a group is here. A join or a sync is answered when the whole
group is ready, so both are kept with the member until then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.brokers.kafka.errors import Code, KafkaError
from sandbox.brokers.kafka.groups import Group, GroupState, Member, group_record

if TYPE_CHECKING:
    from sandbox.brokers.kafka.cluster import Cluster
    from sandbox.brokers.kafka.connection import Request

_MS = 1_000_000


class Membership:
    """One group's members, as the broker that coordinates it sees them."""

    def __init__(self, cluster: Cluster, group: Group) -> None:
        self.cluster = cluster
        self.group = group

    # -- joining -------------------------------------------------------------------------------

    def join(self, request: Request) -> None:
        """Take a join; it is answered when the rebalance is over, or at once if there is none.

        Raises:
            KafkaError: 23 no protocol in common; 25; 26; 79 with the id to join with; 82.
        """
        body, group = request.body, self.group
        lowest = self.cluster.config("group.min.session.timeout.ms")
        highest = self.cluster.config("group.max.session.timeout.ms")
        if not lowest <= body.session_timeout_ms <= highest:
            raise KafkaError(
                Code.INVALID_SESSION_TIMEOUT,
                f"a session of {body.session_timeout_ms} ms; allowed are {lowest} to {highest}",
            )
        protocols = [(each.name, bytes(each.metadata)) for each in body.protocols]
        self._check_protocols(body.protocol_type, protocols, body.member_id)
        instance_id = body.group_instance_id if request.version >= 5 else None
        if body.member_id:
            if body.member_id in group.pending:
                group.pending.pop(body.member_id).cancel()
                self._add(request, body.member_id, None, protocols)
            else:
                member = group.member(body.member_id, instance_id)
                self._rejoin(member, request, protocols)
        elif instance_id is not None and instance_id in group.static:
            self._replace_static(request, instance_id, protocols)
        elif instance_id is None and request.version >= 4:
            member_id = self._new_member_id(request, None)
            due_ns = request.now_ns + body.session_timeout_ms * _MS
            group.pending[member_id] = self.cluster.timers.at(
                due_ns, lambda now_ns: self._forget_pending(member_id), housekeeping=True
            )
            request.answer(refused_join(Code.MEMBER_ID_REQUIRED, member_id))
        else:
            self._add(request, self._new_member_id(request, instance_id), instance_id, protocols)

    def _check_protocols(
        self, protocol_type: str, protocols: list[tuple[str, bytes]], member_id: str
    ) -> None:
        group = self.group
        others = [m for m in group.members.values() if m.member_id != member_id]
        offered = {name for name, _ in protocols}
        for member in others:
            offered &= {name for name, _ in member.protocols}
        if not protocol_type or not offered or (others and protocol_type != group.protocol_type):
            raise KafkaError(
                Code.INCONSISTENT_GROUP_PROTOCOL,
                "the members of a group need an assignment strategy that all of them know",
            )

    def _new_member_id(self, request: Request, instance_id: str | None) -> str:
        return f"{instance_id or request.call.client_id}-{self.cluster.new_uuid()}"

    def _forget_pending(self, member_id: str) -> None:
        self.group.pending.pop(member_id, None)
        self._complete_if_all_joined()

    def _add(
        self,
        request: Request,
        member_id: str,
        instance_id: str | None,
        protocols: list[tuple[str, bytes]],
    ) -> None:
        group, body = self.group, request.body
        rebalance_ms = (
            body.rebalance_timeout_ms if request.version >= 1 else body.session_timeout_ms
        )
        member = Member(
            member_id,
            instance_id,
            request.call.client_id,
            request.peer,
            body.session_timeout_ms,
            rebalance_ms,
            protocols,
            request.connection,
        )
        group.protocol_type = body.protocol_type
        group.members[member_id] = member
        if instance_id is not None:
            group.static[instance_id] = member_id
        self._trace("group.join", member=member_id, instance=instance_id, connection=request.peer)
        member.join = request
        self.cluster.happened()
        self.keep_alive(member, request)
        self.prepare_rebalance("a member joined")

    def _rejoin(self, member: Member, request: Request, protocols: list[tuple[str, bytes]]) -> None:
        group = self.group
        unchanged = protocols == member.protocols
        self.keep_alive(member, request)
        if group.state is GroupState.PREPARING:
            member.protocols, member.join = protocols, request
            self._complete_if_all_joined()
        elif unchanged and (
            group.state is GroupState.COMPLETING
            or (group.state is GroupState.STABLE and member.member_id != group.leader)
        ):
            request.answer(self._joined(member))
        else:
            member.protocols, member.join = protocols, request
            self.cluster.happened()
            self.prepare_rebalance("a member joined again")

    def _replace_static(
        self, request: Request, instance_id: str, protocols: list[tuple[str, bytes]]
    ) -> None:
        """A static member is back under a new id: nothing need move, if it wants what it had."""
        group = self.group
        old_id = group.static[instance_id]
        member = group.members.pop(old_id)
        former_leader = group.leader
        for waiting in (member.join, member.sync):
            if waiting is not None:
                values = {"error_code": Code.FENCED_INSTANCE_ID}
                is_join = waiting is member.join
                waiting.answer(refused_join(Code.FENCED_INSTANCE_ID, old_id) if is_join else values)
        unchanged = dict(protocols).get(group.protocol) == member.metadata(group.protocol)
        member.member_id = self._new_member_id(request, instance_id)
        member.join = member.sync = None
        member.client_id, member.peer = request.call.client_id, request.peer
        member.protocols = protocols
        group.members[member.member_id] = member
        group.static[instance_id] = member.member_id
        if group.leader == old_id:
            group.leader = member.member_id
        self._trace(
            "group.join", member=member.member_id, instance=instance_id, connection=request.peer
        )
        self.cluster.happened()
        self.keep_alive(member, request)
        if group.state is GroupState.STABLE and unchanged:
            self._keep()
            answer = self._joined(member)
            if request.version >= 9:
                answer["skip_assignment"] = group.leader == member.member_id
            else:
                # An old client that leads must not assign anew: it is told that another one leads.
                answer["leader"], answer["members"] = former_leader, []
            request.answer(answer)
        else:
            member.join = request
            self.prepare_rebalance("a static member came back")

    # -- rebalancing ---------------------------------------------------------------------------

    def prepare_rebalance(self, reason: str) -> None:
        """Ask everybody to join again; go on when all have, or their time is up."""
        group = self.group
        if group.state is GroupState.PREPARING:
            self._complete_if_all_joined()
            return
        was_empty = group.state is GroupState.EMPTY
        for member in group.members.values():
            if member.sync is not None:
                waiting, member.sync = member.sync, None
                waiting.answer({"error_code": Code.REBALANCE_IN_PROGRESS})
        group.state = GroupState.PREPARING
        self._trace("group.rebalance", reason=reason, generation=group.generation)
        delay_ms = self.cluster.config("group.initial.rebalance.delay.ms") if was_empty else 0
        if delay_ms:
            self._arm(delay_ms)
            return
        self._arm(max((m.rebalance_ms for m in group.members.values()), default=0))
        self._complete_if_all_joined()

    def _arm(self, after_ms: int) -> None:
        group = self.group
        if group.rebalance_timer is not None:
            group.rebalance_timer.cancel()
        group.rebalance_timer = self.cluster.timers.at(
            self.cluster.now_ns + after_ms * _MS,
            lambda now_ns: self._complete_join(),
            housekeeping=False,
        )

    def _complete_if_all_joined(self) -> None:
        group = self.group
        if group.state is not GroupState.PREPARING or group.pending:
            return
        if all(member.join is not None for member in group.members.values()):
            self._complete_join()

    def _complete_join(self) -> None:
        """The time to join is over: a new generation of those who did."""
        group = self.group
        if group.state is not GroupState.PREPARING:
            return
        if self.cluster.coordinator(group.group_id) is None:
            self._arm(1000)
            return
        if group.rebalance_timer is not None:
            group.rebalance_timer.cancel()
        for member in [m for m in group.members.values() if m.join is None]:
            if member.instance_id is None:
                self._drop(member, "did not join again in time")
        group.generation += 1
        if not group.members:
            group.state = GroupState.EMPTY
            group.protocol, group.leader = "", ""
            self._keep()
            self._trace("group.empty", generation=group.generation)
            return
        group.state = GroupState.COMPLETING
        group.protocol = self._vote()
        if group.leader not in group.members:
            group.leader = next(
                (m.member_id for m in group.members.values() if m.join is not None),
                next(iter(group.members)),
            )
        self._trace(
            "group.generation",
            generation=group.generation,
            protocol=group.protocol,
            leader=group.leader,
            members=list(group.members),
        )
        for member in list(group.members.values()):
            waiting, member.join = member.join, None
            if waiting is not None:
                self._restart_session(member)
                waiting.answer(self._joined(member))

    def _vote(self) -> str:
        """The strategy most members like best, of those that all of them know."""
        members = list(self.group.members.values())
        common = [
            name
            for name, _ in members[0].protocols
            if all(any(name == other for other, _ in m.protocols) for m in members)
        ]
        votes = dict.fromkeys(common, 0)
        for member in members:
            votes[next(name for name, _ in member.protocols if name in votes)] += 1
        return max(common, key=lambda name: votes[name])

    def _joined(self, member: Member) -> dict[str, Any]:
        group = self.group
        leads = group.leader == member.member_id
        members = [
            {
                "member_id": each.member_id,
                "group_instance_id": each.instance_id,
                "metadata": each.metadata(group.protocol),
            }
            for each in group.members.values()
        ]
        return {
            "error_code": Code.NONE,
            "generation_id": group.generation,
            "protocol_type": group.protocol_type,
            "protocol_name": group.protocol,
            "leader": group.leader,
            "member_id": member.member_id,
            "members": members if leads else [],
        }

    def sync(self, request: Request) -> None:
        """Take a sync; it is answered when the leader has said who gets what.

        Raises:
            KafkaError: 22, 23, 25, 27 or 82.
        """
        body, group = request.body, self.group
        member = self._checked(request)
        if request.version >= 5 and (
            body.protocol_type not in (None, group.protocol_type)
            or body.protocol_name not in (None, group.protocol)
        ):
            raise KafkaError(Code.INCONSISTENT_GROUP_PROTOCOL)
        if group.state is GroupState.PREPARING:
            raise KafkaError(Code.REBALANCE_IN_PROGRESS)
        self.keep_alive(member, request)
        if group.state is GroupState.STABLE:
            request.answer(self._synced(member))
            return
        member.sync = request
        if member.member_id != group.leader:
            return
        given = {each.member_id: bytes(each.assignment) for each in body.assignments}
        for each in group.members.values():
            each.assignment = given.get(each.member_id, b"")
        group.state = GroupState.STABLE
        self._keep()
        self.cluster.happened()
        self._trace("group.stable", generation=group.generation, members=list(group.members))
        for each in list(group.members.values()):
            waiting, each.sync = each.sync, None
            if waiting is not None:
                waiting.answer(self._synced(each))

    def _synced(self, member: Member) -> dict[str, Any]:
        return {
            "error_code": Code.NONE,
            "protocol_type": self.group.protocol_type,
            "protocol_name": self.group.protocol,
            "assignment": member.assignment,
        }

    # -- staying and leaving -------------------------------------------------------------------

    def heartbeat(self, request: Request) -> None:
        """Take a sign of life.

        Raises:
            KafkaError: 22, 25, 82; 27 tells the member to join again.
        """
        member = self._checked(request)
        self.keep_alive(member, request)
        if self.group.state is GroupState.PREPARING:
            raise KafkaError(Code.REBALANCE_IN_PROGRESS)
        request.answer({"error_code": Code.NONE})

    def _checked(self, request: Request) -> Member:
        body = request.body
        instance_id = body.group_instance_id if request.version >= 3 else None
        member = self.group.member(body.member_id, instance_id)
        if body.generation_id != self.group.generation:
            raise KafkaError(Code.ILLEGAL_GENERATION)
        return member

    def leave(self, member_id: str, instance_id: str | None) -> None:
        """Take leave of a member.

        Raises:
            KafkaError: 25 or 82.
        """
        group = self.group
        if member_id in group.pending:
            group.pending.pop(member_id).cancel()
            self._complete_if_all_joined()
            return
        if not member_id and instance_id is not None:
            member_id = group.static.get(instance_id, "")
        member = group.member(member_id, instance_id)
        self.cluster.happened()
        self._remove(member, "left")

    def keep_alive(self, member: Member, request: Request) -> None:
        """The member spoke: its session begins anew."""
        member.connection = request.connection
        self._restart_session(member)

    def resume(self) -> None:
        """The broker has been away: give every member its whole session to come back."""
        for member in self.group.members.values():
            self._restart_session(member)

    def moved(self) -> None:
        """Another broker coordinates the group: what waits here must ask there."""
        for member in self.group.members.values():
            for waiting in (member.join, member.sync):
                if waiting is not None:
                    is_join = waiting is member.join
                    code = Code.NOT_COORDINATOR
                    waiting.answer(
                        refused_join(code, member.member_id) if is_join else {"error_code": code}
                    )
            member.join = member.sync = None
        if self.group.state is GroupState.PREPARING:
            self._arm(max((m.rebalance_ms for m in self.group.members.values()), default=0))
        self.resume()

    def _keep(self) -> None:
        """Have the generation outlive the broker."""
        self.group.kept = group_record(self.group)
        if self.cluster.keep is not None:
            self.cluster.keep(self.group.kept)

    def _restart_session(self, member: Member) -> None:
        if member.timer is not None:
            member.timer.cancel()
        member.deadline_ns = self.cluster.now_ns + member.session_ms * _MS
        member.timer = self.cluster.timers.at(
            member.deadline_ns,
            lambda now_ns: self._session_ended(member),
            housekeeping=member.connection is not None and not member.connection.lost,
        )

    def _session_ended(self, member: Member) -> None:
        if self.group.members.get(member.member_id) is not member:
            return
        here = member.connection is not None and not member.connection.lost
        if here and (member.join is not None or member.sync is not None):
            # It waits for us, not we for it.
            self._restart_session(member)
            return
        if self.cluster.coordinator(self.group.group_id) is None:
            # Nobody is there to hear it.
            self._restart_session(member)
            return
        self.cluster.happened()
        self._remove(member, "gave no sign of life")

    def _remove(self, member: Member, reason: str) -> None:
        self._drop(member, reason)
        state = self.group.state
        if state in (GroupState.STABLE, GroupState.COMPLETING):
            self.prepare_rebalance(f"a member {reason}")
        elif state is GroupState.PREPARING:
            self._complete_if_all_joined()

    def _drop(self, member: Member, reason: str) -> None:
        group = self.group
        if member.timer is not None:
            member.timer.cancel()
        del group.members[member.member_id]
        if member.instance_id is not None:
            group.static.pop(member.instance_id, None)
        self._trace("group.leave", member=member.member_id, reason=reason)
        for waiting in (member.join, member.sync):
            if waiting is not None:
                is_join = waiting is member.join
                waiting.answer(
                    refused_join(Code.UNKNOWN_MEMBER_ID, member.member_id)
                    if is_join
                    else {"error_code": Code.UNKNOWN_MEMBER_ID}
                )
        member.join = member.sync = None

    def _trace(self, kind: str, **fields: Any) -> None:
        self.cluster.emit(kind, group=self.group.group_id, **fields)


def refused_join(code: Code, member_id: str) -> dict[str, Any]:
    """The answer to a join that is refused."""
    return {
        "error_code": code,
        "generation_id": -1,
        "protocol_type": None,
        "protocol_name": "",
        "leader": "",
        "member_id": member_id,
        "members": [],
    }
