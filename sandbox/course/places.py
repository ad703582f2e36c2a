"""Where labs are: beside the package in a checkout, inside it when installed from a wheel.

A folder `labs` in the current directory or above it comes first, so a lab somebody is writing
anywhere is found beside those that came with the course. `SANDBOX_LABS` names one more folder.

To look somewhere else too, add it to `course_roots`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib import resources
from pathlib import Path


@dataclass(frozen=True)
class Root:
    """A folder of labs and the folder of their solutions."""

    labs: Path
    solutions: Path


def course_roots(start: Path | None = None) -> list[Root]:
    """Where labs may be, the most particular place first.

    Args:
        start: Where to begin looking upwards; left out, the current directory.
    """
    roots: list[Root] = []
    named = os.environ.get("SANDBOX_LABS")
    if named:
        labs = Path(named).expanduser().resolve()
        roots.append(Root(labs, labs.parent / "solutions"))
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if holds_labs(folder):
            roots.append(Root(folder / "labs", folder / "solutions"))
            break
    for root in (checkout_root(), wheel_root()):
        if root is not None and root not in roots:
            roots.append(root)
    return roots


def holds_labs(folder: Path) -> bool:
    """Whether `folder/labs` has at least one lab in it."""
    labs = folder / "labs"
    return labs.is_dir() and any(labs.glob("*/lab.toml"))


def checkout_root() -> Root | None:
    """The labs of the checkout this package was imported from, if it was."""
    folder = checkout()
    return None if folder is None else Root(folder / "labs", folder / "solutions")


def checkout() -> Path | None:
    """The checkout this package was imported from, or None when it was installed."""
    package = package_folder()
    if package is None:
        return None
    folder = package.parent
    return folder if (folder / "labs").is_dir() and (folder / "pyproject.toml").is_file() else None


def wheel_root() -> Root | None:
    """The labs that came inside the wheel, if this package was installed from one."""
    package = package_folder()
    if package is None or not (package / "_labs").is_dir():
        return None
    return Root(package / "_labs", package / "_solutions")


def package_folder() -> Path | None:
    """Where the package's files are, or None when they are not files (a zip on `sys.path`)."""
    folder = resources.files("sandbox")
    return folder if isinstance(folder, Path) else None
