"""`sandbox lab new`: a whole small lab to change into another one.

What it writes proves itself: `sandbox lab check` is content with it before the first change, so
whatever breaks afterwards is the last thing its author did.

To change what a new lab looks like, change the texts below.
"""

from __future__ import annotations

from pathlib import Path

from sandbox.course.errors import CourseError
from sandbox.course.manifest import SLUG, find_labs
from sandbox.course.places import checkout

MANIFEST = """\
slug = "{slug}"  # progress is stored under this; never rename it
title = "{title}"
summary = "One sentence for the list of labs."
minutes = 20
order = {order}
needs = ["rabbitmq"]
after = []
seeds = [1, 7, 42]

[[exercise]]
id = "relay"  # the stem of exercises/relay.py and checks/test_relay.py
title = "Ship every order"
points = 3
goal = "Every order that arrives is shipped once. It is acknowledged after that, not before."
hints = [
  "Who tells the broker that a message is done?",
  "Look at what `basic_ack` takes.",
]
solution_after = 5
"""

LESSON = """\
# {title}

What is this about, and who has the problem?

```python run
import pika

connection = pika.BlockingConnection(pika.ConnectionParameters("localhost"))
channel = connection.channel()
channel.queue_declare("orders")
channel.basic_publish("", "orders", b"order-1")
```

```predict
question = "How many messages wait in the queue now?"
options = ["None", "* One"]
because = "It was routed to the queue by its name, and nobody has taken it."
```

```python run
print(channel.queue_declare("orders", passive=True).method.message_count)
```

```output
1
```

Now you.

```exercise relay
```
"""

EXERCISE = '''\
"""Ship every order that arrives on the queue `orders`."""

from sandbox import record


def relay() -> None:
    """Consume `orders` for ever; ship an order with `record("shipped", order)`."""
    raise NotImplementedError
'''

CHECKS = """\
ORDERS = [f"order-{number}" for number in range(5)]


def test_every_order_is_shipped_once(lab):
    lab.rabbitmq.publish("orders", ORDERS)
    lab.start("relay")
    lab.run_until_idle()
    shipped = lab.recorded("shipped")
    lost = lab.rabbitmq.published("orders") - shipped
    assert not lost, f"{len(lost)} of 5 orders were never shipped, the first is {lost[0]}."
    assert not shipped.duplicates(), f"{shipped.duplicates()[0]} was shipped twice."


def test_every_order_is_acknowledged(lab):
    lab.rabbitmq.publish("orders", ORDERS)
    lab.start("relay")
    lab.run_until_idle()
    left = lab.rabbitmq.unacked("orders")
    assert not left, (
        f"{left} orders were delivered and never acknowledged. "
        "What does the broker do with them when this worker goes away?"
    )
"""

SOLUTION = '''\
"""Ship every order that arrives on the queue `orders`."""

import pika

from sandbox import record


def relay() -> None:
    """Consume `orders` for ever; ship an order with `record("shipped", order)`."""
    connection = pika.BlockingConnection(pika.ConnectionParameters("localhost"))
    channel = connection.channel()
    channel.queue_declare("orders")
    for method, _, body in channel.consume("orders"):
        record("shipped", body.decode())
        channel.basic_ack(method.delivery_tag)
'''

ALTERNATIVE = '''\
"""Ship every order that arrives on the queue `orders`, with a callback."""

import pika

from sandbox import record


def relay() -> None:
    """Consume `orders` for ever; ship an order with `record("shipped", order)`."""
    connection = pika.BlockingConnection(pika.ConnectionParameters("localhost"))
    channel = connection.channel()
    channel.queue_declare("orders")

    def ship(channel, method, properties, body):
        record("shipped", body.decode())
        channel.basic_ack(method.delivery_tag)

    channel.basic_consume("orders", ship)
    channel.start_consuming()
'''

MISTAKE = """\
# caught-by: test_every_order_is_acknowledged
# hint: The broker keeps what it has not been told is done. Who tells it?
import pika

from sandbox import record


def relay() -> None:
    connection = pika.BlockingConnection(pika.ConnectionParameters("localhost"))
    channel = connection.channel()
    channel.queue_declare("orders")
    for _, _, body in channel.consume("orders"):
        record("shipped", body.decode())
"""

NOTES = """\
# {title}: notes

Why the solution works, and what a production system adds.
"""


def new_lab(slug: str, title: str = "", folder: Path | None = None) -> list[Path]:
    """Write a new lab; return the files it has.

    Args:
        slug: What it is called, for ever.
        title: As people read it; left out, made from the slug.
        folder: The folder that has, or gets, `labs` and `solutions`; left out, the checkout's, or
            the current directory.

    Raises:
        CourseError: the slug cannot be one, or is taken.
    """
    if not SLUG.fullmatch(slug):
        raise CourseError(
            f"{slug!r} cannot be a slug: small letters, digits and hyphens, such as work-queues."
        )
    taken = find_labs()
    if any(lab.slug == slug for lab in taken):
        raise CourseError(f"There is a lab called {slug} already.")
    root = folder or checkout() or Path.cwd()
    lab, solutions = root / "labs" / slug, root / "solutions" / slug
    words = {
        "slug": slug,
        "title": title or slug.replace("-", " ").capitalize(),
        "order": max((each.order for each in taken), default=0) + 1,
    }
    files = {
        lab / "lab.toml": MANIFEST.format(**words),
        lab / "lesson.md": LESSON.format(**words),
        lab / "exercises" / "relay.py": EXERCISE,
        lab / "checks" / "test_relay.py": CHECKS,
        lab / "mistakes" / "relay" / "never_acks.py": MISTAKE,
        solutions / "relay.py": SOLUTION,
        solutions / "alternatives" / "relay" / "by_callback.py": ALTERNATIVE,
        solutions / "notes.md": NOTES.format(**words),
    }
    for path in files:
        if path.exists():
            raise CourseError("It is there already; choose another slug.", path=path)
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return list(files)
