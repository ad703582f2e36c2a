"""Who may ask what: a user's tags open groups of paths, permissions open virtual hosts.

[RabbitMQ: "Management Plugin: Access and Permissions"]
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from sandbox.brokers.amqp.management.answers import Answer, HttpError, unauthorised

if TYPE_CHECKING:
    from sandbox.brokers.amqp.accounts import Accounts, User

MANAGEMENT: Final = "management"
#: As `MANAGEMENT`, and the user must have a permission in the virtual host that the path names.
VHOST: Final = "vhost"
POLICYMAKER: Final = "policymaker"
MONITORING: Final = "monitoring"
ADMINISTRATOR: Final = "administrator"

#: What must be there -> the tags of which one opens it.
OPENED_BY: Final[Mapping[str, frozenset[str]]] = {
    MANAGEMENT: frozenset({MANAGEMENT, POLICYMAKER, MONITORING, ADMINISTRATOR}),
    VHOST: frozenset({MANAGEMENT, POLICYMAKER, MONITORING, ADMINISTRATOR}),
    POLICYMAKER: frozenset({POLICYMAKER, ADMINISTRATOR}),
    MONITORING: frozenset({MONITORING, ADMINISTRATOR}),
    ADMINISTRATOR: frozenset({ADMINISTRATOR}),
}
_REFUSALS: Final = {
    MONITORING: "Not monitor user",
    ADMINISTRATOR: "Not administrator user",
    POLICYMAKER: "User not authorised to access object",
}
#: Nobody said who they are.
WHO_ARE_YOU: Final = Answer(
    401, headers=(("www-authenticate", 'Basic realm="RabbitMQ Management"'),)
)


def log_in(accounts: Accounts, authorization: str) -> User:
    """Read who asks out of the header.

    Raises:
        HttpError: 401.
    """
    scheme, _, token = authorization.partition(" ")
    try:
        name, _, password = base64.b64decode(token, validate=True).decode().partition(":")
    except ValueError:
        name = password = ""
    user = accounts.authenticate(name, password) if scheme.lower() == "basic" else None
    if user is None:
        raise HttpError(401, "not_authorized", "Login failed")
    if not OPENED_BY[MANAGEMENT].intersection(user.tags):
        raise unauthorised("Not management user")
    return user


def check(accounts: Accounts, user: User, needed: str, vhost: str | None, known: bool) -> None:
    """Refuse what is not for this user; `vhost` is the one the path names, `known` if it is there.

    Raises:
        HttpError: 401.
    """
    if not OPENED_BY[needed].intersection(user.tags):
        raise unauthorised(_REFUSALS[needed])
    inside = needed in (VHOST, POLICYMAKER) and vhost is not None and known
    if inside and accounts.permission(user.name, vhost or "") is None:
        raise unauthorised("User not authorised to access virtual host")


def is_monitor(user: User) -> bool:
    """True if the user sees everybody's connections."""
    return bool(OPENED_BY[MONITORING].intersection(user.tags))
