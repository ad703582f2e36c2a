r"""Who may use the brokers: the file of `--users`.

    [users.alice]
    password = "wonderland"
    tags = ["administrator"]              # for RabbitMQ's management API; may be left out

    [users.bob]
    password = "builder"

    [users.bob.permissions."/"]           # what bob may do in RabbitMQ's virtual host "/"
    configure = "^bob-"                   # regular expressions over names of queues and exchanges;
    write = "^(bob-|amq\\.default$)"      # what is left out is not allowed
    read = "^bob-"

Every broker knows every user: AMQP and MQTT by name and password, Kafka by SASL/PLAIN, Redis as
users of its ACL that may do everything. With such a file nobody gets in without a password; Redis's
`AUTH password`, without a name, is for a user called `default`. Permissions are RabbitMQ's alone; a
user without any may do everything in every virtual host, also by the management API, one with some
nothing in the others.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from sandbox.embedded.errors import BadUsers

_ACTIONS = ("configure", "write", "read")


@dataclass(frozen=True)
class User:
    """Somebody who may use the brokers."""

    name: str
    password: str
    tags: tuple[str, ...] = ()
    #: By virtual host, what is allowed there; None: everything, everywhere.
    permissions: Mapping[str, Mapping[str, str]] | None = None


@dataclass(frozen=True)
class Users:
    """Everybody in the file."""

    everybody: tuple[User, ...] = field(default_factory=tuple)

    @property
    def passwords(self) -> dict[str, str]:
        """Password by name."""
        return {user.name: user.password for user in self.everybody}

    @property
    def vhosts(self) -> tuple[str, ...]:
        """The virtual hosts that are mentioned, "/" first."""
        named = [vhost for user in self.everybody for vhost in user.permissions or ()]
        return tuple(dict.fromkeys(["/", *named]))


def read(path: Path) -> Users:
    """Read the file.

    Raises:
        BadUsers: it is not there, or says something that makes no sense; tells where.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadUsers(f"The users in {path} cannot be read ({error.strerror}).") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadUsers(f"{path} is not TOML: {error}.") from error
    table = document.get("users")
    if set(document) != {"users"} or not isinstance(table, dict) or not table:
        raise BadUsers(
            f'{path} must hold one table for each user, such as [users.alice] with password = "…".'
        )
    return Users(tuple(_user(path, name, entry) for name, entry in table.items()))


def _user(path: Path, name: str, entry: Any) -> User:
    where = f"[users.{name}]"
    if not isinstance(entry, dict):
        _refuse(path, where, "must be a table")
    unknown = entry.keys() - {"password", "tags", "permissions"}
    if unknown:
        _refuse(
            path, where, f"has no {', '.join(sorted(unknown))}; it has password, tags, permissions"
        )
    password = entry.get("password")
    if not isinstance(password, str) or not password:
        _refuse(path, where, "needs a password, in quotes")
    tags = entry.get("tags", [])
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        _refuse(path, where, 'tags must be a list of names, such as ["administrator"]')
    return User(name, password, tuple(tags), _permissions(path, name, entry.get("permissions")))


def _permissions(path: Path, name: str, table: Any) -> dict[str, dict[str, str]] | None:
    if table is None:
        return None
    where = f"[users.{name}.permissions]"
    if not isinstance(table, dict):
        _refuse(path, where, "must hold one table for each virtual host")
    permissions = {}
    for vhost, patterns in table.items():
        where = f'[users.{name}.permissions."{vhost}"]'
        if not isinstance(patterns, dict) or patterns.keys() - set(_ACTIONS):
            _refuse(path, where, f"may hold {', '.join(_ACTIONS)} and nothing else")
        for action, pattern in patterns.items():
            _check_pattern(path, where, action, pattern)
        permissions[vhost] = {action: patterns.get(action, "") for action in _ACTIONS}
    return permissions


def _check_pattern(path: Path, where: str, action: str, pattern: Any) -> None:
    import re

    try:
        re.compile(pattern)
    except (re.error, TypeError) as error:
        _refuse(path, where, f"{action} must be a regular expression in quotes ({error})")


def _refuse(path: Path, where: str, what: str) -> NoReturn:
    raise BadUsers(f"{path}: {where} {what}.")
