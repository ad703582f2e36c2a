"""The course map as HTML: every lab on one screen, with dots that the reader's progress fills.

The front end finds a lab's line by `data-lab`, which holds what it needs to fill the dots and to
say what comes next (web/src/map.ts).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape

from sandbox.course.model import Lab
from sandbox.site.course_map import Part, Place, course_map


def map_html(labs: Sequence[Lab], *, to_labs: str) -> str:
    """The whole map.

    Args:
        labs: The labs that exist.
        to_labs: The way from this page to the folder of labs: "" or "labs/".
    """
    parts = course_map(labs)
    planned = sum(place.lab is None for part in parts for place in part.places)
    sections = "".join(_section(part, to_labs) for part in parts)
    note = (
        f'<p class="sb-note">{planned} of these labs are not written yet; they stand here in grey, '
        "under their working titles, so that you see where the course is going.</p>"
        if planned
        else ""
    )
    return (
        '<div class="sb-continue" data-testid="continue" hidden></div>'
        f'<div class="sb-map">{sections}</div>{note}'
    )


def work_html() -> str:
    """The buttons that save the reader's work to a file and read it back (web/src/map.ts)."""
    return (
        '<div class="sb-work" data-testid="work">'
        '<button type="button" class="sb-button sb-button--second" data-testid="export">'
        "Save my work to a file</button>"
        '<button type="button" class="sb-button sb-button--second" data-testid="import">'
        "Read a file</button>"
        '<input type="file" accept="application/json,.json" aria-label="A file of saved work"'
        ' data-testid="import-file"></div>'
        '<p class="sb-note" data-testid="work-note" role="status"></p>'
    )


def _section(part: Part, to_labs: str) -> str:
    places = "".join(_place(place, to_labs) for place in part.places)
    return f"<section><h3>{escape(part.title)}</h3><ol>{places}</ol></section>"


def _place(place: Place, to_labs: str) -> str:
    number = f'<span class="sb-map__number">{place.number}</span>'
    lab = place.lab
    if not isinstance(lab, Lab):
        return (
            f'<li data-planned>{number}<span class="sb-map__title">{escape(place.title)}</span>'
            '<span class="sb-hidden">planned</span></li>'
        )
    data = {
        "slug": lab.slug,
        "title": lab.title,
        "minutes": lab.minutes,
        "exercises": [{"id": task.id, "points": task.points} for task in lab.exercises],
    }
    dots = " ".join("○" for _ in lab.exercises)
    return (
        f'<li data-lab="{escape(json.dumps(data))}">{number}'
        f'<a class="sb-map__title" href="{to_labs}{lab.slug}/">{escape(lab.title)}</a>'
        f'<span class="sb-map__about">{lab.minutes} min '
        f'<span class="sb-map__dots" role="img" aria-label="{len(lab.exercises)} exercises">'
        f"{dots}</span></span></li>"
    )
