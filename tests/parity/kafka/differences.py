"""Where the sandbox's broker differs from Kafka 4.1.0, knowingly: scenario and reason.

A scenario leaves this list the day the two agree; a test sees to that.
"""

from __future__ import annotations

DIFFERENCES: dict[str, str] = {}
