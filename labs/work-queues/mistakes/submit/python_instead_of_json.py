# caught-by: test_a_worker_in_any_language_can_read_them
# hint: Print `str(task)` and `json.dumps(task)` one below the other. Which quotation marks does
# JSON know?

import pika


def submit(tasks):
    connection = pika.BlockingConnection(pika.ConnectionParameters("localhost"))
    channel = connection.channel()
    channel.queue_declare("documents")
    for task in tasks:
        channel.basic_publish("", "documents", str(task).encode())
    connection.close()


if __name__ == "__main__":
    submit([{"name": f"letter-{number}", "seconds": 0.1} for number in range(1, 11)])
    print("ten letters handed in")
