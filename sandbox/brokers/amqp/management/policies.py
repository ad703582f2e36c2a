"""Policies: arguments by the pattern of a name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sandbox.brokers.amqp.management.answers import (
    CREATED,
    NO_CONTENT,
    Answer,
    bad_request,
    missing,
)
from sandbox.brokers.amqp.management.request import Request, table
from sandbox.brokers.amqp.policies import EXCHANGE_KEYS, QUEUE_KEYS, Policy

if TYPE_CHECKING:
    from sandbox.brokers.amqp.vhost import VirtualHost


def get_policies(request: Request) -> Any:
    """All policies."""
    return [
        policy_shape(policy, vhost.name)
        for vhost in request.vhosts()
        for _, policy in sorted(vhost.policies.items())
    ]


def get_policy(request: Request) -> Any:
    """One policy."""
    return policy_shape(_named(request), request.names["vhost"])


def put_policy(request: Request) -> Answer:
    """Set a policy."""
    vhost, name = request.vhost(), request.names["policy"]
    body = request.body("pattern", "definition")
    existed = name in vhost.policies
    request.acts()
    import_policy(vhost, name, body)
    return NO_CONTENT if existed else CREATED


def delete_policy(request: Request) -> Answer:
    """Clear a policy."""
    policy = _named(request)
    request.acts()
    request.vhost().clear_policy(policy.name)
    return NO_CONTENT


def import_policy(vhost: VirtualHost, name: str, body: dict[str, Any]) -> None:
    """Set a policy from what a request or definitions say.

    Raises:
        HttpError: 400, with what is wrong with it.
    """
    definition = table(body, "definition")
    pattern, priority = str(body["pattern"]), body.get("priority", 0)
    if not definition:
        raise _invalid("no policy provided")
    unknown = [key for key in definition if key not in QUEUE_KEYS | EXCHANGE_KEYS]
    if unknown:
        terms = ",".join(f'{{<<"{key}">>,{definition[key]}}}' for key in unknown)
        raise _invalid(f"[{terms}] are not recognised policy settings")
    if isinstance(priority, bool) or not isinstance(priority, int):
        raise _invalid(f"priority should be number, actually was {priority}")
    try:
        vhost.set_policy(
            Policy(name, pattern, definition, priority, str(body.get("apply-to", "all")))
        )
    except re.error as problem:
        text = f"pattern should be regular expression but is invalid: {problem}"
        raise _invalid(text) from problem
    except ValueError as problem:
        raise _invalid(str(problem)) from problem


def policy_shape(policy: Policy, vhost: str) -> dict[str, Any]:
    """What there is to say of a policy."""
    return {
        "vhost": vhost,
        "name": policy.name,
        "pattern": policy.pattern,
        "apply-to": policy.apply_to,
        "definition": dict(policy.definition),
        "priority": policy.priority,
    }


def _invalid(text: str) -> Exception:
    return bad_request(f"Validation failed\n\n{text}\n")


def _named(request: Request) -> Policy:
    policy = request.vhost().policies.get(request.names["policy"])
    if policy is None:
        raise missing()
    return policy
