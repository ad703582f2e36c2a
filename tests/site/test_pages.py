"""A lab folder becomes a page that can be read, and used, without the front end."""

import base64
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from sandbox.course.lesson import Cell, ExerciseCard, Predict, parse
from sandbox.course.model import Lab
from sandbox.site import pages, widgets


class Outline(HTMLParser):
    """Collects elements by attribute, and complains about tags that do not match."""

    VOID = ("input", "br", "path", "meta", "link")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.hooks: list[tuple[str, str | None]] = []
        self.ids: list[str] = []
        self.labelled: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name in ("data-testid", "data-cell", "data-exercise", "data-predict"):
                self.hooks.append((name, value))
            if name == "id":
                self.ids.append(value or "")
            if name == "aria-labelledby":
                self.labelled.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


def outline(html: str) -> Outline:
    parsed = Outline()
    parsed.feed(html)
    assert parsed.open == []
    return parsed


def rendered(lab: Lab) -> str:
    page = pages.lab_page(lab)
    html = page.fill(page.markdown)
    assert "{" not in re.sub(r"<script.*</script>", "", html)  # no template left unfilled
    return html


def test_the_prose_stays_markdown_and_the_rest_becomes_slots(fixture_lab: Lab) -> None:
    page = pages.lab_page(fixture_lab)
    assert "Prose with `code`, a [link](#two-cells)" in page.markdown
    assert "```python run" not in page.markdown
    assert "```python\nnot_a_cell = True\n```" in page.markdown
    assert len(page.slots) == 4
    for n in range(4):
        assert f'\n\n<div data-sandbox-slot="{n}"></div>\n\n' in page.markdown


def test_a_cell_shows_its_code_and_its_stored_output_without_any_script(fixture_lab: Lab) -> None:
    html = rendered(fixture_lab)
    assert "total True\n</pre>" in html
    assert '<span class="tok-comment"># a comparison, &amp; a comment</span>' in html


def test_what_a_question_asks_for_is_there_and_veiled(fixture_lab: Lab) -> None:
    html = rendered(fixture_lab)
    first, second = re.findall(r'<div class="(sb-output[^"]*)"[^>]*><pre>', html)
    assert first == "sb-output sb-output--stored"
    assert second == "sb-output sb-output--stored sb-output--veiled"
    assert "><pre>\n2\n</pre></div>" in html


def test_cells_and_exercises_have_the_hooks_that_tests_rely_on(fixture_lab: Lab) -> None:
    hooks = outline(rendered(fixture_lab)).hooks
    cells = [value for name, value in hooks if name == "data-cell"]
    assert cells == ["1", "2"]
    card = hooks[hooks.index(("data-exercise", "send")) :]
    names = {value for name, value in card if name == "data-testid"}
    assert {"run", "check", "stop", "reset", "output", "results", "editor"} <= names
    cell = hooks[hooks.index(("data-cell", "1")) : hooks.index(("data-predict", "1"))]
    names = {value for name, value in cell if name == "data-testid"}
    assert {"run", "stop", "reset", "output", "editor"} <= names


def test_ids_are_unique_and_every_label_exists(fixture_lab: Lab) -> None:
    parsed = outline(rendered(fixture_lab))
    assert len(parsed.ids) == len(set(parsed.ids))
    assert set(parsed.labelled) <= set(parsed.ids)


def test_the_card_says_title_points_goal_and_starter(fixture_lab: Lab) -> None:
    html = rendered(fixture_lab)
    assert "Send <code>n</code> messages</h3>" in html
    assert ">6 points</span>" in html
    assert "<p>Nothing stays connected.</p>" in html
    assert "    raise NotImplementedError" in re.sub(r"<[^>]+>", "", html)


def test_the_head_counts_in_proper_english(fixture_lab: Lab) -> None:
    assert "25 minutes · 1 exercise, 6 points" in pages.lab_page(fixture_lab).markdown


def test_labs_to_do_first_are_linked_by_title(fixture_lab: Lab) -> None:
    lab = replace(fixture_lab, after=("hello-queue",))
    page = pages.lab_page(lab, titles={"hello-queue": "A <queue>"})
    assert 'after <a href="../hello-queue/">A &lt;queue&gt;</a>' in page.markdown


def test_the_solution_is_not_in_the_page_as_text_but_can_be_had(fixture_lab: Lab) -> None:
    html = rendered(fixture_lab)
    assert "queue_declare" not in html
    data = page_data(html)
    (exercise,) = data["exercises"]
    hidden = base64.b64decode(exercise["solution"])
    key = b"fixture/send"
    answer = bytes(byte ^ key[n % len(key)] for n, byte in enumerate(hidden)).decode()
    assert "queue_declare" in answer
    assert exercise["solutionAfter"] == 2
    assert exercise["hints"][1] == "Bodies are bytes: `str(n).encode()`."


def page_data(html: str) -> dict[str, list[dict[str, str]]]:
    match = re.search(r'<script type="application/json" id="sandbox-page">(.*)</script>', html)
    assert match
    data: dict[str, list[dict[str, str]]] = json.loads(match[1])
    return data


def test_text_in_the_data_cannot_end_its_element() -> None:
    block = pages.data_block({"title": "</script><script>alert(1)</script>"})
    assert block.count("</script>") == 1
    assert json.loads(block.split(">", 1)[1].rsplit("<", 1)[0])["title"].startswith("</script>")


def test_the_version_changes_with_the_lesson_and_with_a_starter(
    fixture_lab: Lab, tmp_path: Path
) -> None:
    import shutil

    folder = tmp_path / "fixture"
    shutil.copytree(fixture_lab.folder, folder)
    lab = replace(fixture_lab, folder=folder)
    before = pages.lesson_version(lab)
    assert before == pages.lesson_version(fixture_lab)
    lab.lesson_path.write_text(lab.lesson_path.read_text() + "\nMore.\n")
    after_lesson = pages.lesson_version(lab)
    lab.starter("send").write_text("# empty\n")
    assert len({before, after_lesson, pages.lesson_version(lab)}) == 3


def test_output_and_code_survive_whatever_they_hold() -> None:
    source = 'print("</pre><b>&amp;")\n'
    html = widgets.cell(Cell(1, source, "</pre><b>&amp;\n", 1))
    outline(html)
    assert "&lt;/pre&gt;&lt;b&gt;&amp;amp;" in html


def test_a_blank_first_line_of_output_is_kept() -> None:
    # HTML parsers drop one newline after <pre>; there must be another.
    assert "<pre>\n\nlater" in widgets.cell(Cell(1, "x\n", "\nlater\n", 1))


def test_an_exercise_outside_a_lab_is_refused() -> None:
    with pytest.raises(ValueError, match="belongs to no lab"):
        pages.block_page([ExerciseCard("send", 1)])


def test_only_the_cell_after_a_question_is_veiled() -> None:
    text = (
        '```python run\na = 1\n```\n\n```output\none\n```\n\n```predict\nquestion = "?"\n'
        'options = ["x", "* y"]\nbecause = "."\n```\n\nprose\n\n'
        "```python run\nb = 1\n```\n\n```output\ntwo\n```\n\n"
        "```python run\nc = 1\n```\n\n```output\nthree\n```\n"
    )
    blocks = parse(text)
    assert any(isinstance(block, Predict) for block in blocks)
    cells = [slot for slot in pages.block_page(blocks).slots if "data-cell" in slot]
    assert ["sb-output--veiled" in cell for cell in cells] == [False, True, False]
