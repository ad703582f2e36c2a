# caught-by: test_a_long_list_takes_one_connection
# hint: What of all this has to happen once for every task, and what once for the list?

import json

import pika


def send(task):
    connection = pika.BlockingConnection(pika.ConnectionParameters("localhost"))
    channel = connection.channel()
    channel.queue_declare("documents")
    channel.basic_publish("", "documents", json.dumps(task).encode())
    connection.close()


def submit(tasks):
    for task in tasks:
        send(task)


if __name__ == "__main__":
    submit([{"name": f"letter-{number}", "seconds": 0.1} for number in range(1, 11)])
    print("ten letters handed in")
