"""Where the sandbox's broker differs from RabbitMQ, knowingly: scenario and reason.

A scenario leaves this list the day the two agree; a test sees to that.
"""

from __future__ import annotations

DIFFERENCES = {
    "a_method_that_does_not_exist": (
        "RabbitMQ drops the connection without a word; the sandbox says 540 and which method"
    ),
}
