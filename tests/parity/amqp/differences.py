"""Where the sandbox's broker differs from RabbitMQ, knowingly: scenario and reason.

A scenario leaves this list the day the two agree; a test sees to that.
"""

from __future__ import annotations

_NOT_YET = "not implemented yet: answered with 540, never ignored"

DIFFERENCES = {
    "a_method_that_does_not_exist": (
        "RabbitMQ drops the connection without a word; the sandbox says 540 and which method"
    ),
    "confirms_and_transactions_exclude_one_another": f"transactions are {_NOT_YET}",
    "what_the_server_says_it_can_do": (
        "the sandbox does not promise what it lacks: direct reply-to"
    ),
}
