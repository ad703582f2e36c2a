"""What `sandbox lab check` finds out about a lab that is not as it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.course.manifest import load_lab
from sandbox.grading.prove import Proof, claims, prove, prove_all


def problems(tiny: Path, kind: str) -> list[str]:
    wanted = [claim for claim in claims([load_lab(tiny)]) if claim.kind == kind]
    assert wanted
    return [proof.problem for proof in map(prove, wanted) if not proof.holds]


def test_the_tiny_lab_is_what_it_claims_in_parallel_processes(tiny: Path) -> None:
    wanted = claims([load_lab(tiny)])
    proofs = list(prove_all(wanted, jobs=2))
    assert {proof.claim for proof in proofs} == set(wanted)
    assert [proof for proof in proofs if not proof.holds] == []


def test_a_starter_that_passes_is_reported(tiny: Path) -> None:
    solution = tiny.parent.parent / "solutions" / "tiny" / "total.py"
    (tiny / "exercises" / "total.py").write_bytes(solution.read_bytes())
    (problem,) = problems(tiny, "starter")
    assert "should fail, and it is: outcome pass" in problem


def test_a_starter_that_breaks_its_checks_is_reported(tiny: Path) -> None:
    (tiny / "checks" / "test_total.py").write_text("def test_it(lab):\n    lab.nothing()\n")
    assert any("outcome error" in problem for problem in problems(tiny, "starter"))


def test_a_solution_that_fails_is_reported_with_the_message(tiny: Path) -> None:
    solution = tiny.parent.parent / "solutions" / "tiny" / "total.py"
    solution.write_text("def total(amounts):\n    return 5\n")
    (problem,) = problems(tiny, "solution")
    assert "With seed 1 it should pass" in problem
    assert "An order of 1, 2 and 3 costs 5" in problem
    solution.unlink()
    (problem,) = problems(tiny, "solution")
    assert "There is no" in problem


def test_a_mistake_that_is_not_caught_is_reported(tiny: Path) -> None:
    path = tiny / "mistakes" / "total" / "forgets_the_last.py"
    path.write_text(path.read_text().replace("amounts[:-1]", "amounts"))
    (problem,) = problems(tiny, "mistake")
    assert "not caught by test_the_total_is_the_sum" in problem


def test_a_mistake_that_other_checks_catch_too_is_reported(tiny: Path) -> None:
    path = tiny / "mistakes" / "total" / "forgets_the_last.py"
    path.write_text(path.read_text().replace("sum(amounts[:-1])", "1"))
    (problem,) = problems(tiny, "mistake")
    assert "also caught by test_an_empty_order_costs_nothing" in problem


def test_a_mistake_whose_question_nobody_would_be_asked_is_reported(tiny: Path) -> None:
    folder = tiny / "mistakes" / "total"
    twin = folder / "a_twin.py"
    twin.write_text(
        (folder / "forgets_the_last.py").read_text().replace("How many amounts", "What else")
    )
    (problem,) = problems(tiny, "mistake")
    assert "is not asked" in problem


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('hints = ["What is a total?", "Look at `sum`."]\n', "", "has no hints"),
        (
            'goal = "The total is the sum of all amounts. An empty order costs nothing."\n',
            "",
            "has no goal",
        ),
    ],
)
def test_an_exercise_without_hints_or_a_goal_is_reported(
    tiny: Path, old: str, new: str, said: str
) -> None:
    path = tiny / "lab.toml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    (problem,) = problems(tiny, "files")
    assert said in problem


def test_a_check_that_imports_the_exercise_is_reported(tiny: Path) -> None:
    path = tiny / "checks" / "test_total.py"
    path.write_text("from total import total\n" + path.read_text())
    (problem,) = problems(tiny, "files")
    assert "through `lab` only" in problem


def test_a_folder_of_mistakes_for_no_exercise_is_reported(tiny: Path) -> None:
    (tiny / "mistakes" / "totals").mkdir()
    (problem,) = problems(tiny, "files")
    assert "mistakes/totals/ belongs to no exercise" in problem


def test_a_stale_lesson_and_an_unplaced_exercise_are_reported(tiny: Path) -> None:
    path = tiny / "lesson.md"
    right = path.read_text()
    path.write_text(right.replace("```output\nhello", "```output\ngoodbye"))
    (problem,) = problems(tiny, "lesson")
    assert "prints 'hello' where 'goodbye' is stored" in problem
    assert "sandbox lab update tiny" in problem
    path.write_text(right.replace("```exercise relay\n```\n", ""))
    (problem,) = problems(tiny, "lesson")
    assert "never places exercise 'relay'" in problem


def test_a_lab_that_cannot_be_read_any_more_is_a_problem_and_no_crash(tiny: Path) -> None:
    wanted = claims([load_lab(tiny)])
    (tiny / "lab.toml").write_text("slug = ")
    assert all(isinstance(proof, Proof) and not proof.holds for proof in map(prove, wanted))
