"""Users: who may log in, what they may do, and how many connections they may have.

Passwords are kept as RabbitMQ keeps them, a salted SHA-256, so that definitions can be moved from
one to the other. The salt comes from the name, because a broker throws no dice of its own for this.
A user given to the broker without permissions may do everything everywhere, until somebody gives or
takes a permission; one made later may do nothing until then. [RabbitMQ: "Access Control",
"Credentials and Passwords"]
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import compare_digest
from typing import Final

from sandbox.brokers.amqp.permissions import Permission, Permissions

ADMINISTRATOR_TAG: Final = "administrator"
_SALT_BYTES: Final = 4
EVERYTHING: Final = Permission()


@dataclass(slots=True)
class User:
    """An account. An empty `password_hash` lets nobody in by a password."""

    name: str
    password_hash: str
    tags: tuple[str, ...] = ()
    #: "max-connections" and "max-channels", as far as they are set.
    limits: dict[str, int] = field(default_factory=dict)


def hash_password(name: str, password: str) -> str:
    """Make a hash as it stands in RabbitMQ's definitions."""
    salt = sha256(name.encode()).digest()[:_SALT_BYTES]
    return b64encode(salt + sha256(salt + password.encode()).digest()).decode()


class Accounts:
    """All users of a broker."""

    def __init__(
        self,
        users: Mapping[str, str],
        permissions: Permissions,
        tags: Mapping[str, Iterable[str]] | None = None,
    ) -> None:
        tags = tags or {}
        self.permissions = {user: dict(where) for user, where in permissions.items()}
        self.users = {
            name: User(
                name,
                hash_password(name, password),
                tuple(tags.get(name, () if name in self.permissions else (ADMINISTRATOR_TAG,))),
            )
            for name, password in users.items()
        }
        #: What whoever made the broker said of users, to see later what changed.
        self.given = {name: self._about(name) for name in self.users}

    def _about(self, name: str) -> str:
        return repr((self.users[name], self.permissions.get(name)))

    @property
    def changed(self) -> list[User]:
        """The users that are not as they were given to the broker."""
        return [u for name, u in self.users.items() if self.given.get(name) != self._about(name)]

    @property
    def gone(self) -> list[str]:
        """The users that were given to the broker and are deleted."""
        return [name for name in self.given if name not in self.users]

    def authenticate(self, name: str, password: str) -> User | None:
        """Return the user if the password is right."""
        user = self.users.get(name)
        if user is None:
            return None
        try:
            raw = b64decode(user.password_hash)
        except ValueError:
            return None
        salt, digest = raw[:_SALT_BYTES], raw[_SALT_BYTES:]
        right = bool(digest) and compare_digest(sha256(salt + password.encode()).digest(), digest)
        return user if right else None

    def permission(self, user: str, vhost: str) -> Permission | None:
        """What a user may do in a virtual host; None if not even enter it."""
        if user not in self.permissions:
            return EVERYTHING if user in self.users else None
        return self.permissions[user].get(vhost)

    def is_unrestricted(self, user: str) -> bool:
        """True if nobody ever gave this user a permission, nor took one."""
        return user not in self.permissions

    # -- changes -------------------------------------------------------------------------------

    def set_user(self, name: str, password_hash: str, tags: Iterable[str]) -> User:
        """Make a user, or change one; limits and permissions stay."""
        user = self.users.get(name)
        if user is None:
            self.permissions.setdefault(name, {})
            user = self.users[name] = User(name, password_hash)
        user.password_hash, user.tags = password_hash, tuple(tags)
        return user

    def delete_user(self, name: str) -> None:
        """Forget a user and what was permitted."""
        self.users.pop(name, None)
        self.permissions.pop(name, None)

    def set_permission(
        self, user: str, vhost: str, permission: Permission | None, vhosts: Iterable[str]
    ) -> None:
        """Give a user a permission, or with None take it away.

        Who was unrestricted keeps everything in the other `vhosts`.
        """
        if self.is_unrestricted(user):
            self.permissions[user] = dict.fromkeys(vhosts, EVERYTHING)
        if permission is None:
            self.permissions[user].pop(vhost, None)
        else:
            self.permissions[user][vhost] = permission

    def forget_vhost(self, vhost: str) -> None:
        """A virtual host is gone, and what was permitted there."""
        for where in self.permissions.values():
            where.pop(vhost, None)
