"""start, labs, check, hint, reset: a learner's commands."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.cli.conftest import Command


def answer(home: Path, course: Path, *exercises: str) -> None:
    for exercise in exercises:
        shutil.copy(course / "solutions" / "tiny" / f"{exercise}.py", home / "tiny")


def test_from_an_empty_folder_to_a_passed_lab(sandbox: Command, home: Path, course: Path) -> None:
    started = sandbox("start")
    assert started.status == 0
    assert "added    tiny/total.py" in started.out
    assert sorted(path.name for path in (home / "tiny").iterdir()) == ["relay.py", "total.py"]
    assert "← next: sandbox watch tiny" in sandbox("labs").out

    untried = sandbox("check", "tiny")
    assert untried.status == 1
    assert "not tried" in untried.out
    assert "total.py:6 still raises NotImplementedError." in untried.out

    answer(home, course, "total")
    half = sandbox("check", "tiny")
    assert half.status == 1
    assert "✓ the total is the sum" in half.out
    assert half.out.rstrip().endswith("2 of 5")
    assert "● ○" in sandbox("labs").out

    answer(home, course, "relay")
    assert sandbox("check", "tiny").status == 0
    listed = sandbox("labs").out
    assert "● ●" in listed
    assert "5 / 5" in listed
    assert "next" not in listed


def test_starting_twice_keeps_what_was_written(sandbox: Command, home: Path) -> None:
    sandbox("start", "mine")
    (home / "mine" / "tiny" / "total.py").write_text("mine")
    again = sandbox("start", "mine")
    assert "2 files that were there are as they were" in again.out
    assert (home / "mine" / "tiny" / "total.py").read_text() == "mine"


def test_one_exercise_is_checked_from_one_file_and_leaves_no_progress(
    sandbox: Command, home: Path, course: Path
) -> None:
    sandbox("start")
    solution = course / "solutions" / "tiny" / "total.py"
    ran = sandbox("check", "tiny/total", "--from", str(solution))
    assert ran.status == 0
    assert "relay" not in ran.out
    assert "○ ○" in sandbox("labs").out


def test_a_file_answers_the_exercise_it_is_called_after(sandbox: Command, course: Path) -> None:
    ran = sandbox("check", "tiny", "--from", str(course / "solutions" / "tiny" / "total.py"))
    assert ran.status == 0
    assert "Add up an order" in ran.out
    odd = course / "answer.py"
    odd.write_text("x = 1")
    ran = sandbox("check", "tiny", "--from", str(odd))
    assert ran.status == 2
    assert "Name one: tiny/total, tiny/relay" in ran.err


def test_folders_are_looked_into_with_and_without_the_labs_name(
    sandbox: Command, course: Path
) -> None:
    assert sandbox("check", "tiny", "--from", str(course / "solutions")).status == 0
    assert sandbox("check", "tiny", "--from", str(course / "solutions" / "tiny")).status == 0


def test_json_is_one_object_and_nothing_else(sandbox: Command, course: Path) -> None:
    ran = sandbox("check", "tiny", "--from", str(course / "solutions" / "tiny"), "--json")
    told = json.loads(ran.out)
    assert (told["lab"], told["stack"], told["seed"]) == ("tiny", "simulated", 1)
    assert (told["points"], told["max_points"]) == (5, 5)
    assert [exercise["outcome"] for exercise in told["exercises"]] == ["pass", "pass"]
    solutions = str(course / "solutions")
    ran = sandbox("check", "tiny/total", "--from", solutions, "--json", "--seed", "9")
    assert json.loads(ran.out)["seed"] == 9


def test_a_missing_file_is_status_2_and_is_named(sandbox: Command, home: Path) -> None:
    sandbox("start")
    (home / "tiny" / "total.py").unlink()
    ran = sandbox("check", "tiny")
    assert ran.status == 2
    assert "There is no file" in ran.out
    assert "total.py" in ran.out.replace("\n", "")


def test_without_exercises_the_sentence_says_how_to_get_them(sandbox: Command) -> None:
    ran = sandbox("check", "tiny")
    assert ran.status == 2
    assert ran.err.startswith("sandbox: You have no exercises here yet. `sandbox start`")
    assert ran.out == ""


def test_an_unknown_lab_or_exercise_suggests_the_nearest(sandbox: Command) -> None:
    ran = sandbox("check", "tinny")
    assert (ran.status, "Did you mean tiny?" in ran.err) == (2, True)
    ran = sandbox("check", "tiny/totals")
    assert (ran.status, "Did you mean total?" in ran.err) == (2, True)


def test_messages_are_wrapped_and_code_is_not(sandbox: Command, home: Path) -> None:
    sandbox("start")
    long = "x" * 90
    (home / "tiny" / "total.py").write_text(
        f"def total(amounts):\n    raise ValueError('a word ' * 30, '{long}')\n"
    )
    ran = sandbox("check", "tiny/total")
    lines = ran.out.splitlines()
    assert any(line.lstrip().startswith("total.py:2  raise ValueError(") for line in lines)
    assert all(len(line) <= 80 or long in line or "total.py:2" in line for line in lines), ran.out


def test_check_without_a_name_takes_the_next_lab(sandbox: Command, home: Path) -> None:
    sandbox("start")
    assert "Add up an order" in sandbox("check").out


def test_hints_come_one_at_a_time_and_the_last_one_stays(sandbox: Command) -> None:
    sandbox("start")
    assert "hint 1 of 2" in sandbox("hint", "tiny/total").out
    second = sandbox("hint", "tiny/total").out
    assert "hint 2 of 2" in second
    assert "Look at `sum`." in second
    assert "hint 2 of 2" in sandbox("hint", "tiny/total").out
    assert "tiny/total" in sandbox("hint").out


def test_resetting_says_where_the_old_file_is(sandbox: Command, home: Path, course: Path) -> None:
    sandbox("start")
    file = home / "tiny" / "total.py"
    file.write_text("mine")
    ran = sandbox("reset", "tiny/total")
    assert file.read_bytes() == (course / "labs/tiny/exercises/total.py").read_bytes()
    kept = Path(ran.out.split("yours is kept in ")[1].strip())
    assert kept.read_text() == "mine"


def test_labs_as_json(sandbox: Command) -> None:
    (lab,) = json.loads(sandbox("labs", "--json").out)["labs"]
    assert (lab["slug"], lab["points"], lab["max_points"]) == ("tiny", 0, 5)
    assert [exercise["passed"] for exercise in lab["exercises"]] == [False, False]


def test_every_command_has_help_with_an_example(sandbox: Command) -> None:
    whole = sandbox("--help").out
    assert whole.count("sandbox start") == 1
    commands = ["start", "labs", "check", "watch", "hint", "reset", "run", "serve", "notebooks"]
    for command in [*commands, "lab new", "lab check", "lab update"]:
        ran = sandbox(*command.split(), "--help")
        assert ran.status == 0
        assert f"Example: sandbox {command}" in ran.out, command


def test_a_wrong_option_is_status_2(sandbox: Command) -> None:
    assert sandbox("check", "--nonsense").status == 2
    assert sandbox("check", "tiny", "--stack", "imaginary").status == 2
