"""The endings, in sentences."""

from __future__ import annotations

from typing import get_args

from sandbox.sim import endings


def test_lists_read_like_english():
    assert endings.listed([]) == ""
    assert endings.listed(["a"]) == "a"
    assert endings.listed(["a", "b"]) == "a and b"
    assert endings.listed(["a", "b", "c"]) == "a, b and c"


def test_every_kind_has_a_sentence_that_says_when():
    made = [
        endings.finished(1.5),
        endings.idle(1.5, []),
        endings.idle(1.5, ["a"]),
        endings.deadlock(1.5, [("a", "bytes to arrive", "a.py:3")]),
        endings.virtual_time(1.5, 2.0),
        endings.steps(1.5, 1000, "a", "a.py:3"),
        endings.until(1.5),
        endings.interrupted(1.5),
    ]
    for ending in made:
        assert "t = 1.500 s" in ending.sentence
        assert ending.at_s == 1.5
    made.append(endings.real_time(1.5, 10, "a", ""))
    assert {ending.kind for ending in made} == set(get_args(endings.Kind))
    assert len({ending.sentence for ending in made}) == len(made)


def test_one_waits_and_two_wait():
    assert (
        endings.idle(0, ["a"]).sentence == "everything is handled; a waits for more (t = 0.000 s)"
    )
    assert "; a and b wait for more" in endings.idle(0, ["a", "b"]).sentence
    assert endings.idle(0, []).sentence == "everything is handled (t = 0.000 s)"


def test_a_loop_is_named_by_its_line_or_else_by_its_process():
    assert endings.real_time(0, 10, "worker", "worker.py:18").sentence == (
        "Stopped after 10 s of real time: the program was still running without ever waiting. "
        "An endless loop at worker.py:18?"
    )
    assert "An endless loop in `worker`?" in endings.real_time(0, 10, "worker", "").sentence
    assert "around worker.py:18" in endings.steps(0, 5, "worker", "worker.py:18").sentence
    assert "A loop that never waits?" in endings.steps(0, 5, "worker", "").sentence
