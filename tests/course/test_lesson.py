"""Lessons: blocks, and the complaints with their lines."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.course.errors import CourseError
from sandbox.course.lesson import (
    Cell,
    ExerciseCard,
    Option,
    Predict,
    Prose,
    cells,
    parse,
    read_lesson,
    write_outputs,
)

LESSON = """\
# Title

Words.

```python run
print("one")
```

```output
one
```

```python
never_run()
```

```predict
question = "What now?"
options = ["* This", "That"]
because = "So."
```

```python run
x = 2
```

```exercise total
```
"""


def complaint(text: str, exercises: list[str] | None = None) -> CourseError:
    with pytest.raises(CourseError) as caught:
        parse(text, exercises=exercises, path=Path("labs/tiny/lesson.md"))
    return caught.value


def test_a_lesson_becomes_blocks_in_order() -> None:
    blocks = [
        block
        for block in parse(LESSON, exercises=["total"])
        if not (isinstance(block, Prose) and not block.text.strip())
    ]
    assert blocks == [
        Prose("# Title\n\nWords.\n\n", 1),
        Cell(1, 'print("one")\n', "one\n", 5),
        Prose("\n```python\nnever_run()\n```\n\n", 12),
        Predict("What now?", (Option("This", True), Option("That", False)), "So.", 17),
        Cell(2, "x = 2\n", None, 23),
        ExerciseCard("total", 27),
    ]


def test_every_line_is_in_a_block_or_a_fence() -> None:
    prose = "".join(block.text for block in parse(LESSON) if isinstance(block, Prose))
    for line in ("# Title", "Words.", "```python", "never_run()"):
        assert line in prose.splitlines()


def test_a_fence_inside_a_longer_fence_means_nothing() -> None:
    text = "````markdown\n```python run\nx\n```\n````\n"
    assert parse(text) == [Prose(text, 1)]


def test_tildes_make_fences_too() -> None:
    assert cells(parse("~~~python run\nx\n~~~\n")) == [Cell(1, "x\n", None, 1)]


def test_an_unknown_exercise_is_named_with_its_line_and_what_there_is() -> None:
    error = complaint(LESSON, ["relay"])
    assert error.line == 27
    assert str(error).startswith("labs/tiny/lesson.md:27: ")
    assert "'total'" in error.sentence
    assert "relay" in error.sentence


def test_output_without_a_cell_is_refused() -> None:
    assert complaint("```output\nx\n```\n").line == 1
    error = complaint("```python run\nx\n```\n\nWords between.\n\n```output\nx\n```\n")
    assert error.line == 7
    assert "no cell" in error.sentence


def test_a_second_output_is_refused() -> None:
    fence = "```output\nx\n```\n"
    assert complaint("```python run\nx\n```\n" + fence + fence).line == 7


def test_an_unclosed_fence_is_reported_where_it_opens() -> None:
    error = complaint("Words.\n\n```python run\nx\n")
    assert error.line == 3
    assert "never closed" in error.sentence


def test_an_empty_cell_is_refused() -> None:
    assert "empty" in complaint("```python run\n```\n").sentence


def test_an_exercise_has_one_place() -> None:
    error = complaint("```exercise total\n```\n\n```exercise total\n```\n")
    assert error.line == 4
    assert "already" in error.sentence


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("question = ", "TOML"),
        ('question = "Q"\noptions = ["* a", "b"]', "`because`"),
        ('question = "Q"\noptions = ["a", "b"]\nbecause = "B"', "exactly one"),
        ('question = "Q"\noptions = ["* a", "* b"]\nbecause = "B"', "exactly one"),
        ('question = "Q"\noptions = ["* a"]\nbecause = "B"', "two options"),
        ('question = "Q"\noptions = "* a"\nbecause = "B"', "a list"),
        ('question = "Q"\nanswers = []\nbecause = "B"', "no key `answers`"),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused(body: str, said: str) -> None:
    error = complaint(f"```predict\n{body}\n```\n")
    assert said in error.sentence
    assert error.line == 1


def test_a_lesson_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="needs a lesson"):
        read_lesson(tmp_path / "lesson.md")


def test_outputs_are_replaced_added_and_removed() -> None:
    written = write_outputs(LESSON, {1: "", 2: "two\n"})
    outputs = [cell.output for cell in cells(parse(written))]
    assert outputs == [None, "two\n"]
    assert write_outputs(written, {1: "one\n", 2: ""}) == LESSON


def test_outputs_that_hold_fences_are_fenced_longer() -> None:
    output = "```output\nnot the end\n```\n"
    written = write_outputs("```python run\nx\n```\n", {1: output})
    assert [cell.output for cell in cells(parse(written))] == [output]


@given(st.lists(st.text(st.characters(codec="utf-8", categories=["L", "P", "S", "N"]))))
def test_whatever_a_cell_prints_comes_back_as_it_was(lines: list[str]) -> None:
    output = "".join(f"{line}\n" for line in lines)
    written = write_outputs(LESSON, {1: output})
    assert cells(parse(written))[0].output == (output or None)
    assert write_outputs(written, {1: "one\n"}) == LESSON
