"""The checksum of a record batch: CRC-32C.

In C where there is such a package, a thousand times as fast; else, as in a browser, kafka-python's.
[kafka.apache.org/documentation "Record Batch"; RFC 3720 B.4]
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Final

from kafka.record import util


def _find() -> Callable[[bytes], int]:
    try:
        value: Callable[[bytes], int] = import_module("google_crc32c").value
    except ImportError:
        value = util.calc_crc32c
    return value


#: The CRC-32C of some bytes.
crc32c: Final[Callable[[bytes], int]] = _find()
