"""A lesson: Markdown in, blocks out.

The one source of a lab's page, its notebook and its tests. Only four kinds of fence mean something
here; all other Markdown passes through untouched as `Prose`.

    ```python run              a cell
    ```output                  what the cell before it prints
    ```predict                 a question to commit to, as TOML, before running the next cell
    ```exercise no_loss        the place of an exercise's card

A predict fence holds `question`, `options` (the right one begins with "* ") and `because`.

To give a fence a meaning, add a block type and a row to `PARSERS`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from sandbox.course.errors import CourseError


@dataclass(frozen=True)
class Prose:
    """Markdown that means nothing special; `line` is where it begins, from 1."""

    text: str
    line: int


@dataclass(frozen=True)
class Cell:
    """Code that a reader can run, and what it prints."""

    #: From 1, over the whole lesson.
    number: int
    source: str
    #: What it printed when the lesson was last updated; None: nothing is stored.
    output: str | None
    line: int


@dataclass(frozen=True)
class Option:
    """One answer to choose."""

    text: str
    right: bool


@dataclass(frozen=True)
class Predict:
    """A question to answer before running the next cell."""

    question: str
    options: tuple[Option, ...]
    because: str
    line: int


@dataclass(frozen=True)
class ExerciseCard:
    """The place of an exercise."""

    id: str
    line: int


Block = Prose | Cell | Predict | ExerciseCard

FENCE = re.compile(r"^(?P<indent> {0,3})(?P<ticks>`{3,}|~{3,})[ \t]*(?P<info>[^`]*)$")


@dataclass(frozen=True)
class _Fence:
    """A fence with a meaning: its words, its text, and the line it opens on."""

    words: tuple[str, ...]
    text: str
    line: int


def parse(
    text: str, *, exercises: Collection[str] | None = None, path: Path | None = None
) -> list[Block]:
    """Split a lesson into blocks, in order.

    Args:
        text: The Markdown.
        exercises: The ids that exercise fences may name; left out, any will do.
        path: The file it came from, for messages.

    Raises:
        CourseError: with the line: an exercise nobody knows, or placed twice; output without a
            cell before it; a fence that is never closed; a predict fence that is not as above.
    """
    blocks: list[Block] = []
    parser = _Parser(blocks, exercises, path)
    for part in _split(text, path):
        if isinstance(part, Prose):
            blocks.append(part)
        else:
            PARSERS[_kind(part.words) or ""](parser, part)
    return blocks


def read_lesson(path: Path, *, exercises: Collection[str] | None = None) -> list[Block]:
    """Parse the lesson in a file. Raises as `parse` does, and when the file is not there."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise CourseError("A lab needs a lesson, and it is not there.", path=path) from None
    return parse(text, exercises=exercises, path=path)


def cells(blocks: Collection[Block]) -> list[Cell]:
    """The lesson's cells, in order."""
    return [block for block in blocks if isinstance(block, Cell)]


def write_outputs(text: str, outputs: dict[int, str]) -> str:
    """Return the lesson with what its cells print replaced.

    Args:
        text: The Markdown.
        outputs: What each cell, by number, prints. An empty text removes the output fence; a cell
            without an entry keeps what it has.
    """
    lines = text.splitlines()
    result: list[str] = []
    done = 0
    number = 0
    fences = _fences(text, None)
    for position, fence in enumerate(fences):
        if _kind(fence.words) != "cell":
            continue
        number += 1
        end = fence.line + len(fence.text.splitlines()) + 1  # the line of the closing fence
        result += lines[done:end]
        done = end
        after = fences[position + 1] if position + 1 < len(fences) else None
        if number not in outputs:
            continue
        if after is not None and _kind(after.words) == "output":
            done = after.line + len(after.text.splitlines()) + 1
        if outputs[number]:
            ticks = "`" * max(3, _longest_ticks(outputs[number]) + 1)
            result += ["", f"{ticks}output", *outputs[number].splitlines(), ticks]
    return "\n".join([*result, *lines[done:]]) + "\n"


class _Parser:
    """Turns fences into blocks; remembers what came before."""

    def __init__(
        self, blocks: list[Block], exercises: Collection[str] | None, path: Path | None
    ) -> None:
        self.blocks = blocks
        self.exercises = exercises
        self.path = path

    def cell(self, fence: _Fence) -> None:
        number = len(cells(self.blocks)) + 1
        if not fence.text.strip():
            raise self.error("This cell is empty.", fence)
        self.blocks.append(Cell(number, fence.text, None, fence.line))

    def output(self, fence: _Fence) -> None:
        last = self._last_meaning()
        if not isinstance(last, Cell) or last.output is not None:
            raise self.error(
                "This output has no cell: an ```output fence follows a ```python run fence, "
                "with nothing between them.",
                fence,
            )
        while self.blocks[-1] is not last:  # blank lines between the two
            self.blocks.pop()
        self.blocks[-1] = Cell(last.number, last.source, fence.text, last.line)

    def predict(self, fence: _Fence) -> None:
        try:
            table = tomllib.loads(fence.text)
        except tomllib.TOMLDecodeError as error:
            raise self.error(
                f"A predict fence holds TOML, and this is not: {error}.", fence
            ) from None
        for key in table:
            if key not in ("question", "options", "because"):
                raise self.error(
                    f"A predict fence has no key `{key}`; it has question, options and because.",
                    fence,
                )
        for key in ("question", "because"):
            if not isinstance(table.get(key), str) or not table[key].strip():
                raise self.error(f"A predict fence needs `{key}`, a text.", fence)
        options = table.get("options")
        if not isinstance(options, list) or not all(isinstance(item, str) for item in options):
            raise self.error("A predict fence needs `options`, a list of texts.", fence)
        chosen = tuple(
            Option(item.removeprefix("* ").strip(), item.startswith("* ")) for item in options
        )
        if len(chosen) < 2 or sum(option.right for option in chosen) != 1:
            raise self.error(
                "A predict fence offers two options or more, and exactly one of them begins with "
                '"* ": the right one.',
                fence,
            )
        self.blocks.append(
            Predict(table["question"].strip(), chosen, table["because"].strip(), fence.line)
        )

    def exercise(self, fence: _Fence) -> None:
        if len(fence.words) != 2:
            raise self.error("An exercise fence names one exercise: ```exercise no_loss.", fence)
        name = fence.words[1]
        if self.exercises is not None and name not in self.exercises:
            known = ", ".join(self.exercises) or "none"
            raise self.error(f"lab.toml has no exercise {name!r}. It has: {known}.", fence)
        if any(isinstance(block, ExerciseCard) and block.id == name for block in self.blocks):
            raise self.error(f"Exercise {name!r} has its place already, further up.", fence)
        if fence.text.strip():
            raise self.error("An exercise fence is empty: the card comes from lab.toml.", fence)
        self.blocks.append(ExerciseCard(name, fence.line))

    def error(self, sentence: str, fence: _Fence) -> CourseError:
        return CourseError(sentence, path=self.path or Path("lesson.md"), line=fence.line)

    def _last_meaning(self) -> Block | None:
        for block in reversed(self.blocks):
            if not (isinstance(block, Prose) and not block.text.strip()):
                return block
        return None


PARSERS: dict[str, Callable[[_Parser, _Fence], None]] = {
    "cell": _Parser.cell,
    "output": _Parser.output,
    "predict": _Parser.predict,
    "exercise": _Parser.exercise,
}


def _kind(words: tuple[str, ...]) -> str | None:
    """What a fence's info string means here, or None."""
    if words[:2] == ("python", "run"):
        return "cell"
    if words and words[0] in ("output", "predict", "exercise"):
        return words[0]
    return None


def _split(text: str, path: Path | None) -> list[Prose | _Fence]:
    """The lesson as prose and the fences that mean something, in order."""
    lines = text.splitlines()
    parts: list[Prose | _Fence] = []
    done = 0
    for fence in _fences(text, path):
        if _kind(fence.words) is None:
            continue
        if fence.line - 1 > done:
            parts.append(Prose("\n".join(lines[done : fence.line - 1]) + "\n", done + 1))
        parts.append(fence)
        done = fence.line + len(fence.text.splitlines()) + 1
    if done < len(lines):
        parts.append(Prose("\n".join(lines[done:]) + "\n", done + 1))
    return parts


def _fences(text: str, path: Path | None) -> list[_Fence]:
    """Every fence, also those that mean nothing here: they may quote ones that would."""
    fences: list[_Fence] = []
    lines = text.splitlines()
    position = 0
    while position < len(lines):
        opening = FENCE.match(lines[position])
        position += 1
        if opening is None:
            continue
        ticks, line = opening["ticks"], position
        closing = re.compile(rf"^ {{0,3}}{re.escape(ticks[0])}{{{len(ticks)},}}[ \t]*$")
        body: list[str] = []
        while position < len(lines) and not closing.match(lines[position]):
            body.append(lines[position])
            position += 1
        if position == len(lines):
            raise CourseError(
                f"The fence {ticks}{opening['info'].strip()} is never closed.",
                path=path or Path("lesson.md"),
                line=line,
            )
        position += 1
        source = "".join(f"{part}\n" for part in body)
        fences.append(_Fence(tuple(opening["info"].split()), source, line))
    return fences


def _longest_ticks(text: str) -> int:
    return max((len(run) for run in re.findall(r"`+", text)), default=0)
