"""Says what the body is, and asks RabbitMQ to keep it on disk, as a production system would."""

import json

import pika

JSON = pika.BasicProperties(content_type="application/json", delivery_mode=2)


def submit(tasks: list[dict]) -> None:
    """Put every task into the queue `documents`, as a JSON message of its own."""
    with pika.BlockingConnection(pika.ConnectionParameters("localhost")) as connection:
        channel = connection.channel()
        channel.queue_declare(queue="documents")
        for body in (json.dumps(task, ensure_ascii=False) for task in tasks):
            channel.basic_publish("", "documents", body.encode("utf-8"), JSON)


if __name__ == "__main__":
    submit([{"name": f"letter-{number}", "seconds": 0.1} for number in range(1, 11)])
    print("ten letters handed in")
