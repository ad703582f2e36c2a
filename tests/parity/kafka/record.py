"""Plays the scenarios on a real Kafka and keeps what it showed.

`python -m tests.parity.kafka.record` starts one of its own. Name scenarios to record only those.
"""

from __future__ import annotations

import sys

import tests.parity.kafka.scenarios  # noqa: F401  (registers them)
from sandbox.native.kafka import Kafka
from tests.parity.kafka.stage import PROTOCOL

if __name__ == "__main__":
    with Kafka() as server:
        PROTOCOL.record("127.0.0.1", server.port, sys.argv[1:])
