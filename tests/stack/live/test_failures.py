"""What an exercise raised reaches its author as text and the checks as an exception."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pika.exceptions
import pytest

from sandbox.stack.base import ExerciseError
from sandbox.stack.live import control, failures

EXERCISE = '''
import json

class Sold(Exception):
    """Defined in the exercise."""

def outer(text):
    return inner(text)

def inner(text):
    return json.loads(text)

def sold_out():
    raise Sold("nothing left")

def chained():
    try:
        inner("x")
    except ValueError as error:
        raise KeyError("chained") from error
'''


@pytest.fixture
def exercise(tmp_path: Path) -> Any:
    file = tmp_path / "shop.py"
    file.write_text(EXERCISE)
    specification = importlib.util.spec_from_file_location("shop", file)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def _raised(act: Any, *arguments: Any) -> BaseException:
    with pytest.raises(Exception) as caught:
        act(*arguments)
    error: BaseException = caught.value
    # Without this test's own frame, as the runner's is left out.
    traceback = error.__traceback__
    assert traceback is not None
    while traceback.tb_next and "shop" not in traceback.tb_frame.f_code.co_filename:
        traceback = traceback.tb_next
    return error.with_traceback(traceback)


def test_the_authors_lines_come_first(exercise: Any, tmp_path: Path) -> None:
    text = failures.own_lines_first(_raised(exercise.outer, "{"), tmp_path)
    lines = text.splitlines()
    assert lines[0].startswith("json.decoder.JSONDecodeError: Expecting property name")
    assert lines[1] == "  shop.py:8  return inner(text)"
    assert lines[2] == "  shop.py:11  return json.loads(text)"
    assert "The whole traceback:" in text
    assert "json/decoder.py" in text


def test_an_error_of_the_authors_alone_is_short(exercise: Any, tmp_path: Path) -> None:
    text = failures.own_lines_first(_raised(exercise.sold_out), tmp_path)
    assert text == 'shop.Sold: nothing left\n  shop.py:14  raise Sold("nothing left")\n'


def test_a_cause_is_told_as_well(exercise: Any, tmp_path: Path) -> None:
    text = failures.own_lines_first(_raised(exercise.chained), tmp_path)
    assert "direct cause" in text


def _across(error: BaseException, folder: Path) -> BaseException:
    """Send a failure as the process does, and rebuild it as the stack does."""
    message = control.decode(control.encode("raised", **failures.describe(error, folder)))
    return failures.rebuild(message)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("no", 3),
        KeyError("k"),
        TimeoutError("late"),
        pika.exceptions.ChannelClosedByBroker(404, "NOT_FOUND"),
        pika.exceptions.AMQPConnectionError(),
    ],
)
def test_known_exceptions_are_rebuilt(error: BaseException, tmp_path: Path) -> None:
    rebuilt = _across(error, tmp_path)
    assert type(rebuilt) is type(error)
    assert rebuilt.args == error.args


def test_an_exception_of_the_exercise_becomes_its_text(exercise: Any, tmp_path: Path) -> None:
    rebuilt = _across(_raised(exercise.sold_out), tmp_path)
    assert isinstance(rebuilt, ExerciseError)
    assert str(rebuilt) == "shop.Sold: nothing left"


def test_an_exception_that_cannot_be_rebuilt_from_its_arguments_becomes_its_text(
    tmp_path: Path,
) -> None:
    error = json.JSONDecodeError("Expecting value", "doc", 0)
    assert isinstance(_across(error, tmp_path), ExerciseError)


def test_nothing_is_imported_because_a_process_says_so() -> None:
    message = {"module": "os", "type": "system", "args": ["true"], "summary": "os.system: true"}
    assert isinstance(failures.rebuild(message), ExerciseError)


def test_only_exceptions_are_built() -> None:
    message = {"module": "builtins", "type": "print", "args": ["hello"], "summary": "print"}
    assert isinstance(failures.rebuild(message), ExerciseError)
