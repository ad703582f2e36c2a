"""Which moments a live run tries to die at."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sandbox.stack.live.crash import MOST_POINTS, sample

CAREFUL = ["connection.start-ok", "channel.open", "basic.consume"]
CAREFUL += ["sleep", "waking", "record shipped", "basic.ack"] * 4
HASTY = ["connection.start-ok", "channel.open", "basic.consume"]
HASTY += ["basic.ack", "sleep", "waking", "record shipped"] * 4


def _points(moments: list[str]) -> list[tuple[str, int]]:
    return [(point.kind, point.nth) for point in sample("worker", moments)]


def test_it_dies_between_the_effect_and_the_acknowledgement() -> None:
    assert ("basic.ack", 1) in _points(CAREFUL)


def test_it_dies_between_the_acknowledgement_and_the_work_after_it() -> None:
    assert ("sleep", 1) in _points(HASTY)


def test_it_dies_around_the_last_acknowledgement_too() -> None:
    assert ("basic.ack", 4) in _points(CAREFUL)
    assert ("sleep", 4) in _points(HASTY)


def test_a_long_batch_is_interrupted_before_and_after_its_acknowledgement() -> None:
    moments = ["basic.consume"] + ["sleep", "record shipped"] * 9 + ["basic.ack", "sleep"]
    points = _points([*moments, "record shipped"])
    assert ("basic.ack", 1) in points
    assert ("sleep", 10) in points


def test_nothing_is_tried_before_there_is_anything_to_lose() -> None:
    assert _points(["hello", "connection.open", "channel.open", "channel.close"]) == []


@given(
    st.lists(st.sampled_from(["hello", "queue.declare", "basic.ack", "record a", "sleep", "x.y"]))
)
def test_a_sample_is_small_and_in_order_and_made_of_what_happened(moments: list[str]) -> None:
    points = _points(moments)
    assert len(points) <= MOST_POINTS
    assert len(points) == len(set(points))
    positions = []
    for kind, nth in points:
        occurrences = [n for n, moment in enumerate(moments) if moment == kind]
        positions.append(occurrences[nth - 1])
    assert positions == sorted(positions)


@given(st.lists(st.sampled_from(["basic.ack", "record a", "sleep"]), min_size=1))
def test_whoever_does_anything_is_interrupted_somewhere(moments: list[str]) -> None:
    assert _points(moments)
