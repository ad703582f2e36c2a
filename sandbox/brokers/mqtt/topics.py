"""Topic names and topic filters: which are valid, and which match [mqtt-v5.0 4.7].

A name is what is published to, a filter what is subscribed to: `+` stands for one level, `#` at the
end for any number of levels, none included. A wildcard at the front matches no topic that begins
with `$`. `$share/GROUP/FILTER` subscribes as one of a group [mqtt-v5.0 4.8.2].
"""

from __future__ import annotations

from typing import Final, NamedTuple

#: Mosquitto's limit; deeper topics are refused.
MAX_LEVELS: Final = 200
_SHARE: Final = "$share/"


def name_problem(topic: str) -> str | None:
    """Why this is no topic name that can be published to, or None."""
    if not topic:
        return "a topic name has at least one character"
    if "+" in topic or "#" in topic:
        return f"the topic name {topic!r} holds a wildcard; only filters may"
    if topic.count("/") >= MAX_LEVELS:
        return f"a topic has at most {MAX_LEVELS} levels"
    return None


def filter_problem(topic_filter: str) -> str | None:
    """Why this is no topic filter, or None. `$share/GROUP/` must be off already."""
    if not topic_filter:
        return "a topic filter has at least one character"
    levels = topic_filter.split("/")
    for number, level in enumerate(levels, 1):
        if "#" in level and (level != "#" or number != len(levels)):
            return f"in the topic filter {topic_filter!r} a # is not alone in the last level"
        if "+" in level and level != "+":
            return f"in the topic filter {topic_filter!r} a + is not alone in its level"
    return None


class Filter(NamedTuple):
    """A filter as subscribed to: who shares it (None: nobody), and what it matches."""

    group: str | None
    pattern: str


def parse_filter(topic_filter: str) -> Filter:
    """Take a subscription's filter apart.

    Raises:
        ValueError: why it is none, as a sentence.
    """
    group, pattern = None, topic_filter
    if topic_filter.startswith(_SHARE):
        group, slash, pattern = topic_filter[len(_SHARE) :].partition("/")
        if not group or not slash or not pattern or "+" in group or "#" in group:
            raise ValueError(
                f"{topic_filter!r} is no shared subscription; those are $share/GROUP/FILTER, with"
                " a name for the group and a filter, and no wildcard in the name"
            )
    problem = filter_problem(pattern)
    if problem is not None:
        raise ValueError(problem)
    return Filter(group, pattern)


def matches(pattern: str, topic: str) -> bool:
    """Whether a filter (without `$share/GROUP/`) matches a topic name."""
    if topic.startswith("$") and pattern[:1] in ("+", "#"):
        return False
    levels, names = pattern.split("/"), topic.split("/")
    for number, level in enumerate(levels):
        if level == "#":
            return True
        if number == len(names) or level not in ("+", names[number]):
            return False
    return len(levels) == len(names)
