"""The parts of a page that the front end brings to life, as HTML that can be read without it.

Every part is complete on its own: the code is there, highlighted, with the output it had when the
site was built; a question shows its options and, folded away, its answer. The front end
(web/src/) finds the parts by `data-cell`, `data-predict` and `data-exercise`, and what is in them
by `data-testid`; keep those names in step with it.
"""

from __future__ import annotations

import re
from html import escape

import markdown

from sandbox.course.lesson import Cell, Predict
from sandbox.course.model import Exercise
from sandbox.site.highlight import python_html

#: Keeps an element out of the search: controls and long programs are not what people look for.
QUIET = "data-search-exclude"

PLAY = '<svg viewBox="0 0 10 10" aria-hidden="true"><path d="M1 0l8 5-8 5z"/></svg>'


def cell(block: Cell, *, label: str = "", veiled: bool = False) -> str:
    """A lesson's cell.

    Args:
        block: The cell and what it printed.
        label: What stands above it; left out, an invitation.
        veiled: A question comes before it, so its output is blurred until somebody commits.
    """
    name = f"cell-{block.number}"
    return (
        f'<section class="sb-cell" data-cell="{block.number}" id="{name}"'
        f' aria-labelledby="{name}-label">'
        f'<div class="sb-bar" {QUIET}><span class="sb-bar__label" id="{name}-label">'
        f"{escape(label or 'Change it, run it')}</span>"
        f"{_button('reset', 'Reset')}{_stop()}{_run(f'Run cell {block.number}')}</div>"
        f"{editor(block.source, f'Code of cell {block.number}')}"
        f"{_boot()}"
        f"{_output(f'Output of cell {block.number}', block.output, veiled=veiled)}"
        f'<p class="sb-note" data-testid="note" role="status" hidden></p>'
        "</section>"
    )


def predict(block: Predict, number: int) -> str:
    """A question to commit to before running the next cell."""
    options = "".join(
        f'<label><input type="radio" name="predict-{number}" value="{index}"'
        f"{' data-right' if option.right else ''}><span>{inline(option.text)}</span></label>"
        for index, option in enumerate(block.options)
    )
    right = next(option.text for option in block.options if option.right)
    return (
        f'<form class="sb-predict" data-predict="{number}"><fieldset>'
        f"<legend><small>Predict first</small>{inline(block.question)}</legend>"
        f"{options}</fieldset>"
        f'<button type="submit" class="sb-button sb-button--second">Commit to this</button>'
        f'<details class="sb-veil" data-testid="answer"><summary>The answer</summary>'
        f"<p>{inline(right)}</p><p>{inline(block.because)}</p></details>"
        f'<div class="sb-predict__because" role="status" data-testid="because" hidden>'
        f"<p>{inline(block.because)}</p></div>"
        "</form>"
    )


def exercise(task: Exercise, starter: str) -> str:
    """An exercise's card: what must be true, the file to change, and what to press."""
    name = f"exercise-{task.id}"
    rest = _button("reset", "Reset")
    if task.hints:
        rest += _button("hint", f"Hint 1 of {len(task.hints)}")
    rest += _button("solution", "Solution")
    return (
        f'<section class="sb-exercise" data-exercise="{escape(task.id)}" id="{name}"'
        f' aria-labelledby="{name}-title">'
        f'<div class="sb-exercise__head"><h3 id="{name}-title">{inline(task.title)}</h3>'
        f'<span class="sb-exercise__points" data-testid="points">{points(task.points)}</span></div>'
        f'<div class="sb-exercise__goal">{prose(task.goal)}</div>'
        f'<div class="sb-exercise__file" {QUIET}><code>{escape(task.id)}.py</code></div>'
        f"{editor(starter, f'Your file {task.id}.py')}"
        f'<div class="sb-bar" {QUIET}>{_check(task.title)}'
        f"{_run(f'Run {task.id}.py', first=False)}{_stop()}"
        f'<span class="sb-bar__rest"></span>{rest}</div>'
        f"{_boot()}{_output(f'Output of {task.id}.py')}"
        f'<p class="sb-note" data-testid="note" role="status" hidden></p>'
        f'<div class="sb-results" data-testid="results" role="status" aria-live="polite"'
        f' aria-label="Results of {escape(task.title)}"></div>'
        f'<div class="sb-hints" data-testid="hints" aria-live="polite"></div>'
        f'<div class="sb-solution" data-testid="solution-text" aria-live="polite"></div>'
        "</section>"
    )


def editor(source: str, label: str) -> str:
    """Code that the front end turns into an editor. Its text is the value it starts with."""
    code = python_html(source.rstrip("\n"))
    return (
        f'<div class="sb-editor" data-testid="editor" {QUIET} role="group"'
        f' aria-label="{escape(label)}">'
        # The first newline inside `pre` is dropped by every HTML parser; this one is for that.
        f'<pre class="sb-code" tabindex="0">\n{code}</pre></div>'
    )


def points(number: int) -> str:
    """`1 point`, `6 points`."""
    return f"{number} point{'' if number == 1 else 's'}"


def prose(text: str) -> str:
    """Markdown paragraphs as HTML."""
    return markdown.markdown(text, output_format="html")


def inline(text: str) -> str:
    """One line of Markdown as HTML, without the paragraph around it."""
    return re.sub(r"^<p>|</p>$", "", prose(text.strip()))


def _output(label: str, stored: str | None = None, *, veiled: bool = False) -> str:
    kind = " sb-output--stored" if stored else ""
    kind += " sb-output--veiled" if stored and veiled else ""
    text = f"<pre>\n{escape(stored, quote=False)}</pre>" if stored else ""
    return (
        f'<div class="sb-output{kind}" data-testid="output" {QUIET} role="log"'
        f' aria-label="{escape(label)}" tabindex="-1">{text}</div>'
    )


def _button(name: str, text: str) -> str:
    return f'<button type="button" class="sb-button" data-testid="{name}">{escape(text)}</button>'


def _run(label: str, *, first: bool = True) -> str:
    kind = "first" if first else "second"
    return (
        f'<button type="button" class="sb-button sb-button--{kind}" data-testid="run"'
        f' aria-label="{escape(label)}">Run{PLAY}</button>'
    )


def _check(title: str) -> str:
    return (
        '<button type="button" class="sb-button sb-button--first" data-testid="check"'
        f' aria-label="Check: {escape(title)}">Check</button>'
    )


def _stop() -> str:
    return (
        '<button type="button" class="sb-button sb-button--stop" data-testid="stop" hidden>'
        "Stop</button>"
    )


def _boot() -> str:
    return (
        f'<div class="sb-boot" data-testid="boot" {QUIET} hidden><span></span>'
        '<progress max="100" aria-label="Starting Python"></progress></div>'
    )
