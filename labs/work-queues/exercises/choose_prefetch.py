"""Choose how many documents a worker may hold.

The workers have moved to a cheaper data centre, two tenths of a second away from RabbitMQ. Letters
(0.1 s each) and reports (10 s each) have a queue of their own by now. When a queue gets long,
machines are added, and they start while the work is under way.
"""

import json
import time

import pika

from sandbox import record


def prefetch_for(work_s: float, round_trip_s: float) -> int:
    """How many unacknowledged documents a worker may hold.

    Args:
        work_s: What rendering one document takes.
        round_trip_s: How long a message takes to RabbitMQ plus how long one takes back.
    """
    raise NotImplementedError("choose a prefetch")


def worker(queue: str, work_s: float, round_trip_s: float) -> None:
    """Render the documents of a queue. (Given; leave it as it is.)"""
    connection = pika.BlockingConnection(pika.ConnectionParameters("localhost"))
    channel = connection.channel()
    channel.queue_declare(queue)

    def on_task(channel, method, properties, body):
        task = json.loads(body)
        time.sleep(task["seconds"])
        record("rendered", task["name"])
        channel.basic_ack(method.delivery_tag)

    channel.basic_qos(prefetch_count=prefetch_for(work_s, round_trip_s))
    channel.basic_consume(queue, on_task)
    channel.start_consuming()


if __name__ == "__main__":
    for work_s in (0.1, 10.0):
        print(f"{work_s} s of work, 0.4 s there and back: hold {prefetch_for(work_s, 0.4)}")
