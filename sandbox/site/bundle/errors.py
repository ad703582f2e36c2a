"""What can stop a build, as sentences for the person who started it."""

from __future__ import annotations


class BundleError(Exception):
    """The bundle could not be built; the text says what happened and what to do next."""
