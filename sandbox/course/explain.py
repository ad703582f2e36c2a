"""What a learner's own exception means: their line first, then one sentence.

The sentences are for the errors that everybody meets once. They say what state of the world the
error reports and what to look at, never the line to write.

To explain another error, add a row to `SENTENCES`; the first pattern that is found wins.
"""

from __future__ import annotations

import linecache
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

FRAME = re.compile(r'File "(?P<path>[^"]+)", line (?P<line>\d+)')

#: Found in "Type: text" of the exception -> a sentence; groups of the pattern may be used in it.
SENTENCES: tuple[tuple[str, str], ...] = (
    (
        r"inequivalent arg '(?P<arg>[^']+)' for queue '(?P<queue>[^']+)'",
        "A queue keeps the properties it was first declared with. Something declared `{queue}` "
        "with another `{arg}` before this line did.",
    ),
    (
        r"inequivalent arg '(?P<arg>[^']+)' for exchange '(?P<exchange>[^']+)'",
        "An exchange keeps the properties it was first declared with. Something declared "
        "`{exchange}` with another `{arg}` before this line did.",
    ),
    (
        r"unknown delivery tag (?P<tag>\d+)",
        "Delivery tag {tag} names nothing that is still unacknowledged on this channel: it was "
        "settled before, or belongs to another channel. RabbitMQ answers by closing the channel.",
    ),
    (
        r"no queue '(?P<queue>[^']+)' in vhost",
        "Nobody has declared the queue `{queue}`, or it is gone. Consuming from it, or asking for "
        "it with passive=True, does not make it.",
    ),
    (
        r"no exchange '(?P<exchange>[^']+)' in vhost",
        "Nobody has declared the exchange `{exchange}`. Publishing to it does not make it.",
    ),
    (
        r"RESOURCE_LOCKED",
        "That queue is exclusive: only the connection that declared it may use it.",
    ),
    (
        r"(ChannelWrongState|ChannelClosed)\w*: .*(is closed|Channel is clos)",
        "The channel was closed before this line. RabbitMQ closes a channel on the first mistake "
        "made on it; the cause is further up.",
    ),
    (
        r"(ConnectionWrongState|ConnectionClosed)\w*: .*clos",
        "The connection was closed before this line used it.",
    ),
    (
        r"AMQPConnectionError|ConnectionRefusedError|AMQPConnectorSocketConnectError",
        "Nothing answered at that address. RabbitMQ is at localhost, port 5672.",
    ),
    (
        r"StreamLostError|AMQPHeartbeatTimeout",
        "The connection broke while the program was away. RabbitMQ drops a client that does not "
        "answer its heartbeats, and pika answers them only while it is given control.",
    ),
    (
        r"ProbableAuthenticationError|ACCESS_REFUSED",
        "RabbitMQ did not accept the user name or password, or that user may not do this.",
    ),
    (
        r"NameError: .*name '(?P<name>\w+)' is not defined",
        "Python runs a file from top to bottom: `{name}` must be bound before the line that uses "
        "it is reached.",
    ),
    (
        r"UnboundLocalError: .*'(?P<name>\w+)'",
        "A name that a function assigns anywhere is local in all of it, so `{name}` had no value "
        "yet on this line.",
    ),
    (
        r"ModuleNotFoundError: No module named '(?P<name>[\w.]+)'",
        "The package `{name}` is not part of this world.",
    ),
    (
        r"TypeError: a bytes-like object is required|TypeError: .*bytes.*str",
        "A message body is bytes. Text becomes bytes with .encode() and comes back with .decode().",
    ),
    (
        r"RecursionError",
        "A function called itself, directly or through a callback, until Python gave up.",
    ),
)

#: How many of the learner's lines are shown, the innermost last.
LINES_SHOWN = 3


@dataclass(frozen=True)
class OwnLine:
    """A line of the learner's file that an exception passed through."""

    file: str
    number: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.number}  {self.text}".rstrip()


def own_lines(traceback: str, own: Collection[str]) -> list[OwnLine]:
    """The learner's own lines in a traceback, outermost first, each once.

    Args:
        traceback: The traceback as text.
        own: Names of the files that are the learner's.
    """
    lines: list[OwnLine] = []
    for found in FRAME.finditer(traceback):
        name, number = Path(found["path"]).name, int(found["line"])
        if name in own:
            linecache.checkcache(found["path"])
            line = OwnLine(name, number, linecache.getline(found["path"], number).strip())
            if line not in lines:
                lines.append(line)
    return lines


def sentence(summary: str) -> str:
    """One sentence about an exception given as "Type: text", or "" when none is known."""
    for pattern, text in SENTENCES:
        found = re.search(pattern, summary)
        if found:
            return text.format(**found.groupdict())
    return ""


def summary(exception: BaseException, traceback: str = "") -> str:
    """An exception as "Type: text", with its last line of traceback where that says more.

    An exception rebuilt from another process may have lost its type; its traceback has not.
    """
    last = traceback.strip().splitlines()[-1].strip() if traceback.strip() else ""
    if re.match(r"[\w.]+(Error|Exception|Exit|Interrupt|Closed\w*|State|Warning)\b", last):
        return last
    kind = type(exception)
    module = "" if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}."
    text = str(exception)
    return f"{module}{kind.__qualname__}: {text}" if text else f"{module}{kind.__qualname__}"


def explain(exception: BaseException, traceback: str, own: Collection[str]) -> str:
    """The whole answer to "what broke": the exception, the learner's lines, one sentence."""
    said = summary(exception, traceback)
    parts = [said]
    parts += [f"  {line}" for line in own_lines(traceback, own)[-LINES_SHOWN:]]
    more = sentence(said)
    if more:
        parts.append(more)
    return "\n".join(parts)


def still_raises(exception: BaseException | None, traceback: str, file: Path) -> str:
    """The sentence about an exercise nobody has begun, or "" when this is something else."""
    if exception is None or "NotImplementedError" not in summary(exception, traceback):
        return ""
    lines = own_lines(traceback, [file.name])
    where = f"{lines[-1].file}:{lines[-1].number}" if lines else file.name
    return f"{where} still raises NotImplementedError."


def syntax_problem(file: Path) -> str:
    """What is wrong with a file before it can even run, as a sentence; "" when it is Python."""
    try:
        source = file.read_bytes()
        compile(source, str(file), "exec", dont_inherit=True)
    except FileNotFoundError:
        return f"There is no file {file}."
    except SyntaxError as error:
        text = f"\n  {file.name}:{error.lineno}  {(error.text or '').strip()}"
        return f"{file.name}:{error.lineno} is not valid Python: {error.msg}.{text}"
    except ValueError as error:  # null bytes, an encoding that does not decode
        return f"{file.name} is not valid Python: {error}."
    return ""
