"""What learners read about their own exceptions."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest

from sandbox.course.explain import explain, sentence, still_raises, syntax_problem


def raised(file: Path, source: str) -> tuple[BaseException, str]:
    file.write_text(source)
    try:
        exec(compile(source, str(file), "exec"), {})
    except BaseException as error:
        return error, traceback.format_exc()
    raise AssertionError("nothing was raised")


def test_the_learners_lines_come_with_the_exception(tmp_path: Path) -> None:
    file = tmp_path / "worker.py"
    error, told = raised(file, "def f():\n    return [][0]\n\nf()\n")
    assert explain(error, told, [file.name]).splitlines() == [
        "IndexError: list index out of range",
        "  worker.py:4  f()",
        "  worker.py:2  return [][0]",
    ]


def test_an_exercise_nobody_began_is_named_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "worker.py"
    error, told = raised(file, "def f():\n    raise NotImplementedError\nf()\n")
    assert still_raises(error, told, file) == "worker.py:2 still raises NotImplementedError."
    error, told = raised(file, "1 / 0")
    assert still_raises(error, told, file) == ""
    assert still_raises(None, "", file) == ""


def test_a_file_that_is_not_python_is_described(tmp_path: Path) -> None:
    file = tmp_path / "worker.py"
    file.write_text("x = 1\nif x print(x)\n")
    said = syntax_problem(file)
    assert said.startswith("worker.py:2 is not valid Python: ")
    assert said.endswith("\n  worker.py:2  if x print(x)")
    file.write_bytes(b"x = 1\0")
    assert "worker.py" in syntax_problem(file)
    file.write_text("x = 1\n")
    assert syntax_problem(file) == ""
    file.unlink()
    assert "no file" in syntax_problem(file)


@pytest.mark.parametrize(
    ("summary", "said"),
    [
        (
            'pika.exceptions.ChannelClosedByBroker: (406, "PRECONDITION_FAILED - inequivalent arg '
            "'durable' for queue 'orders' in vhost '/': received 'true' but current is 'false'\")",
            "Something declared `orders` with another `durable`",
        ),
        (
            "pika.exceptions.ChannelClosedByBroker: (406, 'PRECONDITION_FAILED - unknown delivery "
            "tag 4')",
            "Delivery tag 4 names nothing",
        ),
        (
            "pika.exceptions.ChannelClosedByBroker: (404, \"NOT_FOUND - no queue 'orders' in vhost "
            "'/'\")",
            "Nobody has declared the queue `orders`",
        ),
        ("pika.exceptions.AMQPConnectionError", "Nothing answered"),
        ("NameError: name 'callback' is not defined", "`callback` must be bound"),
        ("ValueError: nothing known", ""),
    ],
)
def test_the_errors_everybody_meets_get_a_sentence(summary: str, said: str) -> None:
    assert said in sentence(summary)
    assert bool(said) == bool(sentence(summary))
