# caught-by: test_a_worker_holds_one_document_and_leaves_the_others_in_the_queue, test_a_worker_that_comes_late_finds_work, test_heavy_documents_do_not_pile_up_on_one_worker
# hint: RabbitMQ gives a consumer everything it has, unless the consumer says how much it can
# carry. Where does yours say so?

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

    channel.basic_consume("documents", on_task)
    channel.start_consuming()


if __name__ == "__main__":
    worker()
