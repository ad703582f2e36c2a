"""Which question to ask a learner whose check failed.

A lab's known mistakes say which checks catch them and what their author should be asked. A
submission that fails the same checks probably makes one of those mistakes; when several fit, the
one whose code is nearest decides. Nothing fits: nothing is asked.

To change how near is measured, change `nearness`.
"""

from __future__ import annotations

import difflib
import io
import tokenize
from collections.abc import Collection
from pathlib import Path

from sandbox.course.errors import CourseError
from sandbox.course.manifest import read_mistake
from sandbox.course.model import Lab, Mistake

#: Tokens that say nothing about what a program does.
_SILENT = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}


def question_for(lab: Lab, exercise_id: str, file: Path, failed: Collection[str]) -> str:
    """The question of the known mistake that this file most resembles, or "".

    Args:
        lab: The lab.
        exercise_id: The exercise that `file` answers.
        file: The learner's file.
        failed: Names of the checks it fails.
    """
    fitting: list[Mistake] = []
    for path in lab.mistakes(exercise_id):
        try:
            mistake = read_mistake(lab, exercise_id, path)
        except CourseError:  # `sandbox lab check` says so to its author
            continue
        if set(mistake.caught_by) == set(failed):
            fitting.append(mistake)
    if not fitting:
        return ""
    written = file.read_text(encoding="utf-8", errors="replace")
    known = {mistake: mistake.path.read_text(encoding="utf-8") for mistake in fitting}
    return max(fitting, key=lambda mistake: nearness(written, known[mistake])).hint


def nearness(one: str, other: str) -> float:
    """How alike two programs are, 0 to 1; comments and layout do not count."""
    return difflib.SequenceMatcher(None, _words(one), _words(other), autojunk=False).ratio()


def _words(source: str) -> list[str]:
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (tokenize.TokenError, SyntaxError):
        return source.split()
    return [
        token.string
        for token in tokens
        if token.type not in _SILENT
        and not (token.type == tokenize.STRING and token.string.startswith(('"""', "'''")))
    ]
