"""Wheels from PyPI: a list of what is wanted, a lock of what that means, and the files.

`locks/*.in` are written by people, `locks/*.txt` by `lock`, with a hash for every file. Only pure
wheels for the page's Python are ever taken, but for those of `stripped`: libraries that do without
their compiled parts, which are left behind here. pip resolves and fetches them: it is there already
and knows the reader's mirror and proxy.

To use another Python in the page, change `PYTHON` together with the version of `pyodide` in
`web/package.json`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path

from sandbox.site.bundle.errors import BundleError
from sandbox.site.bundle.own import write_zip

#: The version of Python in the page.
PYTHON = "3.14"

LOCKS = Path(__file__).parent / "locks"

#: The lock whose wheels lose their compiled parts.
STRIPPED = "stripped"

_ANY = [
    "--only-binary=:all:",
    f"--python-version={PYTHON}",
    # The page's Python counts, not the one that runs pip.
    "--ignore-requires-python",
    "--disable-pip-version-check",
]
_PURE = [*_ANY, "--implementation=py", "--abi=none", "--platform=any"]
#: Wheels of some machine, the same on every machine that builds the page.
_COMPILED = [
    *_ANY,
    "--implementation=cp",
    f"--abi=cp{PYTHON.replace('.', '')}",
    "--platform=manylinux_2_28_x86_64",
    "--platform=manylinux_2_17_x86_64",
]
_COMPILED_PARTS = (".so", ".pyd", ".pyi", ".pyx", ".pxd", ".c", ".h")


def download(lock: str, folder: Path) -> None:
    """Fetch the wheels of `locks/<lock>.txt` into `folder`, checking every hash.

    Raises:
        BundleError: pip could not; its own words are in the text.
    """
    requirements = LOCKS / f"{lock}.txt"
    _pip(
        ["download", "--quiet", "--no-deps", "--require-hashes", *_options(lock)],
        ["--dest", str(folder), "--requirement", str(requirements)],
        problem=f"pip could not fetch the wheels of {requirements.name}. Is there a network?",
    )
    for wheel in sorted(folder.glob("*.whl")) if lock == STRIPPED else ():
        _strip(wheel)


def lock(name: str, *, whole: bool = False) -> list[str]:
    """Resolve `locks/<name>.in` into `locks/<name>.txt` and return the lines.

    Args:
        name: `page`, `stripped` or `tools`.
        whole: The list is complete: take no dependencies.

    Raises:
        BundleError: something in the list has no pure wheel, or versions contradict.
    """
    report = _pip(
        ["install", "--quiet", "--dry-run", "--ignore-installed", "--report=-", *_options(name)],
        [*(["--no-deps"] if whole else []), "--target=unused"],
        ["--requirement", str(LOCKS / f"{name}.in")],
        problem=f"{name}.in cannot be resolved to wheels for Python {PYTHON}.",
    )
    lines = sorted(_locked(json.loads(report)["install"]))
    header = f"# Made from {name}.in by `python -m sandbox.site.bundle lock`; do not edit.\n"
    (LOCKS / f"{name}.txt").write_text(header + "\n".join(lines) + "\n", encoding="utf-8")
    return lines


def _options(lock: str) -> list[str]:
    return _COMPILED if lock == STRIPPED else _PURE


def _strip(wheel: Path) -> None:
    """Replace a wheel by one without its compiled parts, which says that it is pure."""
    with zipfile.ZipFile(wheel) as archive:
        files = {
            name: archive.read(name)
            for name in archive.namelist()
            if not name.endswith(("/", "/RECORD", *_COMPILED_PARTS))
        }
    name, version, *_ = wheel.name.split("-")
    wheel.unlink()
    write_zip(wheel.with_name(f"{name}-{version}-py3-none-any.whl"), files)


def _locked(installs: Iterable[dict[str, dict[str, dict[str, dict[str, str]]]]]) -> Iterable[str]:
    for item in installs:
        name, version = item["metadata"]["name"], item["metadata"]["version"]
        sha256 = item["download_info"]["archive_info"]["hashes"]["sha256"]
        yield f"{str(name).lower()}=={version} --hash=sha256:{sha256}"


def _pip(*arguments: list[str], problem: str) -> str:
    command = [sys.executable, "-m", "pip", *(word for part in arguments for word in part)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BundleError(f"{problem} It said:\n{done.stderr.strip()}")
    return done.stdout
