"""Asks for a document when it has none, so it never holds a second one and needs no prefetch.

The price is a trip to RabbitMQ and back for every document, and a question ten times a second while
there is nothing to do.
"""

import json
import time

import pika

from sandbox import record


def render(task: dict) -> None:
    """Render a document; that takes as long as the task says. (Given; leave it as it is.)"""
    record("begun", task["name"])
    time.sleep(task["seconds"])
    record("rendered", task["name"])
    print(f" [x] {task['name']}")


def worker() -> None:
    """Render documents, one at a time, for ever."""
    connection = pika.BlockingConnection(pika.ConnectionParameters("localhost"))
    channel = connection.channel()
    channel.queue_declare("documents")
    while True:
        method, _properties, body = channel.basic_get("documents")
        if method is None:
            connection.sleep(0.1)
            continue
        render(json.loads(body))
        channel.basic_ack(method.delivery_tag)


if __name__ == "__main__":
    worker()
