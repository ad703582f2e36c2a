"""Cells: one program in pieces, in one world."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.course.cells import CellResult, Session, run_lesson
from sandbox.course.errors import CourseError
from sandbox.course.manifest import load_lab


@pytest.fixture
def session() -> Iterator[Session]:
    session = Session(seed=1)
    yield session
    session.close()


def test_variables_connections_and_the_clock_carry_over(session: Session) -> None:
    session.run(
        1,
        "import pika, time\n"
        "channel = pika.BlockingConnection(pika.ConnectionParameters('localhost')).channel()\n"
        "channel.queue_declare('q')\n"
        "channel.basic_publish('', 'q', b'x')\n"
        "began = time.time()",
    )
    result = session.run(2, "time.sleep(30)\nprint(channel.basic_get('q')[2])")
    assert result.output == "b'x'\n"
    assert 30 <= result.seconds_virtual < 31
    assert session.run(3, "time.time() - began > 30").output == "True\n"


def test_the_value_of_a_last_expression_is_shown_unless_it_is_none(session: Session) -> None:
    assert session.run(1, "x = 20\nx + 1").output == "21\n"
    assert session.run(2, "print('a')").output == "a\n"
    assert session.run(3, "x;").output == "20\n"
    assert session.run(4, "x = 3").output == ""


def test_await_works_at_the_top_level(session: Session) -> None:
    result = session.run(1, "import asyncio\nawait asyncio.sleep(5)\nprint('awake')")
    assert result == CellResult("awake\n", "", result.seconds_virtual, "")
    assert 5 <= result.seconds_virtual < 5.1


def test_a_started_process_prints_into_the_cell_that_lets_time_pass(session: Session) -> None:
    session.run(
        1,
        "import sandbox, time\n"
        "def work():\n    time.sleep(2)\n    print('worked')\n"
        "worker = sandbox.start(work)",
    )
    assert session.run(2, "time.sleep(1)").output == ""
    assert session.run(3, "time.sleep(2)").output == "worked\n"


def test_an_error_shows_the_cells_own_line_and_the_session_goes_on(session: Session) -> None:
    result = session.run(7, "def f():\n    return missing\n\nf()")
    assert result.error.splitlines() == [
        "NameError: name 'missing' is not defined",
        "  cell 7:4  f()",
        "  cell 7:2  return missing",
        "Python runs a file from top to bottom: `missing` must be bound before the line that uses "
        "it is reached.",
    ]
    assert session.run(8, "print('still here')").output == "still here\n"


def test_a_line_of_an_earlier_cell_is_still_shown(session: Session) -> None:
    session.run(1, "def f():\n    return 1 / 0")
    assert "  cell 1:2  return 1 / 0" in session.run(2, "f()").error.splitlines()


def test_a_syntax_error_runs_nothing(session: Session) -> None:
    result = session.run(1, "print('no')\nif True print('no')")
    assert result.output == ""
    assert "cell 1:2" in result.error


def test_a_cell_that_nothing_can_wake_is_interrupted_and_the_session_goes_on(
    session: Session,
) -> None:
    result = session.run(1, "import threading\nprint('before')\nthreading.Event().wait()")
    assert result.output == "before\n"
    assert "Nothing can ever wake" in result.ending
    assert result.error == ""
    assert session.run(2, "print('after')").output == "after\n"


def test_a_consumer_that_has_handled_everything_is_interrupted(session: Session) -> None:
    result = session.run(
        1,
        "import pika\n"
        "channel = pika.BlockingConnection(pika.ConnectionParameters('localhost')).channel()\n"
        "channel.queue_declare('q')\n"
        "channel.basic_publish('', 'q', b'x')\n"
        "channel.basic_consume('q', lambda *a: print(a[3]), auto_ack=True)\n"
        "channel.start_consuming()",
    )
    assert result.output == "b'x'\n"
    assert result.ending
    assert session.run(2, "1").output == "1\n"


def test_exit_ends_the_cell_and_not_the_session(session: Session) -> None:
    assert session.run(1, "import sys\nsys.exit(3)").error == ""
    assert session.run(2, "print('here')").output == "here\n"


def test_two_sessions_with_one_seed_print_the_same() -> None:
    source = "import random, uuid, time\nprint(random.random(), uuid.uuid4(), time.time())"
    printed = []
    for _ in range(2):
        session = Session(seed=5)
        printed.append(session.run(1, source).output)
        session.close()
    assert printed[0] == printed[1]


def test_what_is_shown_is_output_then_error_then_ending() -> None:
    assert CellResult("half", "Oops", 0, "").shown == "half\nOops\n"
    assert CellResult("", "Oops", 0, "Over.").shown == "Oops\nOver.\n"
    assert CellResult("", "", 0, "").shown == ""


def test_a_lesson_is_run_in_order(tiny) -> None:
    results = run_lesson(load_lab(tiny))
    assert [(cell.number, result.shown) for cell, result in results] == [
        (1, "hello\n"),
        (2, "True\n"),
    ]


def test_a_lesson_that_ends_its_own_program_is_reported_at_the_next_cell(tiny) -> None:
    (tiny / "lesson.md").write_text(
        "```python run\nimport os\nos._exit(0)\n```\n\n```python run\n1\n```\n"
    )
    with pytest.raises(CourseError, match=r"lesson\.md:6: An earlier cell ended"):
        run_lesson(load_lab(tiny))
