"""Render documents, beside any number of other workers."""

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

    def on_task(channel, method, properties, body):
        render(json.loads(body))
        channel.basic_ack(method.delivery_tag)

    channel.basic_qos(prefetch_count=1)
    channel.basic_consume("documents", on_task)
    channel.start_consuming()


if __name__ == "__main__":
    worker()
