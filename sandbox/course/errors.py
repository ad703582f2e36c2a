"""Problems with a lab's files, as sentences for the person who wrote them."""

from __future__ import annotations

from pathlib import Path


class CourseError(Exception):
    """Something in a lab is not as it must be; `str()` names the file and what to do.

    `path` and `line` point at it for programs; the text already says both.
    """

    def __init__(self, sentence: str, *, path: Path | None = None, line: int | None = None):
        where = "" if path is None else f"{path}:{line}: " if line is not None else f"{path}: "
        super().__init__(where + sentence)
        self.sentence = sentence
        self.path = path
        self.line = line
