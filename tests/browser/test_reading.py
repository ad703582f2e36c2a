"""A page can be read, found one's way in and used by keyboard before anything has run."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, expect

from sandbox.course.lesson import cells, read_lesson
from sandbox.course.model import Lab

from .conftest import Visit

PAGES = ["", "labs/", "labs/acks/", "workshop/", "grading/", "how-it-works/"]


def test_stored_output_is_visible_and_python_is_not_loaded(visit: Visit, lab: Lab) -> None:
    visit.open("labs/acks/")
    stored = [cell for cell in cells(read_lesson(lab.lesson_path)) if cell.output]
    assert stored
    first = stored[0]
    output = visit.cell(first.number).get_by_test_id("output")
    assert output.text_content() == first.output
    visit.page.wait_for_load_state("networkidle")
    assert not [url for url in visit.requests if "/assets/python/" in url]


def test_a_lesson_can_be_read_without_javascript(
    browser: Browser, serve: Callable[[str], str], lab: Lab
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(serve("/") + "labs/acks/")
    expect(page.get_by_role("heading", level=1)).to_contain_text(lab.title)
    for cell in cells(read_lesson(lab.lesson_path)):
        shown = page.locator(f'[data-cell="{cell.number}"]')
        expect(shown.get_by_test_id("editor")).to_be_visible()
        assert cell.source.rstrip("\n") in (shown.text_content() or "")
        expect(shown.get_by_test_id("run")).to_be_hidden()
    context.close()


@pytest.mark.parametrize("path", PAGES)
def test_no_page_is_wider_than_a_phone(visit: Visit, path: str) -> None:
    visit.page.set_viewport_size({"width": 375, "height": 800})
    visit.open(path)
    assert visit.page.evaluate("document.documentElement.scrollWidth") == 375


@pytest.mark.parametrize("path", PAGES)
def test_every_control_has_a_name(visit: Visit, path: str) -> None:
    visit.open(path)
    nameless = visit.page.evaluate(
        """() => [...document.querySelectorAll("button, .md-content a, .md-content input")]
            .filter((node) => !(node.getAttribute("aria-label") || node.textContent.trim()
                || node.labels?.[0]?.textContent.trim() || node.title))
            .map((node) => node.outerHTML)"""
    )
    assert nameless == []


def test_a_cell_is_run_and_its_editor_left_with_the_keyboard_alone(visit: Visit) -> None:
    visit.open("labs/acks/")
    cell = visit.cell(1)
    editor = cell.locator(".cm-content")
    editor.wait_for()
    visit.write(cell, "x = 1")
    editor.focus()
    visit.page.keyboard.press("Control+End")
    visit.page.keyboard.type("\nprint('typed by hand')")
    visit.page.keyboard.press("Escape")
    visit.page.keyboard.press("Tab")
    expect(editor).not_to_be_focused()
    cell.get_by_test_id("run").focus()
    visit.page.keyboard.press("Enter")
    expect(cell.get_by_test_id("output")).to_contain_text("typed by hand")
    editor.focus()
    visit.page.keyboard.press("Control+Enter")
    visit.ended(cell)
    assert (cell.get_by_test_id("output").text_content() or "").count("typed by hand") == 1


def test_an_output_that_answers_a_question_is_blurred_until_asked_for(visit: Visit) -> None:
    visit.open("labs/acks/")
    veiled = visit.page.locator(".sb-output--veiled").first
    expect(veiled).to_be_visible()
    output = visit.page.locator("[data-predict] ~ [data-cell] [data-testid=output]").first
    assert "blur" in output.locator("pre").evaluate("node => getComputedStyle(node).filter")
    output.focus()
    visit.page.keyboard.press("Enter")
    assert output.locator("pre").evaluate("node => getComputedStyle(node).filter") == "none"


def test_results_are_announced(visit: Visit, lab: Lab) -> None:
    visit.open("labs/acks/")
    results = visit.exercise(lab.exercises[0].id).get_by_test_id("results")
    expect(results).to_have_attribute("aria-live", "polite")


def test_a_question_is_committed_to_before_its_answer_is_shown(visit: Visit) -> None:
    visit.open("labs/acks/")
    question = visit.page.locator("form[data-predict]").first
    because = question.get_by_test_id("because")
    expect(because).to_be_hidden()
    commit = question.get_by_role("button", name="Commit to this")
    commit.click()
    expect(because).to_have_text("Choose one first. A wrong guess teaches more than none.")
    question.locator("input[data-right]").check()
    commit.click()
    expect(because).to_contain_text("Yes.")
    expect(question.locator("input").first).to_be_disabled()
    visit.saved()
    visit.page.reload()
    expect(question.get_by_test_id("because")).to_contain_text("Yes.")


def test_the_dark_palette_follows_the_system(browser: Browser, serve: Callable[[str], str]) -> None:
    luminances = []
    for scheme in ("light", "dark"):
        context = browser.new_context(color_scheme="dark" if scheme == "dark" else "light")
        page = context.new_page()
        page.goto(serve("/"))
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        luminances.append(sum(int(part) for part in colour[4:-1].split(",")))
        context.close()
    assert luminances[0] > 700
    assert luminances[1] < 120
