"""The page that compares the sandbox with real brokers lists what the scenarios show."""

from __future__ import annotations

from tests.parity.page import PAGE, SECTIONS, render


def test_the_page_is_what_the_scenarios_say_today() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(), "run: make parity"


def test_every_difference_is_of_a_scenario_and_told_on_the_page() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for section in SECTIONS:
        assert set(section.differences) <= set(section.scenarios), section.title
        assert section.real in text
        for reason in section.differences.values():
            assert reason.replace("|", "\\|") in text
