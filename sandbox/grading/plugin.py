"""The pytest plugin behind every verdict: the `lab` fixture, seeds, and what counts as what.

One object, handed to `pytest.main`; it reads no configuration and leaves no files. Each check runs
once per seed and stops at the first seed it fails on, so that one failure is one message.

To change what counts as a failure and what as a broken check, change `Verdicts.judge`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.course import explain
from sandbox.grading.result import CheckResult, Outcome
from sandbox.stack.base import ExerciseError, Process, StackUnavailable

if TYPE_CHECKING:
    from sandbox.course.fixture import Lab

#: Makes the `lab` of a fresh run, from its seed and the learner's file.
OpenLab = Callable[[int, Path], "Lab"]


@dataclass
class Row:
    """One check while its seeds are being run."""

    name: str
    outcome: Outcome = "pass"
    message: str = ""
    seconds_virtual: float = 0.0
    seeds: int = 0
    untried: str = ""
    tried: str = ""

    def finished(self) -> CheckResult:
        """The check's result over the seeds that ran."""
        notes = [self.tried, f"{self.seeds} seeds" if self.seeds > 1 else ""]
        note = ", ".join(part for part in notes if part) if self.outcome == "pass" else ""
        return CheckResult(self.name, self.outcome, self.message, self.seconds_virtual, note)


@dataclass
class Verdicts:
    """Runs checks for `pytest.main(plugins=[...])` and keeps what came out."""

    #: The file of checks -> the learner's file.
    files: Mapping[Path, Path]
    stack_name: str
    seeds: Sequence[int]
    open_lab: OpenLab
    #: Told each check's name and outcome when its last seed is done.
    progress: Callable[[Path, CheckResult], None] | None = None
    rows: dict[Path, dict[str, Row]] = field(default_factory=dict)
    #: Why no check could be run at all.
    unavailable: StackUnavailable | None = None
    broken: dict[Path, str] = field(default_factory=dict)

    # --- what pytest asks ---------------------------------------------------------------------

    def pytest_configure(self, config: pytest.Config) -> None:
        """Name our marker."""
        config.addinivalue_line("markers", "stack(name): a check for this stack only")

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run every check once per seed."""
        if "lab" in metafunc.fixturenames:
            metafunc.parametrize("lab", self.seeds, indirect=True, ids=lambda seed: f"seed-{seed}")

    @pytest.fixture
    def lab(self, request: pytest.FixtureRequest) -> Generator[Lab, None, None]:
        """The fixture that checks are written against: the exercise, in a fresh run."""
        file = self.files[request.path]
        problem = explain.syntax_problem(file)
        if problem:
            pytest.fail(problem)
        lab = self.open_lab(request.param, file)
        try:
            yield lab
        finally:
            row = self._row(request.node)
            row.seconds_virtual = round(lab.lasted_s, 6)
            row.tried = lab.tried
            lab.close()

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Skip checks of other stacks, by name, and the seeds after one that failed."""
        row = self._row(item)
        for mark in item.iter_markers("stack"):
            if self.stack_name not in mark.args:
                row.outcome = "skip"
                row.message = f"This check runs on the {' or '.join(mark.args)} stack only."
                pytest.skip(row.message)
        if row.outcome in ("fail", "error"):
            pytest.skip("An earlier seed failed.")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Sort what a check raised; its own processes say what lies behind it."""
        report = yield
        row = self._row(item)
        if call.when == "call":
            row.seeds += 1
        if call.excinfo is None:
            if call.when == "call":
                self.doubt(item, row)
        elif not call.excinfo.errisinstance(pytest.skip.Exception):
            self.judge(item, row, call.excinfo.value)
        if self.progress and call.when == "teardown" and self._is_last(item, row):
            self.progress(item.path, row.finished())
        return report

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Remember files of checks that cannot even be imported."""
        if report.failed:
            path = Path(report.fspath) if report.fspath else Path()
            for checks in self.files:
                if checks == path or str(checks).endswith(str(path)):
                    self.broken[checks] = f"The checks cannot be read.\n{report.longreprtext}"

    # --- verdicts -----------------------------------------------------------------------------

    def doubt(self, item: pytest.Item, row: Row) -> None:
        """A check that holds while nothing was done ("none is left over") has not passed."""
        row.untried = self._still_raises(item)
        if row.untried:
            row.outcome, row.message = "fail", row.untried

    def judge(self, item: pytest.Item, row: Row, raised: BaseException) -> None:
        """Decide between a failed check and a broken one, and write the message."""
        if isinstance(raised, StackUnavailable):
            self.unavailable = raised
            item.session.shouldstop = str(raised)
            return
        file = self.files[item.path]
        blame = self._broken_processes(item)
        theirs = next((process for process in blame if process.exception is raised), None)
        row.untried = self._still_raises(item)
        if row.untried:
            row.outcome, row.message = "fail", row.untried
        elif theirs is not None:
            row.outcome = "fail"
            row.message = explain.explain(raised, theirs.traceback, [file.name])
        elif isinstance(raised, (AssertionError, pytest.fail.Exception)):
            row.outcome = "fail"
            row.message = _with_cause(_said(raised), blame, file)
        elif isinstance(raised, (TimeoutError, ExerciseError)):
            row.outcome = "fail"
            row.message = _with_cause(str(raised), blame, file)
        else:
            row.outcome = "error"
            row.message = _broken_check(raised, item.path)
        if row.seeds > 1 and row.outcome == "fail" and not row.untried:
            # The result's own seed passed: this is the one that repeats the failure.
            row.message += f"\n(seed {item.callspec.params['lab']})"  # type: ignore[attr-defined]

    def results(self, checks: Path) -> list[CheckResult]:
        """What came out of one file of checks, in the file's order."""
        if checks in self.broken:
            return [CheckResult(checks.stem, "error", self.broken[checks])]
        return [row.finished() for row in self.rows.get(checks, {}).values()]

    def untried(self, checks: Path) -> str:
        """The sentence about an exercise nobody has begun, or ""."""
        rows = [row for row in self.rows.get(checks, {}).values() if row.outcome != "skip"]
        return rows[0].untried if rows and all(row.untried for row in rows) else ""

    def _broken_processes(self, item: pytest.Item) -> list[Process]:
        """The processes of this check's runs that an exception ended."""
        lab = getattr(item, "funcargs", {}).get("lab")
        processes: Sequence[Process] = lab.processes if lab is not None else ()
        return [process for process in processes if process.exception is not None]

    def _still_raises(self, item: pytest.Item) -> str:
        file = self.files[item.path]
        sentences = (
            explain.still_raises(process.exception, process.traceback, file)
            for process in self._broken_processes(item)
        )
        return next(filter(None, sentences), "")

    def _row(self, item: Any) -> Row:
        rows = self.rows.setdefault(item.path, {})
        name = getattr(item, "originalname", None) or item.name
        return rows.setdefault(name, Row(name))

    def _is_last(self, item: pytest.Item, row: Row) -> bool:
        name = getattr(item, "originalname", None) or item.name
        same = [
            other
            for other in item.session.items
            if other.path == item.path and getattr(other, "originalname", other.name) == name
        ]
        return same[-1] is item


def _said(raised: BaseException) -> str:
    """The message of a failed assertion, or the assertion itself when it has none."""
    text = str(raised).strip()
    if text:
        return text
    traceback = raised.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    if traceback is None:
        return "The check failed and does not say why."
    import linecache

    code = traceback.tb_frame.f_code
    line = linecache.getline(code.co_filename, traceback.tb_lineno).strip()
    return f"This does not hold: {line.removeprefix('assert ')}"


def _with_cause(message: str, blame: Sequence[Process], file: Path) -> str:
    """A check's message, and below it what broke in the learner's own code, if anything did."""
    causes: list[str] = []
    for process in blame:
        assert process.exception is not None
        cause = explain.explain(process.exception, process.traceback, [file.name])
        if not any(cause in earlier for earlier in causes):
            causes.append(f"`{process.name}` ended with {cause}")
    return "\n".join([message, *causes[:2]])


def _broken_check(raised: BaseException, checks: Path) -> str:
    """The sentence for the person who wrote the check, with its own lines."""
    import traceback

    frames = [
        f"  {checks.name}:{frame.lineno}  {frame.line}"
        for frame in traceback.extract_tb(raised.__traceback__)
        if Path(frame.filename) == checks
    ]
    said = explain.summary(raised)
    return "\n".join([f"The check itself broke, so this says nothing about you: {said}", *frames])
