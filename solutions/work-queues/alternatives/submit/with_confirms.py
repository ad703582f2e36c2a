"""Waits after every message until RabbitMQ says that it has it: slower, and sure."""

import json

import pika


def submit(tasks: list[dict]) -> None:
    """Put every task into the queue `documents`, as a JSON message of its own."""
    connection = pika.BlockingConnection(pika.ConnectionParameters("localhost"))
    channel = connection.channel()
    channel.confirm_delivery()
    channel.queue_declare("documents")
    for task in tasks:
        channel.basic_publish("", "documents", json.dumps(task), mandatory=True)
    connection.close()


if __name__ == "__main__":
    submit([{"name": f"letter-{number}", "seconds": 0.1} for number in range(1, 11)])
    print("ten letters handed in")
