"""Data files inside archives, found at once.

`importlib.resources` opens an archive and reads its whole directory for each file it is asked for.
kafka-python keeps a hundred schemas in files of their own, which took the page five seconds. Here
an archive is opened once.
"""

from __future__ import annotations

import importlib.readers
import zipfile
from functools import lru_cache
from typing import Any


@lru_cache(maxsize=8)
def _root(archive: str) -> Any:
    return zipfile.Path(archive).root  # an open archive that knows what its folders hold


def _files(self: Any) -> zipfile.Path:
    return zipfile.Path(_root(self.archive), self.prefix)


def install() -> None:
    """Let every package in an archive find its files this way."""
    reader: Any = importlib.readers.ZipReader
    reader.files = _files
