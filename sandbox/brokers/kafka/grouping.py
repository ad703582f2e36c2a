"""Requests about groups: joining and staying, and what tools ask about them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from sandbox.brokers.kafka.connection import Request
from sandbox.brokers.kafka.errors import Code, KafkaError
from sandbox.brokers.kafka.groups import GroupState, describe
from sandbox.brokers.kafka.membership import Membership, refused_join


def _membership(request: Request, *, create: bool = False) -> Membership:
    group_id = request.body.group_id
    check_coordinator(request, group_id)
    if not group_id:
        raise KafkaError(Code.INVALID_GROUP_ID, "a group needs a name")
    group = request.cluster.groups.get(group_id)
    if group is None:
        if not create:
            raise KafkaError(Code.UNKNOWN_MEMBER_ID, f"there is no group {group_id!r}")
        group = request.cluster.groups.create(group_id)
    return Membership(request.cluster, group)


def check_coordinator(request: Request, key: str) -> None:
    """Only the coordinator of a group answers for it.

    Raises:
        KafkaError: 15 there is none now; 16 that is another broker.
    """
    request.cluster.check_coordinator(request.broker, key)


def join_group(request: Request) -> None:
    """Join, or join again."""
    try:
        _membership(request, create=not request.body.member_id).join(request)
    except KafkaError as why:
        request.answer(refused_join(why.code, request.body.member_id))


def sync_group(request: Request) -> None:
    """Hear what was assigned, or as the leader say it."""
    try:
        _membership(request).sync(request)
    except KafkaError as why:
        request.answer({"error_code": why.code, "assignment": b""})


def heartbeat(request: Request) -> None:
    """A member is alive."""
    try:
        _membership(request).heartbeat(request)
    except KafkaError as why:
        request.answer({"error_code": why.code})


def leave_group(request: Request) -> None:
    """Members go, or are sent away by an administrator."""
    body = request.body
    code = Code.NONE
    results = []
    try:
        membership = _membership(request)
        if request.version < 3:
            membership.leave(body.member_id, None)
        for member in body.members if request.version >= 3 else []:
            result = {
                "member_id": member.member_id,
                "group_instance_id": member.group_instance_id,
                "error_code": Code.NONE,
            }
            try:
                membership.leave(member.member_id, member.group_instance_id)
            except KafkaError as why:
                result["error_code"] = why.code
            results.append(result)
    except KafkaError as why:
        code = why.code
    request.answer({"error_code": code, "members": results})


def describe_groups(request: Request) -> None:
    """Say who is in some groups, and what they were assigned."""
    found = []
    for group_id in request.body.groups:
        code, message, group = Code.NONE, None, None
        try:
            check_coordinator(request, group_id)
            group = request.cluster.groups.existing(group_id)
        except KafkaError as why:
            if why.code is not Code.GROUP_ID_NOT_FOUND or request.version >= 6:
                code, message = why.code, why.message
        found.append(
            {
                "error_code": code,
                "error_message": message,
                "group_id": group_id,
                "group_state": (GroupState.DEAD if group is None else group.state).value,
                "protocol_type": "" if group is None else group.protocol_type,
                "protocol_data": "" if group is None else group.protocol,
                "members": [] if group is None else describe(group),
            }
        )
    request.answer({"groups": found})


def list_groups(request: Request) -> None:
    """Say which groups there are."""
    body = request.body
    states = (
        {state.lower() for state in body.states_filter or []} if request.version >= 4 else set()
    )
    types = {kind.lower() for kind in body.types_filter or []} if request.version >= 5 else set()
    request.answer(
        {
            "error_code": Code.NONE,
            "groups": [
                {
                    "group_id": group.group_id,
                    "protocol_type": group.protocol_type,
                    "group_state": group.state.value,
                    "group_type": "classic",
                }
                for group in request.cluster.groups
                if request.cluster.coordinator(group.group_id) is request.broker
                and (not states or group.state.value.lower() in states)
                and (not types or "classic" in types)
            ],
        }
    )


def delete_groups(request: Request) -> None:
    """Delete groups that have no members."""
    results = []
    for group_id in request.body.groups_names:
        code = Code.NONE
        try:
            check_coordinator(request, group_id)
            request.cluster.groups.delete(group_id)
            request.broker.happened()
        except KafkaError as why:
            code = why.code
        results.append({"group_id": group_id, "error_code": code})
    request.answer({"results": results})


HANDLERS: Final[Mapping[int, Callable[[Request], None]]] = {
    11: join_group,
    12: heartbeat,
    13: leave_group,
    14: sync_group,
    15: describe_groups,
    16: list_groups,
    42: delete_groups,
}
