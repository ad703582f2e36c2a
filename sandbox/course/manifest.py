"""`lab.toml`: from a folder to a `Lab`.

One slug, one folder, no registry: a lab exists because its folder does. Every complaint names the
file and the key, and says what the key should hold, because the reader is writing a lab right now.

To add a key, add it to `LAB_KEYS` or `EXERCISE_KEYS` and to the dataclass in `model`. Where labs
are looked for is `places`' business.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sandbox.course.errors import CourseError
from sandbox.course.model import Exercise, Lab, Mistake
from sandbox.course.places import Root, course_roots

#: Brokers that a lab's world can hold.
BROKERS = ("rabbitmq", "kafka", "kafka-cluster", "redis", "mqtt")

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
IDENTIFIER = re.compile(r"[a-z][a-z0-9_]*")


def _text(value: Any) -> str | None:
    return None if isinstance(value, str) and value.strip() else "a text that is not empty"


def _count(value: Any) -> str | None:
    right = isinstance(value, int) and not isinstance(value, bool) and value >= 1
    return None if right else "a whole number, 1 or more"


def _texts(value: Any) -> str | None:
    right = isinstance(value, list) and all(_text(item) is None for item in value)
    return None if right else "a list of texts"


def _brokers(value: Any) -> str | None:
    right = _texts(value) is None and all(item in BROKERS for item in value)
    return None if right else f"a list of brokers out of {', '.join(BROKERS)}"


def _seeds(value: Any) -> str | None:
    whole = isinstance(value, list) and all(
        isinstance(item, int) and not isinstance(item, bool) and item >= 0 for item in value
    )
    right = whole and bool(value) and len(set(value)) == len(value)
    return None if right else "a list of different whole numbers, at least one"


def _slug(value: Any) -> str | None:
    right = isinstance(value, str) and SLUG.fullmatch(value)
    return None if right else "small letters, digits and hyphens, such as work-queues"


def _identifier(value: Any) -> str | None:
    right = isinstance(value, str) and IDENTIFIER.fullmatch(value)
    return None if right else "a Python name in small letters, such as no_loss"


#: Says what a value should have been, or None when it is right.
Rule = Callable[[Any], str | None]

#: Key: (may it be left out?, rule).
LAB_KEYS: dict[str, tuple[bool, Rule]] = {
    "slug": (False, _slug),
    "title": (False, _text),
    "minutes": (False, _count),
    "order": (False, _count),
    "summary": (True, _text),
    "needs": (True, _brokers),
    "after": (True, _texts),
    "seeds": (True, _seeds),
}
EXERCISE_KEYS: dict[str, tuple[bool, Rule]] = {
    "id": (False, _identifier),
    "title": (False, _text),
    "points": (False, _count),
    "goal": (True, _text),
    "hints": (True, _texts),
    "solution_after": (True, _count),
}


def load_lab(folder: Path, solutions: Path | None = None) -> Lab:
    """Read the lab in `folder`.

    Args:
        folder: `labs/<slug>`.
        solutions: `solutions/<slug>`; left out, it is looked for beside `labs`.

    Raises:
        CourseError: a file is missing, is not TOML, or says something a lab cannot be.
    """
    path = folder / "lab.toml"
    table = _read_toml(path)
    entries = table.pop("exercise", [])
    if not isinstance(entries, list) or not entries:
        raise CourseError("A lab needs at least one [[exercise]].", path=path)
    _check_keys(table, LAB_KEYS, path, "")
    if table["slug"] != folder.name:
        raise CourseError(
            f"`slug` is {table['slug']!r} but the folder is called {folder.name!r}. "
            "Progress is stored under the slug, so both must be the same.",
            path=path,
        )
    exercises = [_exercise(entry, number, path) for number, entry in enumerate(entries, start=1)]
    ids = [exercise.id for exercise in exercises]
    for repeated in sorted({name for name in ids if ids.count(name) > 1}):
        raise CourseError(f"Two exercises have the id {repeated!r}.", path=path)
    lab = Lab(
        folder=folder,
        solutions=solutions or folder.parent.parent / "solutions" / folder.name,
        exercises=tuple(exercises),
        **_frozen(table),
    )
    for exercise in lab.exercises:
        _check_files(lab, exercise, path)
    return lab


def find_labs(roots: list[Root] | None = None) -> list[Lab]:
    """Every lab of the course, in the order of their `order`.

    Args:
        roots: Folders that hold labs and solutions; left out, those of `places.course_roots`.
            When two roots have the same slug, the first one counts.

    Raises:
        CourseError: one of them is not as it must be.
    """
    labs = [load_lab(*folders) for folders in _folders(roots).values()]
    return sorted(labs, key=lambda lab: (lab.order, lab.slug))


def find_lab(slug: str, roots: list[Root] | None = None) -> Lab:
    """Return the lab called `slug`; others may be broken.

    Raises:
        CourseError: there is none, and the sentence names the nearest; or it is not as it must be.
    """
    folders = _folders(roots)
    if slug in folders:
        return load_lab(*folders[slug])
    near = difflib.get_close_matches(slug, list(folders), n=1)
    instead = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(folders) or 'none'}."
    raise CourseError(f"There is no lab called {slug!r}. {instead}")


def _folders(roots: list[Root] | None) -> dict[str, tuple[Path, Path]]:
    """Slug -> the folders of its lab and of its solutions."""
    folders: dict[str, tuple[Path, Path]] = {}
    for root in course_roots() if roots is None else roots:
        for folder in sorted(root.labs.iterdir()) if root.labs.is_dir() else []:
            if (folder / "lab.toml").is_file():
                folders.setdefault(folder.name, (folder, root.solutions / folder.name))
    return folders


def find_exercise(lab: Lab, exercise_id: str) -> Exercise:
    """Return the exercise of `lab` called `exercise_id`.

    Raises:
        CourseError: there is none; the sentence names those there are.
    """
    try:
        return lab.exercise(exercise_id)
    except KeyError:
        names = [exercise.id for exercise in lab.exercises]
        near = difflib.get_close_matches(exercise_id, names, n=1)
        instead = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(names)}."
        raise CourseError(
            f"The lab {lab.slug} has no exercise called {exercise_id!r}. {instead}"
        ) from None


def read_mistake(lab: Lab, exercise_id: str, path: Path) -> Mistake:
    """Read the headers of a known wrong answer.

    ```python
    # caught-by: test_no_order_is_lost_when_a_worker_dies
    # hint: An acknowledged message is gone. What is left to redeliver?
    ```

    `caught-by` may name several checks, separated by commas: those fail, all others pass.

    Raises:
        CourseError: a header is missing, or names a check that does not exist.
    """
    headers: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        found = re.match(r"#\s*(caught-by|hint):\s*(.+)", line)
        if found:
            headers[found[1]] = found[2].strip()
        elif headers:  # a long hint goes on in the next comment
            last = list(headers)[-1]
            headers[last] += " " + line.lstrip("# ").strip()
    for wanted in ("caught-by", "hint"):
        if wanted not in headers:
            raise CourseError(f"A mistake begins with a line `# {wanted}: ...`.", path=path, line=1)
    names = tuple(name.strip() for name in headers["caught-by"].split(",") if name.strip())
    known = check_names(lab.checks(exercise_id))
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            instead = f" Did you mean {near[0]}?" if near else ""
            raise CourseError(
                f"It says it is caught by {name}, and checks/{lab.checks(exercise_id).name} has no "
                f"check of that name.{instead}",
                path=path,
            )
    return Mistake(exercise=exercise_id, path=path, caught_by=names, hint=headers["hint"])


def check_names(path: Path) -> list[str]:
    """Names of the checks in a file, in order, without running it."""
    text = path.read_text(encoding="utf-8")
    return re.findall(r"^def (test_\w+)\(", text, flags=re.MULTILINE)


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CourseError("There is no such file, so this folder is no lab.", path=path) from None
    except tomllib.TOMLDecodeError as error:
        raise CourseError(f"This is not TOML: {error}.", path=path) from None


def _exercise(entry: Any, number: int, path: Path) -> Exercise:
    name = f"exercise {number}"
    if not isinstance(entry, dict):
        raise CourseError("Exercises are written as [[exercise]] tables.", path=path)
    if isinstance(entry.get("id"), str):
        name = f"exercise {entry['id']!r}"
    _check_keys(entry, EXERCISE_KEYS, path, f" of {name}")
    return Exercise(**_frozen(entry))


def _check_keys(
    table: Mapping[str, Any], keys: Mapping[str, tuple[bool, Rule]], path: Path, owner: str
) -> None:
    for key in table:
        if key not in keys:
            near = difflib.get_close_matches(key, list(keys), n=1)
            instead = f"Did you mean `{near[0]}`?" if near else f"There are: {', '.join(keys)}."
            raise CourseError(f"There is no key `{key}`{owner}. {instead}", path=path)
    for key, (optional, rule) in keys.items():
        if key not in table:
            if not optional:
                raise CourseError(f"The key `{key}`{owner} is missing.", path=path)
            continue
        wanted = rule(table[key])
        if wanted:
            raise CourseError(
                f"`{key}`{owner} is {table[key]!r}; it should be {wanted}.", path=path
            )


def _frozen(table: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}


def _check_files(lab: Lab, exercise: Exercise, path: Path) -> None:
    for wanted in (lab.starter(exercise.id), lab.checks(exercise.id)):
        if not wanted.is_file():
            raise CourseError(
                f"Exercise {exercise.id!r} needs the file "
                f"{wanted.relative_to(lab.folder).as_posix()}, and it is not there.",
                path=path,
            )
