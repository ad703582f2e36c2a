"""Users, what they may do, and their limits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from sandbox.brokers.amqp import administration, limits
from sandbox.brokers.amqp.accounts import hash_password
from sandbox.brokers.amqp.management.answers import (
    CREATED,
    NO_CONTENT,
    Answer,
    bad_request,
    missing,
)
from sandbox.brokers.amqp.management.request import Request
from sandbox.brokers.amqp.management.vhosts import as_tags, limit_value
from sandbox.brokers.amqp.permissions import Permission

if TYPE_CHECKING:
    from sandbox.brokers.amqp.accounts import User
    from sandbox.brokers.amqp.broker import Broker

HASHING: Final = "rabbit_password_hashing_sha256"


def whoami(request: Request) -> Any:
    """Who asks."""
    return {"name": request.user.name, "tags": list(request.user.tags)}


def get_users(request: Request) -> Any:
    """All users, by name."""
    return [user_shape(user) for _, user in sorted(request.accounts.users.items())]


def get_users_without_permissions(request: Request) -> Any:
    """Users who may enter no virtual host."""
    accounts = request.accounts
    return [
        user_shape(user)
        for name, user in sorted(accounts.users.items())
        if all(accounts.permission(name, vhost) is None for vhost in request.broker.vhosts)
    ]


def get_user(request: Request) -> Any:
    """One user."""
    return user_shape(_named(request))


def put_user(request: Request) -> Answer:
    """Make a user, or change one. Without a password nobody can log in."""
    name, body = request.names["user"], request.body()
    existed = name in request.accounts.users
    request.acts()
    import_user(request.broker, name, body)
    return NO_CONTENT if existed else CREATED


def delete_user(request: Request) -> Answer:
    """Delete a user."""
    user = _named(request)
    request.acts()
    administration.delete_user(request.broker, user.name, request.now_ns)
    return NO_CONTENT


def delete_users(request: Request) -> Answer:
    """Delete several users, or none if one of them is not there."""
    given = request.body("users")["users"]
    names = [str(name) for name in given] if isinstance(given, list) else []
    for name in names:
        if name not in request.accounts.users:
            raise bad_request(["no_such_user", name])
    request.acts()
    for name in names:
        administration.delete_user(request.broker, name, request.now_ns)
    return NO_CONTENT


def import_user(broker: Broker, name: str, body: dict[str, Any]) -> None:
    """Make or change a user from what a request or definitions say.

    Raises:
        HttpError: 400, there are no tags.
    """
    if "tags" not in body:
        raise bad_request("tags_not_present")
    if "password" in body:
        hashed = hash_password(name, str(body["password"]))
    else:
        hashed = str(body.get("password_hash", ""))
    administration.set_user(broker, name, hashed, as_tags(body["tags"]))


# -- permissions -----------------------------------------------------------------------------------


def get_permissions(request: Request) -> Any:
    """All permissions."""
    return list(all_permissions(request.broker))


def get_user_permissions(request: Request) -> Any:
    """What one user may do."""
    user = _named(request)
    return [each for each in all_permissions(request.broker) if each["user"] == user.name]


def get_vhost_permissions(request: Request) -> Any:
    """What anybody may do in a virtual host."""
    vhost = request.vhost()
    return [each for each in all_permissions(request.broker) if each["vhost"] == vhost.name]


def get_permission(request: Request) -> Any:
    """What one user may do in a virtual host."""
    user, vhost = request.names["user"], request.vhost().name
    permission = request.accounts.permission(user, vhost)
    if permission is None:
        raise missing()
    return permission_shape(user, vhost, permission)


def put_permission(request: Request) -> Answer:
    """Let a user do something in a virtual host."""
    names, body = request.names, request.body("configure", "write", "read")
    user, vhost = names["user"], names["vhost"]
    if user not in request.accounts.users or vhost not in request.broker.vhosts:
        raise bad_request("vhost_or_user_not_found")
    permission = Permission(*(str(body[what]) for what in Permission._fields))
    for pattern in permission:
        check_pattern(pattern)
    existed = request.accounts.permission(user, vhost) is not None
    administration.set_permission(request.broker, user, vhost, permission)
    return NO_CONTENT if existed else CREATED


def delete_permission(request: Request) -> Answer:
    """Keep a user out of a virtual host."""
    user, vhost = request.names["user"], request.vhost().name
    if request.accounts.permission(user, vhost) is None:
        raise missing()
    administration.set_permission(request.broker, user, vhost, None)
    return NO_CONTENT


def no_topic_permissions(request: Request) -> Any:
    """Permissions on topics, of which there are none."""
    return []


def put_topic_permission(request: Request) -> Answer:
    """Refuse what would not be checked."""
    raise bad_request("permissions on topics are not supported by the sandbox's broker")


def all_permissions(broker: Broker) -> Iterator[dict[str, Any]]:
    """Every permission of every user."""
    for vhost in sorted(broker.vhosts):
        for user in sorted(broker.accounts.users):
            permission = broker.accounts.permission(user, vhost)
            if permission is not None:
                yield permission_shape(user, vhost, permission)


def permission_shape(user: str, vhost: str, permission: Permission) -> dict[str, Any]:
    """What a user may do in a virtual host."""
    return {"user": user, "vhost": vhost, **permission._asdict()}


def check_pattern(pattern: str) -> None:
    """Refuse a pattern that is none.

    Raises:
        HttpError: 400.
    """
    try:
        re.compile(pattern)
    except re.error as problem:
        raise bad_request(["invalid_regexp", pattern, str(problem)]) from problem


# -- limits ----------------------------------------------------------------------------------------


def get_limits(request: Request) -> Any:
    """What is limited for users."""
    users = [_named(request)] if "user" in request.names else request.accounts.users.values()
    return [{"user": user.name, "value": dict(user.limits)} for user in users if user.limits]


def put_limit(request: Request) -> Answer:
    """Limit a user."""
    user = _named(request)
    value = limit_value(request, limits.OF_USERS)
    administration.set_limit(request.broker, user, request.names["limit"], value)
    return NO_CONTENT


def delete_limit(request: Request) -> Answer:
    """Take a limit away."""
    administration.set_limit(request.broker, _named(request), request.names["limit"], None)
    return NO_CONTENT


def user_shape(user: User) -> dict[str, Any]:
    """What there is to say of a user."""
    return {
        "name": user.name,
        "password_hash": user.password_hash,
        "hashing_algorithm": HASHING,
        "tags": list(user.tags),
        "limits": dict(user.limits),
    }


def _named(request: Request) -> User:
    user = request.accounts.users.get(request.names["user"])
    if user is None:
        raise missing()
    return user
