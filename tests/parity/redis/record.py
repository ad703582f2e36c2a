"""Plays the scenarios on a real Redis and keeps what it showed.

`python -m tests.parity.redis.record` starts one of its own. Name scenarios to record only those.
"""

from __future__ import annotations

import sys

import tests.parity.redis.scenarios  # noqa: F401  (registers them)
from sandbox.native.redis import Redis
from tests.parity.redis.stage import PROTOCOL

if __name__ == "__main__":
    with Redis() as server:
        PROTOCOL.record("127.0.0.1", server.port, sys.argv[1:])
