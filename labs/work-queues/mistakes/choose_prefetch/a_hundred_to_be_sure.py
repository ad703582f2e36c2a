# caught-by: test_a_machine_added_far_away_finds_letters_to_render, test_a_machine_added_next_door_finds_letters_to_render, test_every_machine_gets_a_report
# hint: A large prefetch keeps one worker busy. What does it do to the worker that comes second?

import json
import time

import pika

from sandbox import record


def prefetch_for(work_s, round_trip_s):
    return 100


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
