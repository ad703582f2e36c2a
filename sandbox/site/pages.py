"""A lab folder as one page: Markdown for MkDocs, and the HTML that goes into its gaps.

The lesson's prose stays Markdown, so MkDocs gives it its links, anchors and search. Cells,
questions and exercises would not survive a Markdown parser unharmed; in their place stands an empty
element, a slot, that `fill` replaces after MkDocs has made HTML of the rest. Nothing here knows
MkDocs: `plugin` carries these texts to it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

from sandbox.course.lesson import Block, Cell, ExerciseCard, Predict, Prose, read_lesson
from sandbox.course.model import Exercise, Lab
from sandbox.site import widgets
from sandbox.site.highlight import python_html

SLOT = '<div data-sandbox-slot="{}"></div>'
SLOTS = re.compile(r'<div data-sandbox-slot="(\d+)"></div>')


@dataclass
class Page:
    """What a page is made of before MkDocs has seen it."""

    #: Front matter for MkDocs.
    meta: dict[str, object]
    markdown: str
    #: HTML for the slots, by number.
    slots: list[str]
    #: What the front end needs to know and the HTML does not show; see web/src/page.ts.
    data: dict[str, object] = field(default_factory=dict)

    def fill(self, html: str) -> str:
        """Put the slots' HTML into the page that MkDocs made of `markdown`."""
        filled = SLOTS.sub(lambda match: self.slots[int(match[1])], html)
        return f"{filled}\n{data_block(self.data)}" if self.data else filled


def lab_page(lab: Lab, *, titles: dict[str, str] | None = None) -> Page:
    """The page of one lab.

    Args:
        lab: The lab.
        titles: Of other labs, by slug, to name those that come before this one.
    """
    blocks = read_lesson(lab.lesson_path, exercises=[task.id for task in lab.exercises])
    starters = {task.id: lab.starter(task.id).read_text(encoding="utf-8") for task in lab.exercises}
    page = block_page(blocks, lab=lab, starters=starters)
    page.markdown = _with_head(page.markdown, _head(lab, titles or {}))
    page.meta = {
        "title": lab.title,
        "description": lab.summary or f"A lab of the course on message queues: {lab.title}.",
        "hide": ["navigation", "toc"],
        "sandbox_lab": lab.slug,
    }
    page.data = {
        "slug": lab.slug,
        "title": lab.title,
        "version": lesson_version(lab),
        "seed": lab.seeds[0],
        "exercises": [_exercise_data(lab, task) for task in lab.exercises],
    }
    return page


def block_page(
    blocks: Sequence[Block], *, lab: Lab | None = None, starters: dict[str, str] | None = None
) -> Page:
    """Markdown with slots for any run of blocks; exercises need their `lab` and `starters`."""
    page = Page({}, "", [])
    text: list[str] = []
    questions = 0
    asked = False
    for block in blocks:
        if isinstance(block, Prose):
            text.append(block.text)
            continue
        if isinstance(block, Cell):
            html = widgets.cell(block, label=f"Cell {block.number}" if lab else "", veiled=asked)
            asked = False
        elif isinstance(block, Predict):
            questions += 1
            html = widgets.predict(block, questions)
            asked = True
        else:
            html = _card(block, lab, starters or {})
        text.append(f"\n{SLOT.format(len(page.slots))}\n")
        page.slots.append(html)
    page.markdown = "\n".join(text)
    return page


def lesson_version(lab: Lab) -> str:
    """Twelve hex digits that change whenever the lesson or a starter does."""
    digest = hashlib.sha256(lab.lesson_path.read_bytes())
    for task in lab.exercises:
        digest.update(f"\0{task.id}\0{task.points}\0".encode())
        digest.update(lab.starter(task.id).read_bytes())
    return digest.hexdigest()[:12]


def text_version(text: str) -> str:
    """As `lesson_version`, for a page that is not a lab."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def data_block(data: dict[str, object]) -> str:
    """The JSON that the front end reads; `<` is written so that no text can end the element."""
    text = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
    return f'<script type="application/json" id="sandbox-page">{text}</script>'


def obfuscate(text: str, key: str) -> str:
    """Hide `text` from a glance, not from a person who wants it; web/src/solution.ts undoes it.

    A page cannot keep a secret from its reader. This only keeps the answer out of "view source",
    out of the search index, and out of sight of somebody who is still thinking.
    """
    mask = key.encode()
    hidden = bytes(byte ^ mask[n % len(mask)] for n, byte in enumerate(text.encode()))
    return base64.b64encode(hidden).decode()


def _exercise_data(lab: Lab, task: Exercise) -> dict[str, object]:
    path = lab.solution(task.id)
    answer = path.read_text(encoding="utf-8").rstrip("\n") if path.is_file() else ""
    return {
        "id": task.id,
        "title": task.title,
        "points": task.points,
        "hints": list(task.hints),
        "solution": obfuscate(python_html(answer), f"{lab.slug}/{task.id}"),
        "solutionAfter": task.solution_after,
    }


def _card(card: ExerciseCard, lab: Lab | None, starters: dict[str, str]) -> str:
    if lab is None:
        raise ValueError(f"Exercise {card.id!r} stands on a page that belongs to no lab.")
    return widgets.exercise(lab.exercise(card.id), starters[card.id])


def _head(lab: Lab, titles: dict[str, str]) -> str:
    """One line under the title: how long, how much, what to do first."""
    facts = [
        f"{lab.minutes} minutes",
        f"{_count(len(lab.exercises), 'exercise')}, {_count(lab.points, 'point')}",
    ]
    before = [
        f'<a href="../{escape(slug)}/">{escape(titles[slug])}</a>'
        for slug in lab.after
        if slug in titles
    ]
    if before:
        facts.append(f"after {' and '.join(before)}")
    return f'<p class="sb-lab-head">{" · ".join(facts)}</p>'


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _with_head(text: str, head: str) -> str:
    """Put `head` after the lesson's first heading, or before everything if there is none."""
    match = re.search(r"^# .*$", text, flags=re.MULTILINE)
    if match is None:
        return f"{head}\n\n{text}"
    return f"{text[: match.end()]}\n\n{head}\n{text[match.end() :]}"
