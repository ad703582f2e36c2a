"""What Redis 7.0 says where fakeredis says something newer, or leaves a word out."""

from __future__ import annotations

from typing import Any, Final

#: Words an error may begin with; any other text is an ordinary error, ERR.
_CODES: Final = frozenset(
    (
        "ERR", "WRONGTYPE", "NOGROUP", "BUSYGROUP", "NOSCRIPT", "NOAUTH", "WRONGPASS", "NOPERM",
        "EXECABORT", "UNBLOCKED", "BUSYKEY", "NOPROTO", "NOTBUSY", "MISCONF", "READONLY", "OOM",
        "NOREPLICAS", "UNKILLABLE", "TRYAGAIN", "LOADING", "CROSSSLOT",
    )
)  # fmt: skip


def in_words_of_7_0(name: str, text: str, arguments: Any) -> str:
    """The words of 7.0 for an error of fakeredis."""
    if name.startswith(("eval", "fcall", "exec")):
        return text  # a script says what it wants
    if text.startswith("ERR BUSYGROUP"):
        return text[4:]
    if text.startswith("ERR invalid expire time in "):
        return f"ERR invalid expire time in '{name}' command"
    if text.startswith("NOPERM"):
        return _not_allowed(text)
    if name in ("zrange", "zrevrange") and text == "ERR min or max is not a float":
        by = {word.upper() for word in arguments if isinstance(word, bytes)}
        if not by & {b"BYSCORE", b"BYLEX"}:
            return "ERR value is not an integer or out of range"
    return text if text.split(" ", 1)[0] in _CODES else f"ERR {text}"


def _not_allowed(text: str) -> str:
    if text.endswith("access a key"):
        return "NOPERM this user has no permissions to access one of the keys used as arguments"
    if text.endswith("access a channel"):
        return "NOPERM this user has no permissions to access one of the channels used as arguments"
    if " has no permissions to run the " in text:
        return "NOPERM this user" + text[text.index(" has no permissions to run the ") :]
    return text
