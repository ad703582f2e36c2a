"""The course on one screen: its parts, the labs that exist and the labs that are planned.

A lab needs no entry here to exist: a folder in labs/ is enough. This table only says which part of
the course a slug belongs to and what stands there before the lab is written. A lab whose slug is
not in it appears in the last part, under "More".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

#: Part title, then slug and working title of each lab, in the order they are taught.
PARTS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    (
        "RabbitMQ with pika",
        (
            ("hello-queue", "A queue, a sender, a receiver"),
            ("work-queues", "Sharing work"),
            ("acks", "Acknowledge, or lose it"),
            ("durability", "Surviving a restart"),
            ("exchanges", "Routing with exchanges"),
            ("request-reply", "Asking and answering"),
            ("retries", "Trying again, and giving up"),
            ("idempotency", "Twice is the same as once"),
        ),
    ),
    (
        "asyncio",
        (
            ("asyncio-tasks", "Tasks, time-outs, cancellation"),
            ("asyncio-pipelines", "Pipelines with backpressure"),
            ("asyncio-rabbitmq", "RabbitMQ with aio-pika"),
            ("mqtt", "MQTT with aiomqtt"),
        ),
    ),
    (
        "Kafka",
        (
            ("kafka-log", "A log, not a queue"),
            ("kafka-groups", "Consumer groups"),
            ("kafka-delivery", "Delivery that can be trusted"),
        ),
    ),
    ("Redis", (("redis-queues", "Queues on lists"), ("redis-streams", "Streams"))),
    ("Task queues", (("celery", "Celery"),)),
    (
        "Queueing mathematics and scheduling",
        (
            ("queueing-math", "What waiting costs"),
            ("capacity", "How many workers?"),
            ("scheduling", "Who goes first?"),
        ),
    ),
    (
        "Running the platform",
        (
            ("monitoring", "Seeing what happens"),
            ("recovery", "Failing and coming back"),
            ("security", "Who may do what"),
        ),
    ),
    ("Beyond one library", (("frameworks", "The same worker elsewhere"),)),
    (
        "Capstones",
        (
            ("capstone-shop", "A shop that adds up"),
            ("capstone-crm", "A customer record, five services"),
            ("capstone-incident", "What made it sick?"),
        ),
    ),
)


class HasSlug(Protocol):
    """The one thing the map needs to know of a lab."""

    @property
    def slug(self) -> str:
        """What URLs and stored progress call it."""
        ...


@dataclass(frozen=True)
class Place:
    """One line of the map: a lab that exists, or the working title of one that is planned."""

    number: int
    slug: str
    title: str
    lab: object | None


@dataclass(frozen=True)
class Part:
    """A titled run of places."""

    title: str
    places: tuple[Place, ...]


def course_map(labs: Iterable[HasSlug]) -> list[Part]:
    """Every planned lab, and every lab there is, numbered through."""
    known = {lab.slug: lab for lab in labs}
    parts: list[Part] = []
    number = 0
    for title, entries in PARTS:
        places: list[Place] = []
        for slug, working_title in entries:
            number += 1
            lab = known.pop(slug, None)
            shown = str(getattr(lab, "title", working_title))
            places.append(Place(number, slug, shown, lab))
        parts.append(Part(title, tuple(places)))
    if known:
        rest = [
            Place(number + n, slug, str(getattr(lab, "title", slug)), lab)
            for n, (slug, lab) in enumerate(known.items(), start=1)
        ]
        parts.append(Part("More", tuple(rest)))
    return parts
