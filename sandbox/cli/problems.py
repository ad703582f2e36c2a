"""Exceptions whose text is already a sentence for the person at the terminal.

Anything else is a fault of the sandbox and keeps its traceback. To treat one more as a sentence,
add it to `SENTENCES`.
"""

from __future__ import annotations

from sandbox.course.errors import CourseError
from sandbox.grading.result import CannotCheck
from sandbox.native.errors import ServerUnavailable
from sandbox.stack.base import StackUnavailable


class Refused(Exception):
    """A command that cannot do what was asked; the text says why and what to do."""


SENTENCES: tuple[type[Exception], ...] = (
    CourseError,
    CannotCheck,
    StackUnavailable,
    Refused,
    ServerUnavailable,
)
