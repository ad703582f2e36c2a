"""Our own wheel for the page: what runs in a browser, and the labs' checks.

It is made from the sources as they are, not by the packaging backend, because it holds less: no
command line, no site, no real brokers; and of each lab neither lesson nor solutions.

To let another package into the page, add it to `PACKAGES`; it may import only what the page has.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

from sandbox.site.bundle.errors import BundleError

#: What of `sandbox/` goes into the page; its own modules and these folders, whole.
PACKAGES = (
    "*.py",
    "brokers",
    "course",
    "grading",
    "sim",
    "site/__init__.py",
    "site/runtime*",
    "stack",
)

#: What those hold that only a terminal, a notebook or a server has a use for.
LEFT_OUT = (
    "__main__.py",
    "course/ipython.py",
    "course/notebook.py",
    "stack/embedded.py",
    "stack/live",
)

#: Files of a lab that its checks need, and the mistakes whose questions they ask.
LAB_FILES = ("lab.toml", "checks/*.py", "exercises/*.py", "mistakes/*/*.py")

_EPOCH = (1980, 1, 1, 0, 0, 0)
_METADATA = "Metadata-Version: 2.1\nName: queue-sandbox\nVersion: {version}\n"
_WHEEL = (
    "Wheel-Version: 1.0\nGenerator: sandbox.site.bundle\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
)


def package_folder() -> Path:
    """`sandbox/`, wherever this was imported from."""
    return Path(__file__).resolve().parents[2]


def labs_folder() -> Path:
    """The labs that go into the page: the checkout's, or those that came in the wheel.

    Raises:
        BundleError: there are none.
    """
    for folder in (package_folder().parent / "labs", package_folder() / "_labs"):
        if folder.is_dir():
            return folder
    raise BundleError("There is no folder of labs: neither beside the package nor inside it.")


def own_files() -> dict[str, bytes]:
    """Everything of ours that the page needs: its name in the archive, and its contents."""
    files = {}
    package = package_folder()
    for path in _sources(package):
        files[f"sandbox/{path.relative_to(package).as_posix()}"] = path.read_bytes()
    labs = labs_folder()
    for lab in sorted(labs.glob("*/lab.toml")):
        for pattern in LAB_FILES:
            for path in sorted(lab.parent.glob(pattern)):
                # Not compiled: pytest reads the checks, and people read the starters.
                files[f"labs/{path.relative_to(labs).as_posix()}.txt"] = path.read_bytes()
    return files


def write_wheel(folder: Path, files: dict[str, bytes]) -> Path:
    """Write `files` as a wheel into `folder` and return its path."""
    from sandbox import __version__

    info = f"queue_sandbox-{__version__}.dist-info"
    whole = {
        **files,
        f"{info}/METADATA": _METADATA.format(version=__version__).encode(),
        f"{info}/WHEEL": _WHEEL.encode(),
    }
    path = folder / f"queue_sandbox-{__version__}-py3-none-any.whl"
    write_zip(path, whole)
    return path


def write_zip(path: Path, files: dict[str, bytes], *, compress: bool = False) -> None:
    """Write a zip archive whose bytes depend on nothing but its files' names and contents."""
    method = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    with zipfile.ZipFile(path, "w", method, compresslevel=9) as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), files[name], method)


def _sources(package: Path) -> Iterator[Path]:
    out = [package / name for name in LEFT_OUT]
    for pattern in PACKAGES:
        for place in sorted(package.glob(pattern)):
            for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
                if path.suffix == ".py" and not any(path.is_relative_to(part) for part in out):
                    yield path
