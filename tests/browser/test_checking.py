"""Check gives a verdict, progress stays in the browser, and one run never leaks into another."""

import json
from pathlib import Path

from playwright.sync_api import expect

from sandbox.course.model import Lab

from .conftest import Visit


def test_fail_fix_pass_and_reload_keeps_progress(visit: Visit, lab: Lab, answer: str) -> None:
    visit.open("labs/acks/")
    task = lab.exercises[0]
    card = visit.exercise(task.id)
    visit.check(card)
    results = card.get_by_test_id("results")
    expect(results.locator('[data-outcome="fail"]').first).to_be_visible()
    assert visit.marks("sandbox:checked") == 1

    visit.write(card, answer)
    visit.check(card)
    expect(results.locator('[data-outcome="fail"]')).to_have_count(0)
    assert results.locator('[data-outcome="pass"]').count() >= 1
    expect(card.get_by_test_id("points")).to_have_text(f"✓ {task.points} of {task.points}")
    assert visit.marks("sandbox:checked") == 2

    visit.page.reload()
    expect(card.get_by_test_id("points")).to_have_text(f"✓ {task.points} of {task.points}")
    assert visit.text(card).rstrip() == answer.rstrip()
    assert results.locator('[data-outcome="pass"]').count() >= 1

    visit.open("labs/")
    line = visit.page.locator("li[data-lab]", has_text=lab.title)
    expect(line.get_by_role("img")).to_have_attribute(
        "aria-label", f"1 of {len(lab.exercises)} exercises passed"
    )
    expect(visit.page.get_by_test_id("continue")).to_contain_text(f"Continue: {lab.title}, about")


def test_known_mistakes_fail_in_the_page_too(visit: Visit, lab: Lab) -> None:
    task = lab.exercises[0]
    mistake = lab.mistakes(task.id)[0]
    visit.open("labs/acks/")
    card = visit.exercise(task.id)
    visit.write(card, mistake.read_text(encoding="utf-8"))
    visit.check(card)
    failed = card.get_by_test_id("results").locator('[data-outcome="fail"]')
    expect(failed.first).to_be_visible()
    assert len((failed.first.text_content() or "").split()) > 10


def test_a_check_never_sees_what_ran_before(visit: Visit, lab: Lab, answer: str) -> None:
    visit.open("labs/acks/")
    visit.write(visit.cell(1), "import pika\npika.BlockingConnection = None\nprint('broken')\n")
    visit.run(visit.cell(1))
    expect(visit.cell(1).get_by_test_id("output")).to_contain_text("broken")
    card = visit.exercise(lab.exercises[0].id)
    sabotage = "\nimport sandbox.grading.check, pika\npika.BlockingConnection = None\n"
    visit.write(card, answer + sabotage)
    visit.check(card)
    expect(card.locator('[data-outcome="pass"]')).to_have_count(0)
    visit.write(card, answer)
    visit.check(card)
    expect(card.get_by_test_id("points")).to_contain_text("✓")


def test_a_syntax_error_in_an_exercise_is_said_with_its_line(visit: Visit, lab: Lab) -> None:
    task = lab.exercises[0]
    visit.open("labs/acks/")
    card = visit.exercise(task.id)
    visit.write(card, "def worker(:\n    pass\n")
    visit.check(card)
    results = card.get_by_test_id("results")
    expect(results.locator("[data-outcome]").first).to_be_visible()
    expect(results).to_contain_text(f"{task.id}.py")
    expect(card.locator('[data-outcome="pass"]')).to_have_count(0)


def test_a_check_of_an_endless_loop_can_be_stopped(visit: Visit, lab: Lab, answer: str) -> None:
    visit.open("labs/acks/")
    card = visit.exercise(lab.exercises[0].id)
    visit.run(visit.cell(1))
    visit.write(card, "while True:\n    pass\n")
    visit.press(card, "check")
    visit.press(card, "stop")
    visit.ended(card)
    expect(card.get_by_test_id("note")).to_contain_text("Nothing was checked")
    visit.write(card, answer)
    visit.check(card)
    expect(card.get_by_test_id("points")).to_contain_text("✓")


def test_hints_come_one_at_a_time_and_the_solution_when_earned(
    visit: Visit, lab: Lab, answer: str
) -> None:
    task = lab.exercises[0]
    visit.open("labs/acks/")
    card = visit.exercise(task.id)
    hints = card.get_by_test_id("hints")
    expect(hints.locator("li")).to_have_count(0)
    for number in range(1, len(task.hints) + 1):
        visit.press(card, "hint")
        expect(hints.locator("li")).to_have_count(number)
    expect(card.get_by_test_id("hint")).to_be_disabled()
    visit.press(card, "solution")
    box = card.get_by_test_id("solution-text")
    expect(box).to_contain_text("only hidden from a glance")
    expect(box.locator("pre")).to_have_count(0)
    visit.write(card, answer)
    visit.check(card)
    visit.press(card, "solution")
    assert (box.locator("pre").text_content() or "").rstrip() == answer.rstrip()


def test_a_changed_lesson_offers_mine_new_and_a_comparison(visit: Visit, lab: Lab) -> None:
    task = lab.exercises[0]
    visit.open("labs/acks/")
    card = visit.exercise(task.id)
    starter = visit.text(card)
    visit.page.evaluate(
        """([slug, id]) => new Promise((done) => {
            const request = indexedDB.open("queue-sandbox", 1);
            request.onsuccess = () => {
                const table = request.result.transaction("work", "readwrite").objectStore("work");
                const item = { code: "mine = 1\\n", starter: "older = 1\\n", attempts: 2, hints: 0,
                    solutionSeen: false, points: 0, passed: false, rows: [] };
                const key = `${slug}@older`;
                table.put({ key, slug, version: "older", updated: 1, items: { [id]: item },
                    predictions: {} }).onsuccess = () => done();
            };
        })""",
        [lab.slug, task.id],
    )
    visit.page.reload()
    notice = card.get_by_test_id("changed")
    expect(notice).to_be_visible()
    assert visit.text(card) == "mine = 1\n"
    notice.get_by_role("button", name="Compare").click()
    expect(notice.locator("del").first).to_have_text("- mine = 1")
    expect(notice.locator("ins").first).to_contain_text("+ ")
    notice.get_by_role("button", name="Take the new one").click()
    expect(notice).to_have_count(0)
    assert visit.text(card) == starter
    visit.saved()
    visit.page.reload()
    expect(card.get_by_test_id("changed")).to_have_count(0)
    assert visit.text(card) == starter


def test_work_moves_to_another_browser_in_one_file(visit: Visit, lab: Lab, tmp_path: Path) -> None:
    visit.open("labs/acks/")
    card = visit.exercise(lab.exercises[0].id)
    visit.write(card, "mine = 1\n")
    visit.saved()
    visit.open("labs/")
    with visit.page.expect_download() as download:
        visit.page.get_by_test_id("export").click()
    saved = tmp_path / download.value.suggested_filename
    download.value.save_as(saved)
    work = json.loads(saved.read_text())
    assert work["format"] == "queue-sandbox-work"
    assert work["work"][0]["items"][lab.exercises[0].id]["code"] == "mine = 1\n"

    visit.page.evaluate("indexedDB.deleteDatabase('queue-sandbox')")
    visit.page.reload()
    visit.page.get_by_test_id("import-file").set_input_files(saved)
    expect(visit.page.get_by_test_id("work-note")).to_contain_text("Read 1 lesson")
    visit.open("labs/acks/")
    expect(card.get_by_test_id("editor")).to_contain_text("mine = 1")

    saved.write_text("not json")
    visit.open("labs/")
    visit.page.get_by_test_id("import-file").set_input_files(saved)
    expect(visit.page.get_by_test_id("work-note")).to_contain_text("not one that this page saved")
