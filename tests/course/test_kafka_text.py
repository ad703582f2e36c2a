"""What `lab.kafka` makes of a stack that cannot tell whose connection is whose."""

from __future__ import annotations

from typing import Any

from sandbox.course.administrators.kafka import Kafka
from sandbox.stack.base import KafkaMember


class Observer:
    """Tells of members only."""

    def __init__(self, *members: KafkaMember) -> None:
        self._members = list(members)

    def members(self, group: str) -> list[KafkaMember]:
        return self._members


def member(number: int, client: str, process: str, *partitions: int) -> KafkaMember:
    places = tuple(("orders", each) for each in partitions)
    return KafkaMember(f"id-{number}", client, process, places)


def assignment(*members: KafkaMember) -> dict[str, list[int]]:
    observer: Any = Observer(*members)
    return Kafka(observer).assignment("billing", "orders")


def test_members_are_called_as_their_processes_where_those_are_known() -> None:
    assert assignment(member(1, "python", "one", 0), member(2, "python", "two", 1)) == {
        "one": [0],
        "two": [1],
    }


def test_two_consumers_of_one_process_are_one() -> None:
    assert assignment(member(1, "python", "one", 2), member(2, "python", "one", 0)) == {
        "one": [0, 2]
    }


def test_members_of_unknown_processes_stay_apart_also_with_one_client_id() -> None:
    assert assignment(member(1, "python", "", 0), member(2, "python", "", 1)) == {
        "id-1": [0],
        "id-2": [1],
    }
    assert assignment(member(1, "python", "", 0), member(2, "java", "")) == {
        "python": [0],
        "java": [],
    }
