# caught-by: test_every_task_is_a_message_of_its_own
# hint: A message is what one worker gets. How many workers can be busy with your list?

import json

import pika


def submit(tasks):
    connection = pika.BlockingConnection(pika.ConnectionParameters("localhost"))
    channel = connection.channel()
    channel.queue_declare("documents")
    channel.basic_publish("", "documents", json.dumps(tasks).encode())
    connection.close()


if __name__ == "__main__":
    submit([{"name": f"letter-{number}", "seconds": 0.1} for number in range(1, 11)])
    print("ten letters handed in")
