"""Where the sandbox's broker differs from RabbitMQ, knowingly: scenario and reason.

A scenario leaves this list the day the two agree; a test sees to that.
"""

from __future__ import annotations

_NOT_YET = "not implemented yet: answered with 540, never ignored"

DIFFERENCES = {
    "a_method_that_does_not_exist": (
        "RabbitMQ drops the connection without a word; the sandbox says 540 and which method"
    ),
    "a_queue_argument_of_the_wrong_type": f"x-expires and x-message-ttl are {_NOT_YET}",
    "an_expiration_arrives_as_it_was_sent": f"per-message expiration is {_NOT_YET}",
    "confirms_and_transactions_exclude_one_another": f"transactions are {_NOT_YET}",
    "nobody_publishes_to_an_internal_exchange": f"internal exchanges are {_NOT_YET}",
    "priorities_of_consumers_are_not_turns": f"consumer priorities are {_NOT_YET}",
    "what_the_server_says_it_can_do": (
        "the sandbox does not promise what it lacks: consumer priorities, direct reply-to, "
        "exchange-to-exchange bindings"
    ),
}
