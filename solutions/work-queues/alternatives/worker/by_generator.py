"""A loop instead of a callback. `consume` makes its consumer on the first turn, so qos is first."""

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
    with pika.BlockingConnection(pika.ConnectionParameters("localhost")) as connection:
        channel = connection.channel()
        channel.queue_declare("documents")
        channel.basic_qos(prefetch_count=1)
        for method, _properties, body in channel.consume("documents"):
            render(json.loads(body))
            channel.basic_ack(method.delivery_tag)


if __name__ == "__main__":
    worker()
