"""The last lines of files, and what is added to them, as `tail -f` shows them."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_LOOK_EVERY_S = 0.3


def follow_files(files: Sequence[Path], *, lines: int, follow: bool) -> Iterator[str]:
    """Lines of the files, each told by its name when there are several."""
    label = {file: f"{file.parent.name} | " if len(files) > 1 else "" for file in files}
    if len({file.parent for file in files}) < len(files):
        label = {file: f"{file.parent.name} {file.stem} | " for file in files}
    places = {}
    for file in files:
        text = file.read_bytes()
        whole = text[: text.rfind(b"\n") + 1] if follow else text
        places[file] = len(whole)
        shown = _lines(whole)
        for line in shown[len(shown) - min(lines, len(shown)) :]:
            yield label[file] + line
    while follow:
        quiet = True
        for file in files:
            for line in _added(file, places):
                quiet = False
                yield label[file] + line
        if quiet:
            time.sleep(_LOOK_EVERY_S)


def _added(file: Path, places: dict[Path, int]) -> list[str]:
    """Whole lines since the last look; a file that was begun anew is read from its start."""
    try:
        size = file.stat().st_size
        if size < places[file]:
            places[file] = 0
        with file.open("rb") as stream:
            stream.seek(places[file])
            text = stream.read()
    except OSError:
        return []
    whole = text[: text.rfind(b"\n") + 1]
    places[file] += len(whole)
    return _lines(whole)


def _lines(text: bytes) -> list[str]:
    return _COLOUR.sub("", text.decode(errors="replace")).splitlines()
