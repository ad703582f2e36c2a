"""Which known mistake a submission resembles."""

from __future__ import annotations

from pathlib import Path

from sandbox.course.manifest import load_lab
from sandbox.grading.questions import nearness, question_for


def test_the_question_of_the_mistake_that_fails_the_same_checks_is_asked(
    tiny: Path, tmp_path: Path
) -> None:
    lab = load_lab(tiny)
    file = tmp_path / "total.py"
    file.write_text("def total(amounts): return amounts[0]")
    assert "first amount" in question_for(lab, "total", file, ["test_an_empty_order_costs_nothing"])
    both = ["test_the_total_is_the_sum", "test_an_empty_order_costs_nothing"]
    assert question_for(lab, "total", file, both) == ""


def test_of_two_mistakes_the_nearer_one_decides(tiny: Path, tmp_path: Path) -> None:
    lab = load_lab(tiny)
    other = tiny / "mistakes" / "total" / "adds_one.py"
    other.write_text(
        "# caught-by: test_the_total_is_the_sum\n# hint: Where does the one come from?\n"
        "def total(amounts):\n    return sum(amounts) + 1 if amounts else 0\n"
    )
    file = tmp_path / "total.py"
    failed = ["test_the_total_is_the_sum"]
    file.write_text("def total(xs):\n    return sum(xs) + 1 if xs else 0\n")
    assert "the one" in question_for(lab, "total", file, failed)
    file.write_text("def total(xs: list[int]) -> int:\n    return sum(xs[:-1])\n")
    assert "How many amounts" in question_for(lab, "total", file, failed)


def test_a_mistake_with_broken_headers_is_no_candidate(tiny: Path, tmp_path: Path) -> None:
    lab = load_lab(tiny)
    for path in lab.mistakes("total"):
        path.write_text("# hint: no check named\n")
    assert question_for(lab, "total", lab.starter("total"), ["test_the_total_is_the_sum"]) == ""


def test_comments_and_layout_make_no_difference() -> None:
    assert nearness("x = 1  # one\n", "# none\n\nx = 1\n") == 1.0
    assert nearness("x = 1\n", "y = 2\n") < 1.0
    assert 0 <= nearness("x = (\n", "x = 1\n") < 1.0
