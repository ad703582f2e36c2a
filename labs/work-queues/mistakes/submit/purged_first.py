# caught-by: test_tasks_that_wait_already_stay_and_come_first
# hint: Somebody handed in a list an hour ago, and the workers are still at it. What becomes of
# the rest?

import json

import pika


def submit(tasks):
    connection = pika.BlockingConnection(pika.ConnectionParameters("localhost"))
    channel = connection.channel()
    channel.queue_declare("documents")
    channel.queue_purge("documents")  # no leftovers from the last run
    for task in tasks:
        channel.basic_publish("", "documents", json.dumps(task).encode())
    connection.close()


if __name__ == "__main__":
    submit([{"name": f"letter-{number}", "seconds": 0.1} for number in range(1, 11)])
    print("ten letters handed in")
