"""The Python side of the page's worker: what a cell, a Run and a Check mean.

`handle` is called by `web/src/worker/main.ts` with a request of `messages.ts` as JSON and answers
with JSON; the functions it calls are usable from Python as well. They are plain functions: under
JSPI a call from JavaScript may suspend anywhere in them, which is how a world's processes take
turns.

To add a request, add it to `messages.ts`, write its function here and name it in `REQUESTS`.
Only what is in the page's bundle may be imported here.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from sandbox.course.cells import Session
from sandbox.course.errors import CourseError
from sandbox.course.explain import own_lines, sentence, summary
from sandbox.course.manifest import load_lab
from sandbox.course.model import Lab
from sandbox.grading.check import check_lab
from sandbox.site.runtime_plain import (
    NO_WORLDS,
    PlainSession,
    can_have_worlds,
    needs_world,
    run_plain,
)
from sandbox.stack.simulated import SimulatedStack
from sandbox.stack.simulated.brokers import KINDS
from sandbox.stack.simulated.imports import import_before

#: Real seconds that a Run may take without ever waiting.
REAL_LIMIT_S = 10.0

#: Our own wheel, as `web/src/worker/restore.ts` places it.
ARCHIVE = Path("/lib/sandbox.zip")

#: Where labs are unpacked, and where a learner's file lies.
LABS = Path("/course/labs")
HOME = Path("/home/learner")

#: Pages outside the course have cells too; their world holds these, and the others once wanted.
DEFAULT_BROKERS = ("rabbitmq",)
LATE_BROKERS = tuple(name for name in KINDS if name not in DEFAULT_BROKERS)

Write = Callable[[str], None]
RunResult = dict[str, Any]

#: The labs' files by name. Read when the snapshot is made, so that they are in it.
lab_files: dict[str, bytes] = {}

_write: Write = print
_session: Session | PlainSession | None = None


def handle(request: str, write: Write) -> str:
    """Answer one request of the page, streaming what is printed to `write`.

    Returns JSON: `{"result": ...}`, or `{"failed": {"message", "traceback"}}` when this side broke.
    """
    global _write
    _write = write
    arguments = json.loads(request)
    name = arguments.pop("request")
    try:
        return json.dumps({"result": REQUESTS[name](**arguments)})
    except Exception as error:
        said = {"message": str(error) or type(error).__name__, "traceback": traceback.format_exc()}
        return json.dumps({"failed": said})


def start_lesson(slug: str, seed: int) -> None:
    """Begin a page's cells anew: a fresh world, no variables."""
    global _session
    if _session is not None:
        _session.close()
    if can_have_worlds():
        brokers, late = _brokers(slug)
        _session = Session(seed, brokers, late=late, on_output=lambda text: _write(text))
    else:
        _session = PlainSession(lambda text: _write(text))


def run_cell(n: int, source: str) -> RunResult:
    """Run a cell of the lesson that was started last.

    Raises:
        RuntimeError: none was started.
    """
    if _session is None:
        raise RuntimeError("No lesson was started. Reload the page.")
    done = _session.run(n, source)
    ended = _session.ended
    return _run_result(
        done.output,
        failure(*_session.failure, [f"cell {n}"]) if _session.failure else None,
        done.seconds_virtual,
        (ended.kind if ended and ended.kind != "until" else "over", done.ending),
    )


def run_file(name: str, source: str, slug: str, seed: int) -> RunResult:
    """Run a learner's file as a program, in a world of its own."""
    if not can_have_worlds():
        return run_plain(name, source, lambda text: _write(text), failure)
    printed: list[str] = []

    def on_output(process: object, stream: int, text: str) -> None:
        printed.append(text)
        _write(text)

    brokers, late = _brokers(slug)
    stack = SimulatedStack(seed=seed, brokers=brokers, late=late)
    try:
        world = stack.world
        world.kernel.on_output = on_output
        import_before(source, HOME)
        program = world.start_script(HOME / name, name=name, source=source)
        ending = world.run(real_s=REAL_LIMIT_S)
        error = program.error
        broken = None
        if error is not None and not isinstance(error, SystemExit):
            told = program.reports[-1]["traceback"] if program.reports else ""
            broken = failure(error, told, [name])
        at_s = world.last_event_s if ending.kind in ("finished", "idle") else world.now_s
        return _run_result("".join(printed), broken, at_s, (ending.kind, ending.sentence))
    finally:
        stack.close()


def check(slug: str, exercise: str, source: str) -> dict[str, Any]:
    """Check one exercise and return the result object, as `sandbox.grading` makes it."""
    lab = _lab(slug)
    if not can_have_worlds():
        raise RuntimeError(NO_WORLDS)
    file = HOME / "answers" / f"{exercise}.py"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(source, encoding="utf-8")
    return check_lab(lab, {exercise: file}).as_dict()


#: What the page may ask for.
REQUESTS: dict[str, Callable[..., Any]] = {
    "start_lesson": start_lesson,
    "run_cell": run_cell,
    "run_file": run_file,
    "check": check,
}


def failure(error: BaseException, told: str, own: list[str]) -> dict[str, Any]:
    """An exception as the page shows it: what, where in the learner's own lines, and why."""
    what = summary(error, told)
    alone = needs_world(error) and not can_have_worlds()
    return {
        "summary": what,
        "lines": [
            {"file": line.file, "line": line.number, "source": line.text}
            for line in own_lines(told, own)
        ],
        "explanation": NO_WORLDS if alone else sentence(what),
        "traceback": told.strip(),
    }


def remember_labs() -> None:
    """Keep the labs' files in memory; called once, before the snapshot is taken."""
    with ZipFile(ARCHIVE) as files:
        for name in files.namelist():
            if name.startswith("labs/"):
                lab_files[name.removeprefix("labs/").removesuffix(".txt")] = files.read(name)


def _brokers(slug: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The brokers of a page's world, and those that come when somebody wants them."""
    try:
        return _lab(slug).needs, ()
    except CourseError:
        return DEFAULT_BROKERS, LATE_BROKERS


def _lab(slug: str) -> Lab:
    """The lab called `slug`, its files written where checks are read from.

    Raises:
        CourseError: there is no such lab in the bundle.
    """
    folder = LABS / slug
    if not folder.is_dir():
        for name, data in lab_files.items():
            if name.startswith(f"{slug}/"):
                path = LABS / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
    return load_lab(folder)


def _run_result(
    output: str, broken: dict[str, Any] | None, seconds: float, ending: tuple[str, str]
) -> RunResult:
    kind, said = ending
    return {
        "output": output,
        "error": broken,
        "seconds_virtual": round(seconds, 9),
        "ending": {"kind": kind, "sentence": said} if said else None,
    }
