"""The course on one screen."""

import json
import re
from dataclasses import replace
from html import unescape

from sandbox.course.model import Lab
from sandbox.site.course_map import PARTS, course_map
from sandbox.site.map_html import map_html


def test_the_course_has_twenty_eight_labs_in_order() -> None:
    places = [place for part in course_map([]) for place in part.places]
    assert [place.number for place in places] == list(range(1, 29))
    assert len({place.slug for place in places}) == 28


def test_a_lab_that_exists_takes_its_planned_place_under_its_own_title(fixture_lab: Lab) -> None:
    lab = replace(fixture_lab, slug="acks", title="Own title")
    place = course_map([lab])[0].places[2]
    assert (place.number, place.title, place.lab) == (3, "Own title", lab)


def test_a_lab_nobody_planned_still_appears(fixture_lab: Lab) -> None:
    last = course_map([fixture_lab])[-1]
    assert (last.title, [place.slug for place in last.places]) == ("More", ["fixture"])
    assert len(course_map([fixture_lab])) == len(PARTS) + 1


def test_the_map_links_what_exists_and_carries_what_progress_needs(fixture_lab: Lab) -> None:
    html = map_html([fixture_lab], to_labs="labs/")
    assert 'href="labs/fixture/"' in html
    match = re.search(r'data-lab="([^"]*)"', html)
    assert match
    data = json.loads(unescape(match[1]))
    assert data["exercises"] == [{"id": "send", "points": 6}]
    assert html.count("data-planned") == 28
    assert html.count("<a ") == 1


def test_every_lab_of_the_course_has_a_place_in_a_part() -> None:
    from sandbox.course.manifest import find_labs

    parts = course_map(find_labs())
    assert parts[-1].title != "More", [place.slug for place in parts[-1].places]
