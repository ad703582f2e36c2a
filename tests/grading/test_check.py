"""Verdicts: what passes, what fails, what is an error, and what is said about it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from sandbox.course.manifest import load_lab
from sandbox.course.model import Lab
from sandbox.grading.check import check_lab
from sandbox.grading.result import CheckResult, ExerciseResult, Result

RELAY = """
import pika
from sandbox import record

def relay():
    channel = pika.BlockingConnection(pika.ConnectionParameters("localhost")).channel()
    channel.queue_declare("orders")
    for method, _, body in channel.consume("orders"):
{body}
"""


@pytest.fixture
def lab(tiny: Path) -> Lab:
    return load_lab(tiny)


def checked(lab: Lab, exercise: str, file: Path, **options: object) -> ExerciseResult:
    return check_lab(lab, {exercise: file}, **options).exercises[0]  # type: ignore[arg-type]


def written(tmp_path: Path, source: str) -> Path:
    file = tmp_path / "answer.py"
    file.write_text(source)
    return file


def outcomes(result: ExerciseResult) -> dict[str, str]:
    return {check.name: check.outcome for check in result.checks}


def test_solutions_pass_with_all_their_points(lab: Lab) -> None:
    result = check_lab(lab, {each.id: lab.solution(each.id) for each in lab.exercises})
    assert (result.points, result.max_points, result.exit_status) == (5, 5, 0)
    assert [exercise.outcome for exercise in result.exercises] == ["pass", "pass"]
    assert all(check.message == "" for each in result.exercises for check in each.checks)


def test_the_object_is_exactly_the_documented_one(lab: Lab) -> None:
    result = check_lab(lab, {"total": lab.solution("total")})
    seconds = [check.seconds_virtual for check in result.exercises[0].checks]
    assert json.loads(json.dumps(result.as_dict())) == {
        "lab": "tiny",
        "stack": "simulated",
        "seed": 1,
        "exercises": [
            {
                "id": "total",
                "title": "Add up an order",
                "points": 2,
                "max_points": 2,
                "outcome": "pass",
                "checks": [
                    {
                        "name": "test_the_total_is_the_sum",
                        "outcome": "pass",
                        "message": "",
                        "seconds_virtual": seconds[0],
                    },
                    {
                        "name": "test_an_empty_order_costs_nothing",
                        "outcome": "pass",
                        "message": "",
                        "seconds_virtual": seconds[1],
                    },
                ],
            }
        ],
        "points": 2,
        "max_points": 2,
    }


def test_a_starter_is_not_tried_and_says_which_line_still_raises(lab: Lab) -> None:
    result = checked(lab, "relay", lab.starter("relay"))
    assert result.outcome == "fail"
    assert result.untried == "relay.py:10 still raises NotImplementedError."
    # Also the check that nothing is left unacknowledged, which holds while nothing is delivered.
    assert {check.message for check in result.checks} == {result.untried}


def test_a_failure_says_what_the_check_says_and_asks_the_mistakes_question(lab: Lab) -> None:
    (path,) = [each for each in lab.mistakes("relay") if each.stem == "never_acks"]
    result = checked(lab, "relay", path)
    assert outcomes(result) == {
        "test_every_order_is_shipped": "pass",
        "test_no_order_is_left_unacknowledged": "fail",
    }
    assert result.checks[1].message.splitlines() == [
        "3 orders were delivered and never acknowledged. Who will?",
        "Think about: RabbitMQ keeps what it has not been told is done.",
    ]
    assert result.points == 0


def test_an_exception_of_the_learners_code_shows_their_lines(lab: Lab, tmp_path: Path) -> None:
    file = written(tmp_path, "def total(amounts):\n    return amounts.sum()\n")
    result = checked(lab, "total", file)
    assert outcomes(result)["test_the_total_is_the_sum"] == "fail"
    assert result.checks[0].message.splitlines()[:2] == [
        "AttributeError: 'list' object has no attribute 'sum'",
        "  answer.py:2  return amounts.sum()",
    ]


def test_an_exception_in_a_process_is_named_below_what_it_caused(lab: Lab, tmp_path: Path) -> None:
    body = "        channel.basic_ack(99)\n        channel.queue_declare('orders', passive=True)\n"
    result = checked(lab, "relay", written(tmp_path, RELAY.format(body=body)))
    message = result.checks[0].message
    assert message.startswith("3 orders were never shipped: ['a', 'b', 'c']\n")
    assert "`relay` ended with pika.exceptions.ChannelClosedByBroker: (406" in message
    assert "Delivery tag 99 names nothing" in message


def test_a_syntax_error_fails_every_check_with_its_line(lab: Lab, tmp_path: Path) -> None:
    result = checked(lab, "total", written(tmp_path, "def total(amounts)\n    return 1\n"))
    assert set(outcomes(result).values()) == {"fail"}
    assert all("answer.py:1 is not valid Python" in check.message for check in result.checks)


def test_a_function_that_is_not_there_is_the_learners_failure(lab: Lab, tmp_path: Path) -> None:
    result = checked(lab, "total", written(tmp_path, "def totals(amounts): ...\n"))
    assert set(outcomes(result).values()) == {"fail"}
    assert "no function called 'total'" in result.checks[0].message


def test_an_endless_loop_fails_and_says_where(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox.stack.simulated.patience.REAL_LIMIT_S", 0.5)
    monkeypatch.setattr("sandbox.stack.simulated.patience.SECOND_LIMIT_S", 0.25)
    file = written(tmp_path, "def total(amounts):\n    while True:\n        pass\n")
    result = checked(lab, "total", file, seeds=[1])
    assert result.outcome == "fail"
    assert "after 0.5 s" in result.checks[0].message
    assert "answer.py:" in result.checks[0].message
    again = checked(lab, "total", file, seeds=[1])
    assert "after 0.25 s" in again.checks[0].message, "it was known to loop"


def test_a_check_that_breaks_is_an_error_and_no_failure(lab: Lab) -> None:
    lab.checks("total").write_text("def test_it(lab):\n    lab.cal('total')\n")
    result = checked(lab, "total", lab.solution("total"))
    assert result.outcome == "error"
    assert "says nothing about you" in result.checks[0].message
    assert "test_total.py:2  lab.cal('total')" in result.checks[0].message
    assert Result("tiny", "simulated", 1, (result,)).exit_status == 2


def test_checks_that_cannot_be_imported_are_an_error(lab: Lab) -> None:
    lab.checks("total").write_text("def test_it(lab:\n")
    result = checked(lab, "total", lab.solution("total"))
    assert result.outcome == "error"
    assert "cannot be read" in result.checks[0].message


def test_a_file_that_is_not_there_is_an_error_that_names_it(lab: Lab, tmp_path: Path) -> None:
    result = checked(lab, "total", tmp_path / "absent.py")
    assert result.outcome == "error"
    assert "absent.py" in result.checks[0].message


def test_an_assertion_without_a_message_shows_itself(lab: Lab, tmp_path: Path) -> None:
    file = written(tmp_path, "def total(amounts):\n    return 6\n")
    result = checked(lab, "total", file)
    assert 'This does not hold: lab.call("total", []) == 0' in result.checks[1].message


def test_every_seed_is_tried_and_the_failing_one_is_named(lab: Lab, tmp_path: Path) -> None:
    lab.checks("total").write_text("def test_seed(lab):\n    assert lab.seed != 7, 'Seven.'\n")
    result = checked(lab, "total", lab.solution("total"))
    assert result.checks[0].message == "Seven.\n(seed 7)"
    assert checked(lab, "total", lab.solution("total"), seeds=[1]).outcome == "pass"


def test_a_check_for_another_stack_is_skipped_by_name(lab: Lab) -> None:
    text = lab.checks("total").read_text()
    lab.checks("total").write_text(
        f"import pytest\n\n@pytest.mark.stack('live')\ndef test_real(lab): assert 0\n{text}"
    )
    result = checked(lab, "total", lab.solution("total"))
    assert result.checks[0] == CheckResult(
        "test_real", "skip", "This check runs on the live stack only."
    )
    assert result.outcome == "pass"


def test_an_exercise_of_which_nothing_could_run_is_an_error(lab: Lab) -> None:
    lab.checks("total").write_text(
        "import pytest\n\n@pytest.mark.stack('live')\ndef test_real(lab): assert 0\n"
    )
    assert checked(lab, "total", lab.solution("total")).outcome == "error"


def test_a_conftest_and_printed_words_of_the_learner_change_nothing(
    lab: Lab, tmp_path: Path
) -> None:
    (tmp_path / "conftest.py").write_text(
        "import pytest\n@pytest.hookimpl(hookwrapper=True)\n"
        "def pytest_runtest_makereport():\n    (yield).get_result().outcome = 'passed'\n"
    )
    file = written(tmp_path, "print('PASSED')\ndef total(amounts):\n    return 7\n")
    assert checked(lab, "total", file).outcome == "fail"


def test_nothing_is_written_beside_checks_or_files(lab: Lab, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    file = folder / "total.py"
    file.write_bytes(lab.solution("total").read_bytes())
    before = set(lab.folder.rglob("*"))
    check_lab(lab, {"total": file})
    assert set(lab.folder.rglob("*")) == before
    assert list(folder.iterdir()) == [file]


def test_options_of_the_surrounding_pytest_take_no_part(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", "-k nothing_is_called_this")
    assert checked(lab, "total", lab.solution("total")).outcome == "pass"
    assert os.environ["PYTEST_ADDOPTS"] == "-k nothing_is_called_this"


def test_checks_changed_between_two_runs_are_read_again(lab: Lab) -> None:
    assert checked(lab, "total", lab.solution("total")).outcome == "pass"
    lab.checks("total").write_text("def test_it(lab):\n    assert 0, 'Changed.'\n")
    assert checked(lab, "total", lab.solution("total"), seeds=[1]).checks[0].message == "Changed."


def test_progress_is_told_once_per_check_after_its_last_seed(lab: Lab) -> None:
    told: list[tuple[str, str]] = []
    check_lab(
        lab,
        {"total": lab.solution("total"), "relay": lab.starter("relay")},
        progress=lambda exercise, check: told.append((exercise, check.outcome)),
    )
    assert told == [("total", "pass"), ("total", "pass"), ("relay", "fail"), ("relay", "fail")]


def test_crash_points_that_were_tried_are_noted(lab: Lab) -> None:
    lab.checks("relay").write_text(
        "def scenario(lab):\n"
        "    lab.rabbitmq.publish('orders', ['a'])\n"
        "    lab.start('relay')\n"
        "    lab.run_until_idle()\n"
        "def test_it(lab):\n"
        "    lab.crash_everywhere('relay', scenario)\n"
    )
    (check,) = checked(lab, "relay", lab.solution("relay")).checks
    assert check.note.endswith("crash points, 2 seeds")
