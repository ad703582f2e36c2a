"""Render documents, beside any number of other workers.

A task is a JSON message such as `{"name": "letter to Zoë", "seconds": 0.1}` in the queue
`documents`.
"""

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
    raise NotImplementedError("write a worker")


if __name__ == "__main__":
    worker()
