"""Steps that are done once: a folder named by the hash of everything that went into it.

A step writes into a temporary folder that is renamed when it is complete, so an interrupted build
leaves nothing half done. Two builds at the same time take turns: the second finds the work done.

To clean up, remove the cache folder; it holds nothing that cannot be made again.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

#: How many results of one step are kept; older ones are removed.
KEPT = 3

Say = Callable[[str], None]


def cache_folder() -> Path:
    """`.cache` of the checkout, or of the current directory for an installed package.

    `SANDBOX_CACHE` names another place.
    """
    named = os.environ.get("SANDBOX_CACHE")
    if named:
        return Path(named).expanduser().resolve()
    checkout = Path(__file__).resolve().parents[3]
    beside = checkout if (checkout / "pyproject.toml").is_file() else Path.cwd()
    return beside / ".cache"


def digest(*inputs: str | bytes | Path) -> str:
    """Hash texts and the contents of files and folders. Names of files count, places do not."""
    whole = hashlib.sha256()
    for item in inputs:
        for part in _parts(item):
            whole.update(len(part).to_bytes(8, "big"))
            whole.update(part)
    return whole.hexdigest()[:20]


def _parts(item: str | bytes | Path) -> Iterable[bytes]:
    if isinstance(item, str):
        yield item.encode()
    elif isinstance(item, bytes):
        yield item
    elif item.is_dir():
        for path in sorted(path for path in item.rglob("*") if path.is_file()):
            yield path.relative_to(item).as_posix().encode()
            yield path.read_bytes()
    else:
        yield item.name.encode()
        yield item.read_bytes()


def step(name: str, key: str, make: Callable[[Path], None], say: Say, doing: str) -> Path:
    """Return the folder of step `name` for inputs with hash `key`, making it when it is not there.

    Args:
        name: What the step is called, part of the folder's name.
        key: A `digest` of everything the result depends on.
        make: Fills an empty folder.
        say: Told `doing` when there is something to do.
        doing: A sentence for the person who waits.
    """
    parent = cache_folder() / "bundle"
    folder = parent / f"{name}-{key}"
    if folder.is_dir():
        os.utime(folder)
        return folder
    parent.mkdir(parents=True, exist_ok=True)
    with alone(parent / f".{name}.lock"):
        if not folder.is_dir():
            say(doing)
            _make(folder, name, make)
            _forget_old(parent, name)
    return folder


def _make(folder: Path, name: str, make: Callable[[Path], None]) -> None:
    started = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=folder.parent))
    try:
        make(started)
        started.chmod(0o755)
        try:
            started.rename(folder)
        except OSError:
            if not folder.is_dir():  # else somebody else made the same thing meanwhile
                raise
    finally:
        shutil.rmtree(started, ignore_errors=True)


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Wait until no other process holds `lock`, and hold it. The system frees it with the process.

    Where there are no such locks, work may be done twice, which is slow and not wrong.
    """
    if sys.platform == "win32":
        yield
        return
    import fcntl

    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _forget_old(parent: Path, name: str) -> None:
    results = [path for path in parent.glob(f"{name}-{'[0-9a-f]' * 20}") if path.is_dir()]
    results.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    for path in results[KEPT:]:
        shutil.rmtree(path, ignore_errors=True)
