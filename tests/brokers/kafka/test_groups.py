from __future__ import annotations

from sandbox.brokers.kafka.errors import Code
from sandbox.brokers.kafka.groups import GroupState
from tests.brokers.kafka.client import Client, World


def alone(client: Client, group: str = "g") -> tuple[str, int]:
    """Be the only member of a stable group."""
    member = client.enter(group)
    generation = client.answer().generation_id
    client.sync(group, member, generation, {member: b"all"})
    assert client.answer().assignment == b"all"
    return member, generation


def test_a_new_member_is_told_its_id_first(world: World) -> None:
    client = world.connect()
    client.join("g")
    answer = client.answer()
    assert answer.error_code == Code.MEMBER_ID_REQUIRED
    client.join("g", answer.member_id)
    joined = client.answer()
    assert (joined.error_code, joined.generation_id, joined.leader) == (0, 1, answer.member_id)
    assert [member.member_id for member in joined.members] == [answer.member_id]


def test_the_leader_says_who_gets_what(world: World) -> None:
    one, two = world.connect("one"), world.connect("two")
    first, generation = alone(one)
    second = two.enter("g")
    assert two.answer() is None
    assert one.heartbeat("g", first, generation) == Code.REBALANCE_IN_PROGRESS
    one.join("g", first)
    joined = one.answer()
    assert [member.member_id for member in joined.members] == [first, second]
    assert two.answer().members == []
    two.sync("g", second, 2)
    assert two.answer() is None
    one.sync("g", first, 2, {first: b"a", second: b"b"})
    assert (one.answer().assignment, two.answer().assignment) == (b"a", b"b")
    assert world.cluster.groups["g"].state is GroupState.STABLE


def test_a_member_that_goes_silent_is_dropped_and_the_others_rebalance(world: World) -> None:
    client = world.connect()
    member, generation = alone(client)
    world.advance(9)
    assert client.heartbeat("g", member, generation) == 0
    world.advance(9)
    assert client.heartbeat("g", member, generation) == 0
    world.advance(10)
    assert client.heartbeat("g", member, generation) == Code.UNKNOWN_MEMBER_ID
    assert world.cluster.groups["g"].state is GroupState.EMPTY


def test_the_session_of_a_dead_client_is_something_to_wait_for(world: World) -> None:
    client = world.connect()
    alone(client)
    assert world.broker.next_event_timer() is None
    client.side.connection_lost(world.now_ns)
    assert world.broker.next_event_timer() == 10_000_000_000
    world.advance(10)
    assert not world.cluster.groups["g"].members
    assert world.broker.next_event_timer() is None


def test_who_does_not_join_again_in_time_is_left_behind(world: World) -> None:
    one, two = world.connect("one"), world.connect("two")
    first, generation = alone(one)
    second = two.enter("g", rebalance_ms=5_000, session_ms=60_000)
    for _ in range(10):
        world.advance(6)
        one.heartbeat("g", first, generation)
    assert two.answer().leader == second
    assert list(world.cluster.groups["g"].members) == [second]


def test_leaving_makes_room_at_once(world: World) -> None:
    client = world.connect()
    member, _ = alone(client)
    wanted = {
        "group_id": "g",
        "members": [{"member_id": member, "group_instance_id": None, "reason": None}],
    }
    assert client.call("LeaveGroup", wanted).members[0].error_code == 0
    assert world.cluster.groups["g"].state is GroupState.EMPTY
    assert client.call("LeaveGroup", wanted).members[0].error_code == Code.UNKNOWN_MEMBER_ID


def test_a_static_member_comes_back_without_a_rebalance(world: World) -> None:
    one, again = world.connect("one"), world.connect("again")
    one.join("g", instance_id="worker-1")
    joined = one.answer()
    one.sync("g", joined.member_id, 1, {joined.member_id: b"mine"})
    one.answer()
    one.side.connection_lost(world.now_ns)
    again.join("g", instance_id="worker-1")
    back = again.answer()
    assert (back.error_code, back.generation_id, back.skip_assignment) == (0, 1, True)
    again.sync("g", back.member_id, 1)
    assert again.answer().assignment == b"mine"
    late = world.connect("late")
    late.join("g", joined.member_id, instance_id="worker-1")
    assert late.answer().error_code == Code.FENCED_INSTANCE_ID


def test_members_need_a_strategy_in_common(world: World) -> None:
    one, two = world.connect("one"), world.connect("two")
    one.enter("g", protocols=["range", "sticky"])
    two.join("g", protocols=["roundrobin"])
    assert two.answer().error_code == Code.INCONSISTENT_GROUP_PROTOCOL


def test_the_strategy_most_members_prefer_is_taken(world: World) -> None:
    clients = [world.connect(str(n)) for n in range(3)]
    members = [
        client.enter("g", protocols=protocols)
        for client, protocols in zip(clients, (["a", "b"], ["b", "a"], ["b", "a"]), strict=True)
    ]
    clients[0].answer()
    clients[0].join("g", members[0], protocols=["a", "b"])
    assert clients[0].answer().protocol_name == "b"


def test_a_session_that_is_too_short_is_refused(client: Client) -> None:
    client.join("g", session_ms=100)
    assert client.answer().error_code == Code.INVALID_SESSION_TIMEOUT


def test_committed_offsets_are_found_again(client: Client) -> None:
    client.create_topic("orders")
    assert client.committed("g", "orders") == (-1, 0)
    member, generation = alone(client)
    assert client.commit("g", "orders", 7, member, generation) == 0
    assert client.committed("g", "orders") == (7, 0)


def test_a_member_of_an_earlier_generation_cannot_commit(client: Client) -> None:
    client.create_topic("orders")
    member, generation = alone(client)
    assert client.commit("g", "orders", 7, member, generation - 1) == Code.ILLEGAL_GENERATION
    assert client.commit("g", "orders", 7, "nobody", generation) == Code.UNKNOWN_MEMBER_ID
    assert client.commit("g", "orders", 7) == Code.UNKNOWN_MEMBER_ID
    assert client.committed("g", "orders") == (-1, 0)


def test_somebody_without_a_group_membership_may_commit_to_an_empty_group(client: Client) -> None:
    client.create_topic("orders")
    assert client.commit("alone", "orders", 3) == 0
    assert client.commit("alone", "nobody", 3) == Code.UNKNOWN_TOPIC_OR_PARTITION
    assert client.committed("alone", "orders") == (3, 0)


def test_committing_the_same_again_is_housekeeping(world: World) -> None:
    client = world.connect()
    client.create_topic("orders")
    client.commit("g", "orders", 3)
    before = world.broker.activity
    client.commit("g", "orders", 3)
    assert world.broker.activity == before
    client.commit("g", "orders", 4)
    assert world.broker.activity > before


def test_groups_can_be_listed_described_and_deleted(world: World) -> None:
    client = world.connect()
    member, _ = alone(client)
    listed = client.call("ListGroups", {"states_filter": [], "types_filter": []})
    assert [(group.group_id, group.group_state) for group in listed.groups] == [("g", "Stable")]
    wanted = {"groups": ["g", "none"], "include_authorized_operations": False}
    described = client.call("DescribeGroups", wanted)
    assert described.groups[0].members[0].member_id == member
    assert described.groups[1].error_code == Code.GROUP_ID_NOT_FOUND
    delete = {"groups_names": ["g"]}
    answer = client.call("DeleteGroups", delete)
    assert answer.results[0].error_code == Code.NON_EMPTY_GROUP
    client.side.connection_lost(world.now_ns)
    world.advance(10)
    assert world.connect().call("DeleteGroups", delete).results[0].error_code == 0


def test_a_restart_keeps_groups_until_their_members_sessions_end(world: World) -> None:
    client = world.connect()
    member, generation = alone(client)
    world.broker.restart(world.now_ns)
    assert world.connect().heartbeat("g", member, generation) == 0
    world.advance(10)
    assert world.cluster.groups["g"].state is GroupState.EMPTY
