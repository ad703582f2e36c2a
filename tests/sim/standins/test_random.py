"""Chance in a world: seeded for each process, real outside."""

from __future__ import annotations

import os
import random
import secrets
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from sandbox.sim.world import World


def draw(seed: int, function: Callable[[], Any], processes: int = 1) -> list[Any]:
    world = World(seed)
    started = [world.start_function(function, name=f"p{n}") for n in range(processes)]
    world.run()
    assert [process.error for process in started] == [None] * processes
    return [process.result for process in started]


DRAWS: list[Callable[[], Any]] = [
    lambda: os.urandom(8),
    lambda: random.random(),
    lambda: [random.randint(1, 10**9) for _ in range(3)],
    lambda: random.sample(range(10**6), 5),
    lambda: random.Random().random(),
    lambda: random.SystemRandom().random(),
    lambda: secrets.token_hex(),
    lambda: uuid.uuid4(),
    lambda: [uuid.uuid1(), uuid.uuid1()],
]


@pytest.mark.parametrize("function", DRAWS)
def test_a_seed_decides_every_draw(function):
    assert draw(1, function) == draw(1, function)
    assert draw(1, function) != draw(2, function)


def test_processes_draw_different_numbers():
    one, other = draw(1, random.random, processes=2)
    assert one != other


def test_one_more_draw_in_one_process_changes_nothing_in_another():
    def few():
        return random.random()

    def many():
        return [random.random() for _ in range(100)]

    world = World(3)
    world.start_function(few, name="a")
    second = world.start_function(random.random, name="b")
    world.run()
    other = World(3)
    other.start_function(many, name="a")
    second_again = other.start_function(random.random, name="b")
    other.run()
    assert second.result == second_again.result


def test_seeding_in_a_program_is_its_own_affair():
    def program():
        random.seed(5)
        return random.random()

    random.seed(99)
    expected = random.Random(99).random()
    assert draw(1, program) == [random.Random(5).random()]
    assert random.random() == expected


def test_time_based_identifiers_do_not_repeat_within_a_process():
    (made,) = draw(1, lambda: [uuid.uuid1() for _ in range(50)])
    assert len(set(made)) == 50
    assert made == sorted(made, key=lambda each: each.time)


def test_outside_a_world_chance_is_real():
    draw(1, random.random)
    assert os.urandom(16) != os.urandom(16)
    assert uuid.uuid4() != uuid.uuid4()
    assert uuid.uuid1() != uuid.uuid1()
    assert random.Random().random() != random.Random().random()
