# caught-by: test_a_worker_holds_one_document_and_leaves_the_others_in_the_queue, test_heavy_documents_do_not_pile_up_on_one_worker, test_what_a_dead_worker_had_in_hand_is_rendered_by_another
# hint: An acknowledgement tells RabbitMQ two things: this one is done, and I have room for
# another. Is either true on the line where you send it?

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


def worker():
    connection = pika.BlockingConnection(pika.ConnectionParameters("localhost"))
    channel = connection.channel()
    channel.queue_declare("documents")

    def on_task(channel, method, properties, body):
        channel.basic_ack(method.delivery_tag)
        render(json.loads(body))

    channel.basic_qos(prefetch_count=1)
    channel.basic_consume("documents", on_task)
    channel.start_consuming()


if __name__ == "__main__":
    worker()
