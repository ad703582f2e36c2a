"""Chance in a world: one seed, and a stream of its own for everybody who draws.

Streams are named, so that one more draw by one process changes nothing for another.
"""

from __future__ import annotations

import hashlib
import random


def stream(seed: int, name: str) -> random.Random:
    """The random stream called `name` in the world with this seed."""
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    return random.Random(int.from_bytes(digest[:16], "big"))
