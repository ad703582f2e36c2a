"""What can keep the embedded server from starting or going on, each told in a sentence."""

from __future__ import annotations


class EmbeddedError(Exception):
    """The server cannot do what was asked; the text says why and what to do."""


class PortsTaken(EmbeddedError):
    """Another program listens on a port that is needed."""


class FolderInUse(EmbeddedError):
    """Another server keeps its data in this folder."""


class JournalDamaged(EmbeddedError):
    """A file of kept data cannot be read, and not because its last write was cut off."""


class CannotKeep(EmbeddedError):
    """What a broker was about to confirm could not be written."""


class BadUsers(EmbeddedError):
    """The file of users says something that makes no sense."""
