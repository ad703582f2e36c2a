"""Several brokers: what is committed survives the death of a leader, what is not may be lost."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.brokers.kafka.errors import Code
from tests.brokers.kafka.client import Client, World, batch, values


@pytest.fixture
def three() -> World:
    """Three brokers with the topic `orders`, of which each has a copy; broker 1 leads."""
    world = World(3)
    client = world.connect("admin")
    assert client.create_topic("orders", replicas=3, min_insync_replicas="2").error_code == 0
    return world


def value(data: bytes) -> list[tuple[int, bytes]]:
    return [(0, data)]


def logs(world: World, topic: str = "orders") -> dict[int, list[bytes | None]]:
    copies = world.partition(topic).copies
    return {n: [record.value for record in copy.log.records()] for n, copy in copies.items()}


def produced(client: Client, data: bytes, **options: Any) -> Any:
    """Produce and let time pass until it is answered."""
    client.send_produce("orders", [data], **options)
    for _ in range(40):
        answer = client.answer()
        if answer is not None:
            return answer.responses[0].partition_responses[0]
        client.world.advance(1)
    raise AssertionError("never answered")


def test_the_leader_answers_acks_all_when_every_replica_in_sync_has_it(three: World) -> None:
    client = three.connect()
    client.send_produce("orders", [b"a"])
    assert client.answer() is None
    assert logs(three) == {1: [b"a"], 2: [], 3: []}
    three.advance(0.01)
    assert client.answer().responses[0].partition_responses[0].error_code == Code.NONE
    assert logs(three) == {1: [b"a"], 2: [b"a"], 3: [b"a"]}


def test_acks_1_is_answered_at_once_and_readers_wait_for_the_replicas(three: World) -> None:
    client = three.connect()
    assert client.produce("orders", [b"a"], acks=1).error_code == Code.NONE
    assert values(client.fetch("orders", 0)) == []
    three.advance(0.01)
    assert values(client.fetch("orders", 0)) == value(b"a")


def test_a_waiting_reader_is_woken_when_the_high_watermark_moves(three: World) -> None:
    reader, client = three.connect("reader"), three.connect()
    reader.send_fetch("orders", 0, max_wait_ms=5000)
    client.produce("orders", [b"a"], acks=1)
    assert reader.answer() is None
    three.advance(0.01)
    assert values(reader.answer().responses[0].partitions[0]) == value(b"a")


def test_a_dead_leader_is_replaced_when_its_session_has_ended(three: World) -> None:
    three.stop(1)
    three.advance(8.9)
    assert three.partition("orders").leader == 1
    three.advance(0.2)
    partition = three.partition("orders")
    assert (partition.leader, partition.leader_epoch, partition.isr) == (2, 1, [2, 3])
    metadata = three.connect(node=3).call("Metadata", {"topics": None})
    assert [broker.node_id for broker in metadata.brokers] == [2, 3]
    found = metadata.topics[0].partitions[0]
    assert (found.leader_id, found.isr_nodes, found.offline_replicas) == (2, [2, 3], [1])


def test_a_leader_that_stops_cleanly_hands_over_first(three: World) -> None:
    three.stop(1, clean=True)
    assert three.partition("orders").leader == 2


def test_what_was_committed_survives_its_leader(three: World) -> None:
    client = three.connect()
    client.send_produce("orders", [b"a"])
    three.advance(0.01)
    assert client.answer().responses[0].partition_responses[0].error_code == Code.NONE
    three.stop(1)
    three.advance(10)
    assert values(three.connect(node=2).fetch("orders", 0)) == value(b"a")


def test_what_was_only_written_to_the_leader_is_lost_with_it(three: World) -> None:
    first = three.connect()
    assert first.produce("orders", [b"lost"], acks=1).error_code == Code.NONE
    three.stop(1)
    three.advance(10)
    second = three.connect(node=2)
    second.send_produce("orders", [b"kept"])
    three.advance(0.01)
    assert second.answer().responses[0].partition_responses[0].base_offset == 0
    three.start(1)
    three.advance(1)
    assert logs(three) == {1: [b"kept"], 2: [b"kept"], 3: [b"kept"]}
    (cut,) = [fields for kind, fields in three.events if kind == "log.truncate"]
    assert (cut["broker"], cut["offset"], cut["count"]) == (1, 0, 1)


def test_a_broker_that_is_back_copies_what_it_missed_and_is_in_sync_again(three: World) -> None:
    three.stop(3)
    three.advance(10)
    assert three.partition("orders").isr == [1, 2]
    client = three.connect()
    assert produced(client, b"a").error_code == Code.NONE
    three.start(3)
    three.advance(1)
    assert sorted(three.partition("orders").isr) == [1, 2, 3]
    assert logs(three)[3] == [b"a"]


def test_too_few_replicas_in_sync_refuse_acks_all_but_not_acks_1(three: World) -> None:
    three.stop(3, clean=True)
    client = three.connect()
    assert produced(client, b"two are enough").error_code == Code.NONE
    three.cluster.controller.shrink_isr(three.partition("orders").copies[1], 2)
    assert client.produce("orders", [b"x"]).error_code == Code.NOT_ENOUGH_REPLICAS
    assert client.produce("orders", [b"y"], acks=1).error_code == Code.NONE
    # Nobody may read what is not on as many replicas as the topic wants.
    assert values(client.fetch("orders", 1)) == []


def test_a_follower_that_lags_for_too_long_is_out_of_sync(three: World) -> None:
    three.node(3).isolate(three.now_ns)
    three.cluster.controller._forget_session(3)
    client = three.connect()
    client.send_produce("orders", [b"a"], timeout_ms=60_000)
    three.advance(29.9)
    assert client.answer() is None
    three.advance(0.2)
    assert client.answer().responses[0].partition_responses[0].error_code == Code.NONE
    assert three.partition("orders").isr == [1, 2]


def test_without_a_majority_nothing_is_decided_and_acks_all_times_out(three: World) -> None:
    three.stop(2)
    three.stop(3)
    three.advance(60)
    assert sorted(three.partition("orders").isr) == [1, 2, 3]
    client = three.connect()
    assert produced(client, b"a", timeout_ms=2000).error_code == Code.REQUEST_TIMED_OUT
    assert client.create_topic("more").error_code == Code.REQUEST_TIMED_OUT
    three.start(2)
    three.advance(1)
    assert three.partition("orders").isr == [1, 2]
    assert values(client.fetch("orders", 0)) == value(b"a")


def test_nobody_leads_while_none_of_those_in_sync_lives(three: World) -> None:
    client = three.connect(node=3)
    client.create_topic("pair", replicas=1)
    partition = three.partition("pair")
    leader = partition.leader
    three.stop(leader)
    three.advance(10)
    assert (partition.leader, partition.isr) == (-1, [leader])
    alive = three.connect(node=leader % 3 + 1)
    found = alive.call("Metadata", {"topics": [{"name": "pair", "topic_id": None}]}).topics[0]
    assert found.partitions[0].error_code == Code.LEADER_NOT_AVAILABLE
    three.start(leader)
    assert partition.leader == leader


@pytest.mark.parametrize(("unclean", "leader"), [("false", -1), ("true", 2)])
def test_only_an_unclean_election_lets_a_replica_lead_that_lacks_something(
    unclean: str, leader: int
) -> None:
    world = World(3)
    client = world.connect()
    client.create_topic("orders", replicas=2, unclean_leader_election_enable=unclean)
    world.stop(2)
    world.advance(10)
    assert produced(client, b"only 1 has it").error_code == Code.NONE
    world.start(2)
    world.stop(1)
    world.advance(10)
    partition = world.partition("orders")
    assert partition.leader == leader
    world.start(1)
    world.advance(1)
    lost = [] if unclean == "true" else [b"only 1 has it"]
    assert logs(world) == {1: lost, 2: lost}


def test_a_leader_that_is_cut_off_goes_on_and_loses_what_it_took(three: World) -> None:
    three.node(1).isolate(three.now_ns)
    three.advance(10)
    assert three.partition("orders").leader == 2
    deceived = three.connect("deceived", node=1)
    assert deceived.produce("orders", [b"to nobody"], acks=1).error_code == Code.NONE
    told = deceived.call("Metadata", {"topics": None}).topics[0].partitions[0]
    assert (told.leader_id, told.leader_epoch) == (1, 0)
    deceived.send_produce("orders", [b"waits"], timeout_ms=60_000)
    client = three.connect(node=2)
    assert produced(client, b"truth").error_code == Code.NONE
    three.node(1).heal(three.now_ns)
    three.advance(1)
    answer = deceived.answer().responses[0].partition_responses[0]
    assert answer.error_code == Code.NOT_LEADER_OR_FOLLOWER
    assert logs(three) == {1: [b"truth"], 2: [b"truth"], 3: [b"truth"]}
    assert sorted(three.partition("orders").isr) == [1, 2, 3]


def test_a_broker_that_does_not_lead_says_so(three: World) -> None:
    client = three.connect(node=2)
    assert client.produce("orders", [b"a"]).error_code == Code.NOT_LEADER_OR_FOLLOWER
    assert client.fetch("orders", 0).error_code == Code.NOT_LEADER_OR_FOLLOWER


def test_a_client_learns_where_an_epoch_ended(three: World) -> None:
    client = three.connect()
    assert produced(client, b"a").error_code == Code.NONE
    three.stop(1)
    three.advance(10)
    second = three.connect(node=2)
    assert produced(second, b"b").error_code == Code.NONE
    asked = {
        "replica_id": -1,
        "topics": [
            {
                "topic": "orders",
                "partitions": [{"partition": 0, "current_leader_epoch": 1, "leader_epoch": 0}],
            }
        ],
    }
    found = second.call("OffsetForLeaderEpoch", asked).topics[0].partitions[0]
    assert (found.error_code, found.leader_epoch, found.end_offset) == (Code.NONE, 0, 1)
    stale = second.fetch("orders", 0, epoch=0)
    assert stale.error_code == Code.FENCED_LEADER_EPOCH


def test_a_retry_at_the_new_leader_is_no_duplicate(three: World) -> None:
    once = batch(b"a", producer=(7, 0), sequence=0)
    first = three.connect()
    first.send_produce("orders", once)
    three.advance(0.01)
    three.stop(1)
    three.advance(10)
    second = three.connect(node=2)
    second.send_produce("orders", batch(b"a", producer=(7, 0), sequence=0))
    three.advance(0.01)
    answer = second.answer().responses[0].partition_responses[0]
    assert (answer.error_code, answer.base_offset) == (Code.NONE, 0)
    assert logs(three)[2] == [b"a"]


def test_the_preferred_leader_leads_again_after_a_while(three: World) -> None:
    three.stop(1)
    three.advance(10)
    three.start(1)
    three.advance(1)
    assert three.partition("orders").leader == 2
    three.advance(310)
    assert three.partition("orders").leader == 1


def test_another_controller_is_chosen_when_the_active_one_dies(three: World) -> None:
    assert three.cluster.controller.active == 1
    three.stop(1)
    answer = three.connect(node=2).call(
        "DescribeCluster", {"include_cluster_authorized_operations": False}
    )
    assert answer.controller_id == 2


def test_a_group_goes_on_at_its_next_coordinator(three: World) -> None:
    coordinator = three.cluster.coordinator("billing")
    assert coordinator is not None
    client = three.connect(node=coordinator.node_id)
    member = client.enter("billing")
    client.answer()
    client.sync("billing", member, 1, {member: b"mine"})
    client.answer()
    assert client.commit("billing", "orders", 3, member, 1) == Code.NONE
    three.stop(coordinator.node_id)
    elsewhere = three.connect(node=coordinator.node_id % 3 + 1)
    three.advance(1)
    assert elsewhere.heartbeat("billing", member, 1) in (
        Code.COORDINATOR_NOT_AVAILABLE,
        Code.NOT_COORDINATOR,
    )
    three.advance(9)
    following = three.cluster.coordinator("billing")
    assert following is not None
    assert following is not coordinator
    there = three.connect(node=following.node_id)
    assert there.heartbeat("billing", member, 1) == Code.NONE
    assert there.committed("billing", "orders") == (3, Code.NONE)


def test_a_transaction_is_ended_where_the_leader_had_died(three: World) -> None:
    client = three.connect()
    client.create_topic("other", replicas=3)
    coordinator = three.cluster.coordinator("t", "__transaction_state")
    assert coordinator is not None
    transactions = three.cluster.transactions
    producer_id, epoch = transactions.begin_session(coordinator, "t", timeout_ms=60_000)
    transaction = transactions.session(coordinator, "t", producer_id, epoch)
    partition = three.partition("orders")
    transactions.add(transaction, [partition])
    leader = three.connect(node=partition.leader)
    data = batch(b"a", producer=(producer_id, epoch), sequence=0, attributes=0x10)
    leader.send_produce("orders", data, transactional_id="t")
    three.advance(0.01)
    three.stop(partition.leader)
    transactions.end_by_request(transaction, commit=True)
    assert transaction.state.value == "PrepareCommit"
    three.advance(11)
    assert transaction.state.value == "CompleteCommit"
    assert partition.leader == 2
    assert partition.last_stable_offset == partition.high_watermark == 2


def test_a_restart_of_all_brokers_loses_nothing(three: World) -> None:
    client = three.connect()
    assert produced(client, b"a").error_code == Code.NONE
    for number in (1, 2, 3):
        three.stop(number)
    three.advance(60)
    for number in (3, 2, 1):
        three.start(number)
    three.advance(1)
    assert sorted(three.partition("orders").isr) == [1, 2, 3]
    leader = three.partition("orders").leader
    assert values(three.connect(node=leader).fetch("orders", 0)) == value(b"a")


def test_what_nobody_led_is_led_again_when_it_is_read_back(three: World) -> None:
    client = three.connect()
    client.create_topic("alone", replicas=1)
    leader = three.partition("alone").leader
    there = three.connect(node=leader)
    assert there.produce("alone", [b"a"]).error_code == Code.NONE
    three.stop(leader)
    three.advance(10)
    assert three.partition("alone").leader == -1
    again = World(3)
    again.broker.restore(three.broker.snapshot(), 0)
    again.advance(1)
    assert again.partition("alone").leader == leader
    assert values(again.connect(node=leader).fetch("alone", 0)) == value(b"a")


def test_three_brokers_are_rebuilt_from_their_records() -> None:
    world = World(3)
    records: list[Any] = []
    world.broker.keep = records.append
    first = next(iter(world.broker.snapshot()))
    client = world.connect()
    client.create_topic("orders", replicas=3)
    client.produce("orders", [b"lost"], acks=1)
    world.stop(1)
    world.advance(10)
    second = world.connect(node=2)
    assert produced(second, b"kept").error_code == Code.NONE
    world.start(1)
    world.advance(1)
    again = World(3)
    again.broker.restore([first, *records], 0)
    assert list(again.broker.snapshot()) == list(world.broker.snapshot())
    assert logs(again) == {1: [b"kept"], 2: [b"kept"], 3: [b"kept"]}
    assert values(again.connect(node=2).fetch("orders", 0)) == value(b"kept")
