# caught-by: test_a_worker_holds_one_document_and_leaves_the_others_in_the_queue, test_heavy_documents_do_not_pile_up_on_one_worker
# hint: One document is being rendered. Where is the other one that your limit allows, and who
# could be rendering it?

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
        render(json.loads(body))
        channel.basic_ack(method.delivery_tag)

    channel.basic_qos(prefetch_count=2)
    channel.basic_consume("documents", on_task)
    channel.start_consuming()


if __name__ == "__main__":
    worker()
