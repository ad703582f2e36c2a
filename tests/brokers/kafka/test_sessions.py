"""Fetch sessions: what was said once is not said again."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.brokers.kafka import sessions
from sandbox.brokers.kafka.errors import Code
from tests.brokers.kafka.client import Client, World, values

Answer = dict[int, list[bytes | None]]


@pytest.fixture(autouse=True)
def orders(client: Client) -> None:
    client.create_topic("orders", 3)


def ask(
    client: Client,
    session: int,
    epoch: int,
    offsets: dict[int, int],
    *,
    forget: tuple[int, ...] = (),
    max_wait_ms: int = 0,
    version: int = 12,
) -> None:
    topic_id = client.world.cluster.topics["orders"].topic_id
    name = {"topic": "orders"} if version < 13 else {"topic_id": topic_id}
    wanted = [
        {
            "partition": index,
            "current_leader_epoch": -1,
            "fetch_offset": offset,
            "last_fetched_epoch": -1,
            "log_start_offset": -1,
            "partition_max_bytes": 100_000,
        }
        for index, offset in offsets.items()
    ]
    client.send(
        "Fetch",
        {
            "replica_id": -1,
            "max_wait_ms": max_wait_ms,
            "min_bytes": 1,
            "max_bytes": 100_000,
            "isolation_level": 0,
            "session_id": session,
            "session_epoch": epoch,
            "topics": [{**name, "partitions": wanted}] if wanted else [],
            "forgotten_topics_data": [{**name, "partitions": list(forget)}] if forget else [],
            "rack_id": "",
        },
        version=version,
    )


def heard(client: Client) -> tuple[int, int, Answer]:
    """Returns: error, session, and the values of each partition that was mentioned."""
    answer = client.answer()
    found = {
        partition.partition_index: [value for _, value in values(partition)]
        for topic in answer.responses
        for partition in topic.partitions
    }
    return answer.error_code, answer.session_id, found


def begin(client: Client, **options: Any) -> int:
    ask(client, 0, 0, {0: 0, 1: 0, 2: 0}, **options)
    error, session, found = heard(client)
    assert (error, found) == (0, {0: [], 1: [], 2: []})
    assert session > 0
    return session


@pytest.mark.parametrize("version", [7, 12, 13, 18])
def test_only_partitions_with_news_are_mentioned(client: Client, version: int) -> None:
    session = begin(client, version=version)
    client.produce("orders", [b"a"], 1)
    ask(client, session, 1, {}, version=version)
    assert heard(client) == (0, session, {1: [b"a"]})
    ask(client, session, 2, {1: 1}, version=version)
    assert heard(client) == (0, session, {})


def test_a_session_waits_for_all_that_was_asked_before(world: World, client: Client) -> None:
    session = begin(client)
    ask(client, session, 1, {}, max_wait_ms=5000)
    assert client.answer() is None
    world.connect("other").produce("orders", [b"late"], 2)
    assert heard(client) == (0, session, {2: [b"late"]})


def test_what_is_forgotten_is_not_read_any_more(client: Client) -> None:
    session = begin(client)
    client.produce("orders", [b"a"], 1)
    client.produce("orders", [b"b"], 2)
    ask(client, session, 1, {}, forget=(1,))
    assert heard(client) == (0, session, {2: [b"b"]})


def test_a_session_nobody_opened_is_refused(client: Client) -> None:
    ask(client, 5, 1, {})
    assert heard(client)[0] == Code.FETCH_SESSION_ID_NOT_FOUND


def test_a_request_that_is_missing_is_noticed(client: Client) -> None:
    session = begin(client)
    ask(client, session, 2, {})
    assert heard(client)[0] == Code.INVALID_FETCH_SESSION_EPOCH
    ask(client, session, 1, {})
    assert heard(client)[0] == Code.NONE


def test_a_session_can_be_closed(client: Client) -> None:
    session = begin(client)
    ask(client, session, -1, {0: 0})
    assert heard(client) == (0, 0, {0: []})
    ask(client, session, 1, {})
    assert heard(client)[0] == Code.FETCH_SESSION_ID_NOT_FOUND


def test_a_restart_ends_sessions(world: World, client: Client) -> None:
    session = begin(client)
    world.broker.restart(world.now_ns)
    again = world.connect()
    ask(again, session, 1, {})
    assert heard(again)[0] == Code.FETCH_SESSION_ID_NOT_FOUND


def test_the_session_that_was_not_used_for_longest_makes_room(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "MOST_SESSIONS", 2)
    first, second = begin(client), begin(client)
    ask(client, first, 1, {})
    heard(client)
    begin(client)
    ask(client, second, 1, {})
    assert heard(client)[0] == Code.FETCH_SESSION_ID_NOT_FOUND
    ask(client, first, 2, {})
    assert heard(client)[0] == Code.NONE


def test_an_error_is_told_until_it_is_over(client: Client) -> None:
    ask(client, 0, 0, {0: 99})
    session = client.answer().session_id
    for epoch in (1, 2):
        ask(client, session, epoch, {})
        answer = client.answer()
        (partition,) = answer.responses[0].partitions
        assert partition.error_code == Code.OFFSET_OUT_OF_RANGE
    ask(client, session, 3, {0: 0})
    assert heard(client) == (0, session, {0: []})
